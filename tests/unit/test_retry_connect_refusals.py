import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from selfimprover.drafting.recipes.retry_connect import RetryTransientConnect
from selfimprover.drafting.recipes.retry_connect.openers import connects
from selfimprover.errors import RefusedError
from tests.unit.recipe_cases import after, failing, finding, frame, project, traceback_of
from tests.unit.retry_cases import ERROR, FEED, draft_of


def refusal(tree: Path, text: str, snippet: str, function: str, error: str = ERROR) -> str:
    with pytest.raises(RefusedError) as refused:
        draft_of(tree, textwrap.dedent(text), snippet, function, error)
    return str(refused.value)


def test_code_that_changed_since_is_refused(tmp_path: Path) -> None:
    project(tmp_path, {"feed.py": FEED})
    found = failing(tmp_path, "feed.py", "connect(url", "open", ERROR)
    project(tmp_path, {"feed.py": FEED.replace("connect(url", "connect(str(url)")})

    with pytest.raises(RefusedError, match=r"the code has changed since: feed\.py:18"):
        RetryTransientConnect().apply(found, tmp_path)


def test_its_own_work_is_refused(tmp_path: Path) -> None:
    project(tmp_path, {"feed.py": FEED})
    found = failing(tmp_path, "feed.py", "connect(url", "open", ERROR)
    project(tmp_path, {"feed.py": after(RetryTransientConnect().apply(found, tmp_path))})
    inner = frame(tmp_path, "feed.py", "return await self.client", "_connect_with_retry")
    outer = frame(tmp_path, "feed.py", "self._connect_with_retry(url", "open")

    for frames in ([inner], [outer], [outer, inner]):
        again = finding(ERROR, traceback_of(frames, ERROR))
        with pytest.raises(RefusedError, match="already retr"):
            RetryTransientConnect().apply(again, tmp_path)
    with pytest.raises(RefusedError, match="changed since"):
        RetryTransientConnect().apply(found, tmp_path)


@pytest.mark.parametrize(
    ("tasks", "failures", "succeeded"), [(40, 20, 20), (40, 40, 0), (40, 4, 0), (0, 0, 0), (3, 2, 1)]
)
def test_a_failure_that_is_not_intermittent_is_refused(
    tmp_path: Path, tasks: int, failures: int, succeeded: int
) -> None:
    project(tmp_path, {"feed.py": FEED})
    traceback = traceback_of([frame(tmp_path, "feed.py", "connect(url", "open")], ERROR)
    found = finding(ERROR, traceback, tasks=tasks, failures=failures, succeeded=succeeded)

    with pytest.raises(RefusedError, match=f"not intermittent: {failures} of {tasks} imap.poll tasks"):
        RetryTransientConnect().apply(found, tmp_path)


@pytest.mark.parametrize("error", ["ValueError: x", "PermissionError: x", "redis.exceptions.TimeoutError: x", "oh no"])
def test_only_the_builtin_connection_and_timeout_errors_are_retried(tmp_path: Path, error: str) -> None:
    assert "not known to be a passing failure" in refusal(tmp_path, FEED, "connect(url", "open", error)


def test_without_a_traceback_nothing_is_drafted(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="no sample has a traceback"):
        RetryTransientConnect().apply(finding(ERROR, None), tmp_path)


