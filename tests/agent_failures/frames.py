"""Python tracebacks as the interpreters of the last years print them."""

import re
from hashlib import blake2b

from tests.agent_failures.machines import Machine

CARETS_SINCE = 11
CALLS_SINCE = 13
HEADER = "Traceback (most recent call last):"
FRAME = re.compile(r"^(?P<margin>[ |+]*)@ (?P<rest>.*)$")
LEADS = r"return |assert |(?:[\w.,\[\]\"' ]+?) = |async with |with |for \w+(?:, \w+)? in "
EXPRESSION = re.compile(rf"^(?:{LEADS})?(?P<expression>.+?)(?: as \w+:|:)?$")
RAISED_WHOLE = ("raise ", "import ", "from ", "assert ")

ENTRIES = (
    (
        "agent/worker.py | run_forever | await self.run_task(task)",
        "agent/worker.py | run_task | result = await self.agent.step(task)",
        "agent/core.py | step | outcome = await self.dispatch(action)",
    ),
    (
        "agent/__main__.py | <module> | sys.exit(main())",
        "agent/cli.py | main | return asyncio.run(run(arguments))",
        "std asyncio/runners.py | run | return runner.run(main)",
        "std asyncio/base_events.py | run_until_complete | return future.result()",
        "agent/cli.py | run | outcome = await agent.step(task)",
        "agent/core.py | step | outcome = await self.dispatch(action)",
    ),
    (
        "agent/scheduler.py | tick | outcome = job.run(now)",
        "agent/jobs.py | run | return self.agent.dispatch_sync(self.action)",
    ),
)


def line_number(path: str, function: str, drift: int) -> int:
    """The same line for the same function, moved by what was written above it."""
    return int.from_bytes(blake2b(f"{path}:{function}".encode(), digest_size=2).digest(), "big") % 600 + 10 + drift


def underline(source: str, minor: int) -> str:
    """The line of carets below a source line, or nothing where the interpreter prints none."""
    match = EXPRESSION.match(source)
    if minor < CARETS_SINCE or match is None or source.startswith(RAISED_WHOLE):
        return ""
    expression, start = match["expression"], match.start("expression")
    if subscript := re.fullmatch(r"([\w.()]+)(\[[^\]]+\])", expression):
        marks = "~" * len(subscript[1]) + "^" * len(subscript[2])
    elif minor >= CALLS_SINCE and (call := re.fullmatch(r"([\w.\"']+)(\(.*)", expression)):
        marks = "~" * len(call[1]) + "^" * len(call[2])
    elif expression == source:
        return ""
    else:
        marks = "^" * len(expression)
    return " " * start + marks


def frame(text: str, machine: Machine, drift: int) -> list[str]:
    """The lines of a frame that is written as ``[site |std ]path | function | source``."""
    path, function, source = (part.strip() for part in text.split("|", 2))
    lead, _, rest = path.partition(" ")
    where, name = (lead, rest) if lead in ("site", "std", "frozen") else ("", path)
    shown = name if name.startswith("<") else machine.path(where, name)
    moved = drift if not where else machine.minor * 2
    lines = [f'  File "{shown}", line {line_number(name, function, moved)}, in {function}']
    if source:
        lines.append(f"    {source}")
        if marks := underline(source, machine.minor):
            lines.append(f"    {marks}")
            if machine.minor >= CALLS_SINCE and source.endswith("("):
                lines += [f"    ...<{3 + drift} lines>...", "    )", "    ^"]
    return lines


def expanded(template: str, machine: Machine, drift: int, entry: int) -> str:
    """The template with real frames for lines that start with ``@``; ``@ entry`` is how the program got there."""
    lines = []
    for line in template.splitlines():
        match = FRAME.match(line)
        if match is None:
            lines.append(line.removeprefix("= "))
            continue
        texts = ENTRIES[entry] if match["rest"] == "entry" else (match["rest"],)
        lines += [match["margin"] + one for text in texts for one in frame(text, machine, drift)]
    return "\n".join(lines)
