import ast
import asyncio
import keyword
import smtplib
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfimprover.domain import Risk
from selfimprover.drafting.recipes.retry_connect import RetryTransientConnect
from tests.unit.recipe_cases import after, failing, finding, frame, is_kept, project, removed_lines, run, traceback_of
from tests.unit.retry_cases import ERROR, FEED, draft_of


class Client:
    """Fails with the given errors, one a call, then connects."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls: list[tuple[tuple[object, ...], dict[str, object]]] = []

    def connect_now(self, *args: object, **options: object) -> str:
        self.calls.append((args, options))
        if self.errors:
            raise self.errors.pop(0)
        return "stream"

    async def connect(self, *args: object, **options: object) -> str:
        return self.connect_now(*args, **options)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were asked for; nobody really waits."""
    asked: list[float] = []

    async def sleep(seconds: float) -> None:
        asked.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(time, "sleep", asked.append)
    return asked


def open_feed(tree: Path, client: Client) -> str:
    feed = run(after(draft_of(tree, FEED, "connect(url", "open")))["Feed"](client, "example.org")
    answer: str = asyncio.run(feed.open(993, path="/mail"))
    return answer


def test_a_server_that_stays_away_is_tried_three_times_and_the_last_error_is_raised(
    tmp_path: Path, pauses: list[float]
) -> None:
    errors = [ConnectionResetError("one"), TimeoutError("two"), ConnectionRefusedError("three")]
    client = Client(*errors)

    with pytest.raises(ConnectionRefusedError) as raised:
        open_feed(tmp_path, client)

    assert raised.value is errors[2]
    assert raised.value.__context__ is None
    assert client.calls == [(("example.org:993",), {"path": "/mail"})] * 3
    assert pauses == [0.5, 1.0]


def test_the_first_success_ends_the_tries(tmp_path: Path, pauses: list[float]) -> None:
    client = Client(ConnectionResetError("one"))

    assert open_feed(tmp_path, client) == "stream"

    assert len(client.calls) == 2
    assert pauses == [0.5]


def test_other_errors_are_not_tried_again(tmp_path: Path, pauses: list[float]) -> None:
    client = Client(PermissionError("no"))

    with pytest.raises(PermissionError):
        open_feed(tmp_path, client)

    assert len(client.calls) == 1
    assert pauses == []


def test_only_the_call_changes_and_the_helper_follows_its_method(tmp_path: Path) -> None:
    draft = draft_of(tmp_path, FEED, "connect(url", "open")

    assert removed_lines(draft) == ["        stream = await self.client.connect(url, path=path)  # may be slow\n"]
    assert after(draft).split("# nothing follows\n")[1] == (
        "\n"
        "    async def _connect_with_retry(self, url, path):\n"
        '        """Up to 3 tries, 0.5 s * 2**attempt apart (4 s at most); the last error is raised."""\n'
        "        attempt = 0\n"
        "        while True:\n"
        "            try:\n"
        "                return await self.client.connect(url, path=path)\n"
        "            except (ConnectionError, TimeoutError):\n"
        "                if attempt == 2:\n"
        "                    raise\n"
        "            await asyncio.sleep(min(0.5 * 2**attempt, 4.0))\n"
        "            attempt += 1\n"
        "\n"
        "    # closes\n"
        "    async def close(self):\n"
        "        pass\n"
    )
    assert "stream = await self._connect_with_retry(url, path)  # may be slow\n" in after(draft)


def test_the_draft_says_what_was_proven_and_what_it_may_hide(tmp_path: Path) -> None:
    draft = draft_of(tmp_path, FEED, "connect(url", "open")

    assert draft.drafter == "recipe:retry-transient-connect"
    assert draft.title == "Retry Feed connect with capped back-off"
    assert draft.summary == "retry with capped back-off"
    assert draft.risk is Risk.RETRY
    assert draft.proof[0] == "4 of 40 imap.poll tasks failed this way, 36 succeeded."
    assert "feed.py:18" in draft.root_cause
    assert "1.5 s" in draft.may_hide[0]


@pytest.mark.parametrize("unit", ["\t", "  ", "        "])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("ending", ["", "\n"])
def test_indent_newlines_byte_order_mark_and_missing_final_newline_survive(
    tmp_path: Path, pauses: list[float], unit: str, newline: str, mark: str, ending: str
) -> None:
    text = mark + (FEED.rstrip("\n") + ending).replace("    ", unit).replace("\n", newline)

    draft = draft_of(tmp_path, text, "connect(url", "open")

    new = after(draft)
    assert len(removed_lines(draft)) == 1
    assert new.startswith(mark)
    assert new.endswith(f"pass{newline if ending else ''}")
    assert set(new.replace(newline, "")) & {"\r", "\n"} == set()
    client = Client(TimeoutError())
    assert asyncio.run(run(new)["Feed"](client, "h").open(1)) == "stream"