REFUSED: dict[str, tuple[str, str]] = {
    "no connecting call": ("async def go(c):\n    await c.read()", "no line of the project"),
    "disconnecting": ("async def go(c):\n    await c.disconnect()", "no line of the project"),
    "retry loop": (
        (
            "async def go(c):\n    for i in range(3):\n        try:\n            return await c.connect()\n"
            "        except OSError:\n            pass"
        ),
        "already inside a loop",
    ),
    "endless loop": (
        (
            "async def go(c):\n    while True:\n        try:\n            return await c.connect()\n"
            "        except:\n            pass"
        ),
        "already inside a loop",
    ),
    "loop inside try": (
        (
            "async def go(c):\n    try:\n        while True:\n            return await c.connect()\n"
            "    except OSError:\n        pass"
        ),
        "already inside a loop",
    ),
    "decorator": ("@tenacity.retry()\nasync def go(c):\n    await c.connect()", "carries a decorator"),
    "class decorator": (
        "@with_backoff\nclass A:\n    async def go(self, c):\n        await c.connect()",
        "carries a decorator",
    ),
    "retrying callee": ("async def go(c):\n    await c.connect_with_backoff()", "already retries"),
    "helper exists": (
        "def _connect_with_retry(): pass\nasync def go(c):\n    await c.connect()",
        "already has _connect_with_retry",
    ),
    "call among the arguments": ("async def go(c):\n    await c.connect(c.next_host())", "side effects"),
    "walrus": ("async def go(c):\n    await c.connect(x := 1)", "side effects"),
    "nested await": ("async def go(c, f):\n    await c.connect(await f)", "side effects"),
    "yield": ("def go(c):\n    c.connect((yield))", "side effects"),
    "lambda argument": ("async def go(c):\n    await c.connect(lambda: 1)", "side effects"),
    "comprehension argument": ("async def go(c):\n    await c.connect([i for i in c])", "side effects"),
    "call in an f-string": ("async def go(c):\n    await c.connect(f'{c.x()}')", "side effects"),
    "call as receiver": ("async def go(c):\n    await c.pool().connect()", "side effects"),
    "iterator that is used up": ("async def go(c, it):\n    await c.connect(*it)", "used up by the first try"),
    "another call on its result": ("async def go(c):\n    await (await c.connect()).read()", "which one failed"),
    "two candidates": ("async def go(c):\n    return await c.connect(), await c.connect()", "several calls"),
    "one in the other": ("async def go(c, d):\n    await c.connect(d.connect())", "several calls"),
    "blocking call in a coroutine": ("async def go(c):\n    c.connect()", "blocks inside `async def`"),
    "async with": ("async def go(c):\n    async with c.connect() as s:\n        pass", "when it is entered"),
    "handed on": ("def go(c):\n    run(c.connect())", "handed to another call"),
    "wait_for that nobody awaits": ("def go(c, l):\n    l.x = l.wait_for(c.connect(), 3)", "not awaited"),
    "static method": ("class A:\n    @staticmethod\n    async def go(c):\n        await c.connect()", "receiver"),
    "no receiver": ("class A:\n    async def go(*c):\n        await c.connect()", "receiver"),
    "receiver replaced": (
        "class A:\n    async def go(self, c):\n        self = c\n        await c.connect()",
        "assigns to self",
    ),
    "inner function": (
        "def outer():\n    async def go(c):\n        await c.connect()\n    return go",
        "a function inside a function",
    ),
    "lambda": ("def go(c):\n    return (lambda: c.connect())()", "lambda"),
    "comprehension": ("async def go(c):\n    return [await x.connect() for x in c]", "comprehension"),
    "used socket": ("def go(sock):\n    sock.connect(('h', 1))", "cannot be used again"),
    "given socket": ("async def go(c, s):\n    await c.create_connection(sock=s)", "cannot be used again"),
    "star import": ("from x import *\nasync def go(c):\n    await c.connect()", "imports `\\*`"),
    "another TimeoutError": (
        "from redis import TimeoutError\nasync def go(c):\n    await c.connect()",
        "`TimeoutError` means something else",
    ),
    "another event loop": ("import trio\nasync def go(c):\n    await c.connect()", "imports trio"),
    "no free name": (
        "asyncio = _asyncio = 1\nasync def go(c):\n    await c.connect()",
        "`asyncio` and `_asyncio` mean something else",
    ),
    "syntax error": ("async def go(c):\n    await c.connect()\ndef", "cannot be parsed"),
    "too deep": ("async def go(c):\n    await c.connect()\nx = " + "-" * 50_000 + "1", "cannot be parsed"),
    "deep for libcst": ("async def go(c):\n    await c.connect()\nx = 1" + "+1" * 600, "nested too deeply"),
    "too long a chain": ("async def go(c):\n    await c.connect()\nx = 1" + " or 1" * 20_000, "nested too deeply"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_repeated_exactly_is_refused(tmp_path: Path, case: str) -> None:
    text, reason = REFUSED[case]
    snippet = next(each for each in ("connect", "read") if each in text.split("go(", 1)[1])
    project(tmp_path, {"feed.py": text})
    lines = text.splitlines()
    start = next(at for at, line in enumerate(lines) if "def go(" in line)
    line = next(line for line in lines[start + 1 :] if snippet in line)
    number = lines.index(line, start) + 1
    shown = f'  File "/srv/app/feed.py", line {number}, in go\n    {line.strip()}\n'

    with pytest.raises(RefusedError, match=reason):
        RetryTransientConnect().apply(finding(ERROR, traceback_of([shown], ERROR)), tmp_path)


def test_line_breaks_that_would_not_survive_are_refused(tmp_path: Path) -> None:
    assert "cannot be kept exactly" in refusal(tmp_path, FEED.replace("\n", "\r"), "connect(url", "open")


def test_module_level_code_is_refused(tmp_path: Path) -> None:
    assert "not in a function" in refusal(tmp_path, "c = net.connect()", "connect", "<module>")


def test_a_plain_call_that_a_coroutine_reaches_is_refused_unless_a_thread_stands_between(tmp_path: Path) -> None:
    text = "def go(c):\n    return c.connect()\n\nasync def run(c):\n    return go(c)\n"
    project(tmp_path, {"feed.py": text})
    outer, inner = (frame(tmp_path, "feed.py", *each) for each in (("return go(c)", "run"), ("c.connect()", "go")))
    thread = '  File "/usr/lib/python3.11/concurrent/futures/thread.py", line 58, in run\n    result = self.fn()\n'

    with pytest.raises(RefusedError, match="from the event loop"):
        RetryTransientConnect().apply(finding(ERROR, traceback_of([outer, inner], ERROR)), tmp_path)

    in_thread = finding(ERROR, traceback_of([outer, thread, inner], ERROR))
    assert "time.sleep(" in after(RetryTransientConnect().apply(in_thread, tmp_path))


@pytest.mark.parametrize(
    "extra",
    [
        '  File "/venv/lib/python3.11/site-packages/tenacity/__init__.py", line 4, in __call__\n    do()\n',
        '  File "/srv/app/elsewhere.py", line 4, in run_with_retry\n    do()\n',
    ],
)
def test_a_stack_that_already_retries_is_refused(tmp_path: Path, extra: str) -> None:
    project(tmp_path, {"feed.py": FEED})
    traceback = traceback_of([extra, frame(tmp_path, "feed.py", "connect(url", "open")], ERROR)

    with pytest.raises(RefusedError, match="already retried"):
        RetryTransientConnect().apply(finding(ERROR, traceback), tmp_path)


def test_an_error_on_entering_the_context_is_refused(tmp_path: Path) -> None:
    project(tmp_path, {"feed.py": "def go(c):\n    with c.connect() as s:\n        pass\n"})
    inner = '  File "/usr/lib/python3.11/contextlib.py", line 137, in __enter__\n    return next(self.gen)\n'
    traceback = traceback_of([frame(tmp_path, "feed.py", "c.connect()", "go"), inner], ERROR)

    with pytest.raises(RefusedError, match="entering its context failed"):
        RetryTransientConnect().apply(finding(ERROR, traceback), tmp_path)


def test_a_further_call_in_the_statement_is_fine_if_the_next_frame_is_the_connecting_one(tmp_path: Path) -> None:
    project(tmp_path, {"feed.py": "def go(c):\n    return c.connect().read()\n"})
    line = frame(tmp_path, "feed.py", "c.connect()", "go")
    traceback, other = (
        traceback_of([line, f'  File "/usr/lib/python3.11/client.py", line 1, in {name}\n'], ERROR)
        for name in ("connect", "read")
    )

    assert "return _connect_with_retry(c).read()" in after(
        RetryTransientConnect().apply(finding(ERROR, traceback), tmp_path)
    )
    with pytest.raises(RefusedError, match="which one failed"):
        RetryTransientConnect().apply(finding(ERROR, other), tmp_path)


def test_a_subclass_elsewhere_that_has_the_helper_is_respected(tmp_path: Path) -> None:
    project(tmp_path, {"other.py": "class B(Feed):\n    def _connect_with_retry(self): ...\n"})

    assert "other.py already has _connect_with_retry" in refusal(tmp_path, FEED, "connect(url", "open")


def broken_encoding(tree: Path) -> None:
    (tree / "feed.py").write_bytes(FEED.encode() + b"# caf\xe9\n")


def other_encoding(tree: Path) -> None:
    (tree / "feed.py").write_bytes(b"# -*- coding: latin-1 -*-\n" + FEED.encode())


def linked_file(tree: Path) -> None:
    (tree / "real.txt").write_text(FEED, encoding="utf-8")
    (tree / "feed.py").unlink()
    (tree / "feed.py").symlink_to(tree / "real.txt")


def two_files(tree: Path) -> None:
    project(tree, {"a/feed.py": FEED, "b/feed.py": FEED})
    (tree / "feed.py").unlink()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (broken_encoding, "is not UTF-8"),
        (other_encoding, "declares the encoding"),
        (linked_file, "symbolic link"),
        (two_files, "fits several files: a/feed.py, b/feed.py"),
    ],
)
def test_files_that_cannot_be_read_exactly_are_refused(
    tmp_path: Path, spoil: Callable[[Path], None], reason: str
) -> None:
    project(tmp_path, {"feed.py": FEED})
    found = failing(tmp_path, "feed.py", "connect(url", "open", ERROR)
    spoil(tmp_path)

    with pytest.raises(RefusedError, match=reason):
        RetryTransientConnect().apply(found, tmp_path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *((name, True) for name in ("connect", "_connect", "imap_connect", "connectToHost", "reconnect", "IMAP4_SSL")),
        *((name, True) for name in ("open_connection", "create_connection", "FTP", "connect_tcp", "new_connection")),
        *((name, False) for name in ("disconnect", "on_connect", "connect_callback", "is_connected", "connected")),
        *(
            (name, False)
            for name in (
                "close_connection",
                "connection_lost",
                "connection_from_url",
                "connect_and_fetch",
                "read",
                "sock_connect",
            )
        ),
    ],
)
def test_names_that_open_a_connection(name: str, expected: bool) -> None:
    assert connects(name) is expected


