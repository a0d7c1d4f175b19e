import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from selfimprover.drafting.recipes.retry_connect import RetryTransientConnect
from selfimprover.drafting.recipes.retry_site import connects
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