MAILER = """\
# sends mails
from __future__ import annotations

from time import time
import smtplib


def now():
    return time()


# over the wire
def send(host, port, text):
    with smtplib.SMTP(host, port, timeout=3) as server:
        server.sendmail("a", "b", text)
    return now()
"""


def test_a_plain_call_in_a_module_function_gets_a_function_in_front_and_a_free_name_for_time(
    tmp_path: Path, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    error = "TimeoutError: timed out"
    project(tmp_path, {"feed.py": MAILER})
    library = '  File "/usr/lib/python3.11/smtplib.py", line 255, in __init__\n    self.connect(host, port)\n'
    traceback = traceback_of([frame(tmp_path, "feed.py", "SMTP(host", "send"), library], error)
    draft = RetryTransientConnect().apply(finding(error, traceback), tmp_path)
    opened: list[tuple[object, ...]] = []

    def refuse(*args: object, **_options: object) -> None:
        opened.append(args)
        raise TimeoutError("timed out")

    monkeypatch.setattr(smtplib, "SMTP", refuse)
    names = run(after(draft))
    with pytest.raises(TimeoutError):
        names["send"]("mail", 25, "text")

    assert opened == [("mail", 25)] * 3
    assert pauses == [0.5, 1.0]
    assert isinstance(names["now"](), float)
    assert removed_lines(draft) == ["    with smtplib.SMTP(host, port, timeout=3) as server:\n"]
    assert after(draft).index("def _smtp_with_retry(host, port):") < after(draft).index("# over the wire\ndef send(")
    assert "from __future__ import annotations\n\nimport time as _time\nfrom time import time\n" in after(draft)


@pytest.mark.parametrize(
    ("top", "expected"),
    [
        ("", "import asyncio\n\n\nasync def"),
        ('"""Docstring."""\n', '"""Docstring."""\n\nimport asyncio\n\n\nasync def'),
        ("#!/usr/bin/env python\n", "#!/usr/bin/env python\nimport asyncio\n\n\nasync def"),
        ("import abc\nimport os\n\n\n", "import abc\nimport asyncio\nimport os\n"),
        ("import abc\nfrom os import path\n\n\n", "import abc\nimport asyncio\nfrom os import path\n"),
        ("import abc\n\nimport httpx\n\n\n", "import abc\nimport asyncio\n\nimport httpx\n"),
        ("import httpx\n\n\n", "import asyncio\n\nimport httpx\n"),
        ("from . import x\n\n\n", "import asyncio\n\nfrom . import x\n"),
        ("import os\n\n\n", "import asyncio\nimport os\n\n\nasync def"),
        ("import abc\n\n\n", "import abc\nimport asyncio\n\n\nasync def"),
        ("import asyncio as aio\n\n\n", "import asyncio as aio\n\n\nasync def"),
        ("from asyncio import Queue\n\n\n", "import asyncio\nfrom asyncio import Queue\n"),
    ],
)
def test_a_missing_import_is_put_in_order(tmp_path: Path, top: str, expected: str) -> None:
    text = f"{top}async def load(db):\n    return await db.connect()\n"

    draft = draft_of(tmp_path, text, "db.connect", "load")

    assert expected in after(draft)
    assert removed_lines(draft) == ["    return await db.connect()\n"]
    ast.parse(after(draft))


SHAPES = {
    "wait_for as a whole": """
        import asyncio
        class A:
            async def go(self, client, limit):
                return await asyncio.wait_for(client.connect(self, n=limit), timeout=limit)
        def call(client): return A().go(client, 5)
        """,
    "several lines with a comment": """
        class A:
            async def go(self, client):
                answer = await client.connect(
                    1,  # one
                    port=2,
                )
                return answer
        def call(client): return A().go(client)
        """,
    "parentheses": """
        class A:
            async def go(self, client):
                return (await client.connect())[:]
        def call(client): return A().go(client)
        """,
    "line breaks that lean on parentheses outside": """
        async def go(client):
            both = [
                0, await client
                .connect(
                    1
                )
            ]
            return both[1]
        def call(client): return go(client)
        """,
    "parentheses of its own over lines": """
        async def go(client):
            stream = (
                # patience
                await client.connect(1)
            )
            return stream
        def call(client): return go(client)
        """,
    "class method": """
        class A:
            @classmethod
            async def go(cls, client):
                return await client.connect(cls)
        def call(client): return A.go(client)
        """,
    "star arguments and odd names": """
        class A:
            async def go(this, client, *args, attempt=1, asyncio=2, **options):
                return await client.connect(*args, attempt, asyncio, **options)
        def call(client): return A().go(client, 1, 2, x=3)
        """,
    "private names": """
        class A:
            def __init__(self, client): self.__client = client
            async def __go(self):
                return await self.__client.connect(self.__client)
            async def run(self): return await self.__go()
        def call(client): return A(client).run()
        """,
    "names bound by loops, imports, with and match": """
        class A:
            async def go(self, client):
                import os.path, sys as s
                for (i, j) in [(1, 2)]:
                    pass
                match {"k": [1, 2]}:
                    case {"k": [first, *others], **more}:
                        return await client.connect(i, j, os, s, first, others, more)
        def call(client): return A().go(client)
        """,
    "name bound by := inside a comprehension": """
        async def go(client):
            if any((host := each) for each in ["h"]):
                return await client.connect(host)
        def call(client): return go(client)
        """,
    "inner class": """
        class A:
            class B:
                @property
                def link(self): return 1
                async def go(self, client):
                    try:
                        for each in [1]:
                            return await client.connect(self.link)
                    finally:
                        pass
        def call(client): return A.B().go(client)
        """,
    "class in a function": """
        def call(client):
            class A:
                async def go(self):
                    return await client.connect()
            return A().go()
        """,
    "function in an if": """
        if True:
            async def go(client):
                return await client.connect()
        def call(client): return go(client)
        """,
    "on one line": """
        class A:
            async def go(self, client): return await client.connect()
        def call(client): return A().go(client)
        """,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_same_expression_is_repeated_whatever_its_shape(tmp_path: Path, pauses: list[float], shape: str) -> None:
    text = textwrap.dedent(SHAPES[shape]).lstrip()
    snippet = ".connect(" if ".connect(" in text else "connect("
    function = next(name for name in ("__go", "go") if f"async def {name}(" in text)

    new = after(draft_of(tmp_path, text, snippet, function))

    once, thrice = Client(), Client(TimeoutError("a"), TimeoutError("b"), TimeoutError("c"))
    assert asyncio.run(run(text)["call"](once)) == "stream"
    with pytest.raises(TimeoutError, match="c"):
        asyncio.run(run(new)["call"](thrice))
    shown = [repr(call).split(" at 0x")[0] for call in thrice.calls]
    assert shown == [repr(once.calls[0]).split(" at 0x")[0]] * 3
    assert pauses == [0.5, 1.0]


def test_annotations_follow_where_every_part_is_known(tmp_path: Path) -> None:
    text = """\
import asyncio


class A:
    async def one(self, host: str, port: int) -> bytes:
        reader, _ = await asyncio.open_connection(host, port)
        return await reader.read()
"""

    draft = draft_of(tmp_path, text, "open_connection", "one")

    assert (
        "    async def _open_connection_with_retry(self, host: str, port: int)"
        " -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:\n"
    ) in after(draft)


@pytest.mark.parametrize("late", ["in the class", "below"])
@pytest.mark.parametrize("future", [True, False])
def test_an_annotation_that_has_no_meaning_yet_is_left_out(tmp_path: Path, late: str, future: bool) -> None:
    head = "from __future__ import annotations\n" if future else ""
    go = "class A:\n    def go(self) -> None:\n        self.link = self._connect()\n\n"
    connect = "    def _connect(self) -> Conn:\n        return lib.connect()\n"
    text = f"{go}    class Conn: pass\n{connect}" if late == "in the class" else f"{go}{connect}\nclass Conn: pass\n"

    new = after(draft_of(tmp_path, head + text, "self._connect()", "go"))

    assert f"def _connect_with_retry(self){' -> Conn' if future else ''}:" in new


@pytest.mark.parametrize(
    ("recorded", "caught"),
    [
        ("TimeoutError", "(ConnectionError, TimeoutError)"),
        ("builtins.ConnectionError", "(ConnectionError, TimeoutError)"),
        ("asyncio.exceptions.TimeoutError", "(ConnectionError, TimeoutError, asyncio.TimeoutError)"),
        ("asyncio.TimeoutError", "(ConnectionError, TimeoutError, asyncio.TimeoutError)"),
        ("socket.timeout", "(ConnectionError, TimeoutError, socket.timeout)"),
    ],
)
def test_older_timeouts_are_caught_only_where_they_were_recorded(tmp_path: Path, recorded: str, caught: str) -> None:
    new = after(draft_of(tmp_path, FEED, "connect(url", "open", f"{recorded}: late"))

    assert f"except {caught}:" in new
    assert ("import socket\n" in new) == (recorded == "socket.timeout")


@pytest.mark.parametrize("path", ["feed.py", "src/mail/feed.py", "a/b/c/feed.py"])
def test_a_file_is_found_by_the_longest_end_of_its_path(tmp_path: Path, path: str) -> None:
    project(tmp_path, {"other/feed.py": FEED, path: FEED})

    draft = RetryTransientConnect().apply(failing(tmp_path, path, "connect(url", "open", ERROR), tmp_path)

    assert [edit.path for edit in draft.edits] == [path]


def test_the_innermost_connecting_line_of_the_project_is_the_one(tmp_path: Path) -> None:
    text = FEED + (
        "\n    async def connect(self):\n        return await self.open(1)\n"
        "\n    async def run(self):\n        return await self.connect()\n"
    )
    project(tmp_path, {"feed.py": text})
    library = (
        '  File "/usr/lib/python3.11/asyncio/streams.py", line 48, in open_connection\n    transport = connect()\n'
    )
    frames = [
        frame(tmp_path, "feed.py", "self.connect()", "run"),
        frame(tmp_path, "feed.py", "self.open(1)", "connect"),
        frame(tmp_path, "feed.py", "connect(url", "open"),
        library,
    ]

    draft = RetryTransientConnect().apply(finding(ERROR, traceback_of(frames, ERROR)), tmp_path)

    assert removed_lines(draft) == ["        stream = await self.client.connect(url, path=path)  # may be slow\n"]


def test_lines_that_moved_are_found_again_in_their_function(tmp_path: Path) -> None:
    project(tmp_path, {"feed.py": FEED})
    found = failing(tmp_path, "feed.py", "connect(url", "open", ERROR)
    project(tmp_path, {"feed.py": FEED.replace("log =", "\n\n\nlog =")})

    draft = RetryTransientConnect().apply(found, tmp_path)

    assert "feed.py:21" in draft.root_cause


def test_a_redacted_line_still_fits(tmp_path: Path) -> None:
    project(tmp_path, {"feed.py": FEED.replace("path=path)", "password='hunter2')")})
    found = failing(tmp_path, "feed.py", "connect(url", "open", ERROR)
    traceback = (found.samples[0].traceback or "").replace("hunter2", "[REDACTED:secret:0a1b2c]")
    assert "REDACTED" in traceback

    draft = RetryTransientConnect().apply(finding(ERROR, traceback), tmp_path)

    assert "password='hunter2'" in after(draft)


def test_the_traceback_that_python_prints_leads_to_the_call(tmp_path: Path) -> None:
    program = """\
import asyncio


class Port:
    async def open(self, number):
        reader, writer = await asyncio.wait_for(
            asyncio.open_connection("127.0.0.1", number),
            timeout=5,
        )


asyncio.run(Port().open(1))
"""
    project(tmp_path, {"port.py": program})
    ran = subprocess.run([sys.executable, "port.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "ConnectionRefusedError" in ran.stderr

    found = finding(ran.stderr.strip().splitlines()[-1], ran.stderr)
    draft = RetryTransientConnect().apply(found, tmp_path)

    assert "await self._open_connection_with_retry(number)\n" in after(draft)


names = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True).filter(
    lambda name: name not in {"self", "cls"} and not keyword.iskeyword(name)
)


@settings(max_examples=60, deadline=None)
@given(
    words=st.lists(names, min_size=3, max_size=3, unique=True),
    unit=st.sampled_from(["\t", " ", "  ", "    ", " \t"]),
    newline=st.sampled_from(["\n", "\r\n"]),
    awaited=st.booleans(),
    in_class=st.booleans(),
    noise=st.lists(st.sampled_from(["", "# note", "x = 1", "'''text'''", "if x:\n    pass"]), max_size=4),
)
def test_whatever_names_and_format_the_result_compiles_and_every_other_line_stays(
    words: list[str], unit: str, newline: str, awaited: bool, in_class: bool, noise: list[str]
) -> None:
    first, second, method = (f"{word}_" for word in words)
    define, wait = ("async def", "await ") if awaited else ("def", "")
    body = (
        f"{define} {method}({'self, ' * in_class}{first}, *{second}):\n    y = 1\n    # pause\n"
        f"    y = {wait}{first}.connect(y, *{second})\n\n    return y\n"
    )
    block = "class Some:\n" + textwrap.indent(body, "    ") if in_class else body
    text = "\n".join(["x = 1", *noise, block, *noise]).replace("    ", unit).replace("\n", newline)
    with TemporaryDirectory() as folder:
        draft = draft_of(Path(folder), text, ".connect(", method)

    (call,) = [line for line in text.splitlines(keepends=True) if ".connect(" in line]
    compile(after(draft), "generated.py", "exec")
    assert is_kept(text.replace(call, ""), after(draft))
    assert after(draft).count(".connect(") == 1