CALLER = """\
class Link:
    def run(self):
        return self.connect()

    def connect(self):
        {body}
        raise TimeoutError("none")
"""
BODIES = {
    "posts an order": 'api.post("/orders")',
    "takes from a pool": "pool.acquire()",
    "sets an attribute": "self.tries = 1",
    "sets an item": "self.seen['h'] = 1",
    "adds up": "n = 0; n += 1",
    "loops": "for h in hosts: lib.connect(h)",
    "reads from something older": "queue.read()",
    "closes something older": "order.close()",
    "reads from a name that is bound twice": "c = lib.connect(1); c = old; c.readline()",
    "enters what it does not open": "with self.lock: pass",
    "posts in another method": (
        "self.greet()\n    def greet(self):\n        api.post('/')\n    def rest(self):\n        pass"
    ),
    "yields": "yield 1",
    "changes a global": "global n; n = 1",
    "makes a function": "f = lambda: 1",
    "raises what posts when it is made": (
        "raise Strange()\n    class Strange(Exception):\n        def __init__(self):\n            api.post('/')"
        "\n    def rest(self):\n        pass"
    ),
}


@pytest.mark.parametrize("case", BODIES)
@pytest.mark.parametrize("entered", [True, False])
def test_a_function_of_the_project_that_does_more_than_connect_is_not_run_again(
    tmp_path: Path, case: str, entered: bool
) -> None:
    project(tmp_path, {"link.py": CALLER.replace("{body}", BODIES[case])})
    frames = [frame(tmp_path, "link.py", "return self.connect()", "run")]
    if entered:
        frames.append(frame(tmp_path, "link.py", "def connect", "connect", shown=False))

    with pytest.raises(RefusedError, match=r"would repeat more than connecting: link\.py"):
        RetryTransientConnect().apply(finding(ERROR, traceback_of(frames, ERROR)), tmp_path)


def test_a_function_of_the_project_that_only_connects_may_be_run_again(tmp_path: Path) -> None:
    text = """\
import asyncio


class Link:
    async def run(self):
        return await self._connect()

    async def _connect(self):
        reader, writer = await asyncio.open_connection(self.host, 1)
        log.info("connected")
        try:
            line = await asyncio.wait_for(reader.readline(), 1)
        except OSError:
            await _close(writer)
            raise Silent(f"{self.host}") from None
        if not line.strip().startswith(b"* OK"):
            raise ConnectionError("no greeting")
        return reader, writer


async def _close(writer):
    writer.close()
    await writer.wait_closed()


class Silent(ConnectionError):
    pass
"""
    project(tmp_path, {"link.py": text})
    frames = [
        frame(tmp_path, "link.py", "await self._connect()", "run"),
        frame(tmp_path, "link.py", "no greeting", "_connect"),
    ]

    draft = RetryTransientConnect().apply(finding(ERROR, traceback_of(frames, ERROR)), tmp_path)

    assert "await self._connect_with_retry()" in after(draft)
    assert [line.partition(",")[0] for line in draft.proof if "which it runs" in line] == [
        "`link.py:8`",
        "`link.py:21`",
    ]


def test_a_timeout_around_a_function_of_the_project_is_judged_by_that_function(tmp_path: Path) -> None:
    text = "async def go(c):\n    await asyncio.wait_for(connect(), 5)\n\nasync def connect():\n    api.post('/')\n"
    project(tmp_path, {"feed.py": text})
    library = '  File "/usr/lib/python3.11/asyncio/tasks.py", line 479, in wait_for\n    return fut.result()\n'
    traceback = traceback_of([frame(tmp_path, "feed.py", "wait_for", "go"), library], ERROR)

    with pytest.raises(RefusedError, match=r"feed\.py:5 calls api\.post"):
        RetryTransientConnect().apply(finding(ERROR, traceback), tmp_path)


@pytest.mark.parametrize(
    ("line", "entered"),
    [
        ("with c.connect() as s: pass", "__exit__"),
        ("with c.connect() as s: pass", None),
        ("for m in c.connect(): pass", "__next__"),
        ("for m in c.connect(): pass", "connect"),
        ("a, b = c.connect()", "__iter__"),
        ("return c.connect().ready", "ready"),
    ],
)
def test_what_fails_after_the_call_is_not_retried(tmp_path: Path, line: str, entered: str | None) -> None:
    project(tmp_path, {"feed.py": f"def go(c):\n    {line}\n"})
    library = [f'  File "/usr/lib/python3.11/client.py", line 1, in {entered}\n'] if entered else []
    traceback = traceback_of([frame(tmp_path, "feed.py", "c.connect()", "go"), *library], ERROR)

    with pytest.raises(RefusedError, match=r"cannot be told|failed in __"):
        RetryTransientConnect().apply(finding(ERROR, traceback), tmp_path)


def test_a_caller_that_loops_over_errors_retries_already(tmp_path: Path) -> None:
    text = (
        "def run(c):\n    for _ in range(5):\n        try:\n            return go(c)\n"
        "        except ConnectionError:\n            pass\n\ndef go(c):\n    return c.connect()\n"
    )
    project(tmp_path, {"feed.py": text})
    frames = [frame(tmp_path, "feed.py", "return go(c)", "run"), frame(tmp_path, "feed.py", "c.connect()", "go")]

    with pytest.raises(RefusedError, match=r"feed\.py:4 is already inside a loop"):
        RetryTransientConnect().apply(finding(ERROR, traceback_of(frames, ERROR)), tmp_path)


@pytest.mark.parametrize("option", ["max_retries=5", "retry_on_timeout=True", "attempts=3"])
def test_a_call_that_is_told_to_retry_is_refused(tmp_path: Path, option: str) -> None:
    assert "already retries" in refusal(tmp_path, f"def go(c):\n    c.connect({option})\n", "c.connect", "go")


@pytest.mark.parametrize("argument", ["url if flag else None", "flag and url", "1 < flag < url", "late or flag"])
def test_a_name_that_may_be_unbound_is_not_read_beforehand(tmp_path: Path, argument: str) -> None:
    text = f"def go(c, flag, late):\n    if flag:\n        url = 'u'\n    late = 2\n    c.connect({argument})\n"

    assert "only under a condition" in refusal(tmp_path, text, "c.connect", "go")


def test_an_error_name_is_unbound_behind_its_handler(tmp_path: Path) -> None:
    text = "def go(c, e):\n    try:\n        c.x\n    except KeyError as e:\n        pass\n    c.connect(c.ok or e)\n"

    assert "reads e only under a condition" in refusal(tmp_path, text, "c.connect", "go")


@pytest.mark.parametrize("made", ["iter(rows)", "map(str, rows)", "(r for r in rows)", "open('f')"])
def test_an_argument_that_the_first_try_uses_up_is_refused(tmp_path: Path, made: str) -> None:
    text = f"def go(c, rows):\n    items = {made}\n    c.connect(items)\n"

    assert "reads items, which may be used up" in refusal(tmp_path, text, "c.connect", "go")


def test_a_property_that_does_more_than_read_is_not_read_again(tmp_path: Path) -> None:
    text = (
        "class A:\n    @property\n    def next_host(self):\n        return self.hosts.pop()\n"
        "    def go(self, c):\n        c.connect(self.next_host)\n"
    )

    assert "calls self.hosts.pop" in refusal(tmp_path, text, "c.connect", "go")


def test_a_method_that_is_given_the_class_without_saying_so_is_refused(tmp_path: Path) -> None:
    text = "class A:\n    @validator('x')\n    def go(cls, c):\n        c.connect(1)\n"

    assert "is no plain class method" in refusal(tmp_path, text, "c.connect", "go")


def test_a_grandparent_in_a_file_that_does_not_name_the_class_is_respected(tmp_path: Path) -> None:
    root = "class Root:\n    def _connect_with_retry(self, host, port): ...\n"
    project(tmp_path, {"c.py": root, "b.py": "from c import Root\nclass Base(Root): pass\n"})
    text = "from b import Base\nclass A(Base):\n    async def go(self, c):\n        await c.connect()\n"

    assert "c.py already has _connect_with_retry" in refusal(tmp_path, text, "c.connect", "go")


def test_samples_that_lead_to_different_calls_are_refused(tmp_path: Path) -> None:
    text = "def one(c):\n    c.connect(1)\n\ndef two(c):\n    c.connect(2)\n"
    project(tmp_path, {"feed.py": text})
    found = [failing(tmp_path, "feed.py", f"connect({n})", name, ERROR) for n, name in ((1, "one"), (2, "two"))]
    both = replace(found[0], samples=(*found[0].samples, *found[1].samples))

    assert RetryTransientConnect().apply(found[0], tmp_path)
    with pytest.raises(RefusedError, match=r"different calls: feed\.py:2, feed\.py:5"):
        RetryTransientConnect().apply(both, tmp_path)


def test_samples_of_different_errors_are_refused(tmp_path: Path) -> None:
    project(tmp_path, {"feed.py": FEED})
    errors = ("TimeoutError: late", "ConnectionResetError: gone")
    samples = [failing(tmp_path, "feed.py", "connect(url", "open", error).samples[0] for error in errors]

    with pytest.raises(RefusedError, match="different errors"):
        RetryTransientConnect().apply(replace(finding(ERROR, None), samples=tuple(samples)), tmp_path)
