"""Whole nights on repositories with strange files in them: the right fix, or one clear reason why there is none."""

import asyncio
import re
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from selfimprover.domain import Commit, Edit
from selfimprover.errors import ConflictError
from selfimprover.forges.github.auth import TokenAuth
from selfimprover.forges.github.client import GitHub
from selfimprover.forges.github.exact import make_exact
from selfimprover.forges.github.publishing import Publisher
from tests.fakes.github import FakeGitHub, executable, submodule, symlink
from tests.fakes.github.state import Content
from tests.integration.hosted import Watched
from tests.place import AGENT

APART = "import unittest\n\n\nclass Runs(unittest.TestCase):\n    def test_nothing(self):\n        pass\n"
NOW = datetime(2026, 2, 16, 0, 17, tzinfo=UTC)
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "4d7a2146" * 8 + "\nsize 12345\n"
UMLAUT = AGENT.replace("None", "None  # größer")
BOM = "\ufeff"


@pytest.fixture
def hub() -> Iterator[FakeGitHub]:
    with FakeGitHub(now=lambda: NOW) as made:
        yield made


@pytest.fixture
def place(tmp_path: Path, hub: FakeGitHub) -> Watched:
    return Watched(tmp_path, hub)


def changed(place: Watched) -> dict[str, bytes]:
    """The files that the pull request changes, as they are on its branch."""
    before, after = place.hosted.files("main"), place.hosted.files(place.hosted.pull(1).head)
    assert before.keys() == after.keys()
    return {path: content for path, content in after.items() if content != before[path]}


def happened_in(place: Watched, name: str) -> None:
    """Lets the tracebacks name another file."""
    with sqlite3.connect(place.database) as connection:
        connection.execute("UPDATE tasks SET traceback = replace(traceback, 'agent.py', ?)", (name,))
    connection.close()


def modes(place: Watched, ref: str) -> dict[str, str]:
    objects = place.hosted.objects
    return {path: one.mode for path, one in objects.files(objects.commits[place.hosted.commit_of(ref)].tree).items()}


# --- the file that gets the fix


@pytest.mark.parametrize(
    "source",
    [
        AGENT.replace("\n", "\r\n").encode(),
        AGENT.rstrip("\n").encode(),
        AGENT.replace("\n", "\r\n").removesuffix("\r\n").encode(),
        (BOM + AGENT).encode(),
        (BOM + AGENT.replace("\n", "\r\n")).encode(),
        UMLAUT.encode(),
    ],
    ids=["CRLF", "no final newline", "CRLF without the last", "BOM", "BOM and CRLF", "UTF-8"],
)
def test_a_fix_keeps_the_bytes_of_every_other_line(place: Watched, source: bytes) -> None:
    place.hosted.commit("main", {"agent.py": source})

    assert place.finding()["state"] == "open"

    fixed = changed(place)
    assert fixed.keys() == {"agent.py"}
    old, new = source.splitlines(keepends=True), fixed["agent.py"].splitlines(keepends=True)
    assert [line for line in new if line in old] == old or [line for line in new if line in old][: len(old)]
    ending = b"\r\n" if b"\r\n" in source else b"\n"
    assert all(line.endswith(ending) for line in new[:-1])
    assert new[-1].endswith(ending) == source.endswith(ending)
    assert fixed["agent.py"].startswith(BOM.encode()) == source.startswith(BOM.encode())


def test_an_executable_file_stays_executable(place: Watched) -> None:
    place.hosted.commit("main", {"agent.py": executable(AGENT), "tool": executable("#!/bin/sh\n")})

    place.finding()

    assert changed(place).keys() == {"agent.py"}
    assert modes(place, place.hosted.pull(1).head) == modes(place, "main")
    assert modes(place, "main")["agent.py"] == "100755"


@pytest.mark.parametrize("name", ["my agent.py", "-rf.py", "größe.py", "a&b;c.py", "%2e%2e.py", "#1.py", "src/x/a.py"])
def test_a_file_with_an_unusual_name_gets_its_fix(place: Watched, name: str) -> None:
    place.hosted.commit("main", {"agent.py": None, name: AGENT, "test_agent.py": APART})
    happened_in(place, name)

    assert place.finding()["state"] == "open"
    assert changed(place).keys() == {name}


@pytest.mark.parametrize(
    "name", ["new\nline.py", "tick`.py", "bell\a.py", "que?.py", "c:agent.py", "aux.py", "back\\slash.py"]
)
def test_a_file_whose_name_means_another_one_elsewhere_gets_a_reason(place: Watched, name: str) -> None:
    place.hosted.commit("main", {"agent.py": None, name: AGENT, "test_agent.py": APART})
    happened_in(place, name)

    finding = place.finding()

    assert (finding["state"], len(place.hosted.pulls)) == ("parked", 0)
    assert "\n" not in finding["reason"]


def test_of_files_that_differ_in_case_only_the_one_that_failed_gets_the_fix(place: Watched) -> None:
    place.hosted.commit("main", {"Agent.py": "# another one\n" * 20})

    assert place.finding()["state"] == "open"
    assert changed(place).keys() == {"agent.py"}


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"agent.py": b"\x00\x01\x02\xff limit Agent\n"}, "agent.py is not UTF-8 text"),
        ({"agent.py": POINTER}, "agent.py is only a pointer of Git LFS"),
        (
            {"agent.py": UMLAUT.encode("latin-1")},
            "agent.py is not UTF-8 text",
        ),
        ({"agent.py": f"# coding: latin-1\n{UMLAUT}".encode("latin-1")}, "agent.py is not UTF-8 text"),
        ({"agent.py": symlink("real/agent.py"), "real/agent.py": AGENT}, "reached by a symbolic link"),
        ({"agent.py": symlink("../../etc/passwd")}, "not in the project's own code"),
        ({"agent.py": submodule("4b825dc642cb6eb9a060e54bf8d69288fbee4904")}, "not in the project's own code"),
        ({"agent.py": None, "agent.py/agent.txt": "a folder"}, "not in the project's own code"),
        ({"agent.py": ""}, "no longer shows the failing line"),
    ],
    ids=["binary", "LFS", "latin-1", "declared latin-1", "link", "link outside", "submodule", "folder", "empty"],
)
def test_a_file_that_cannot_be_fixed_parks_the_finding_with_the_reason(
    place: Watched, files: Mapping[str, Content | None], reason: str
) -> None:
    place.hosted.commit("main", {**files, "test_agent.py": APART})

    finding = place.finding()

    assert (finding["state"], reason in finding["reason"]) == ("parked", True), finding["reason"]
    assert not place.hosted.pulls
    place.hosted.commit("main", {**dict.fromkeys(files), "agent.py": AGENT})
    place.recover()


# --- what lies beside it


@pytest.mark.parametrize(
    "files",
    [
        {"data.bin": bytes(range(256)) * 64, "logo.png": b"\x89PNG\r\n\x1a\n\x00"},
        {"weights.bin": POINTER, ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n"},
        {"vendor/lib": submodule("4b825dc642cb6eb9a060e54bf8d69288fbee4904"), ".gitmodules": "[submodule]\n"},
        {"other.py": symlink("agent.py"), "outside": symlink("/etc/passwd"), "lost": symlink("nowhere")},
        {"lib": symlink("real"), "real/helper.py": "x = 1\n"},
        {"Agent.py": "x = 1\n", "AGENT.PY": "x = 1\n"},
        {"a b.py": "x = 1\n", "-rf": "x\n", "größe.py": "x = 1\n", "new\nline.py": "x = 1\n", "tab\t.txt": "x\n"},
        {"back\\slash.py": "x = 1\n", "c:colon.py": "x = 1\n", "nul": "x\n", "aux.py": "x = 1\n", "end.": "x\n"},
        {"old.py": "# größer\n".encode("latin-1"), "wide.py": "x = 1\n".encode("utf-16")},
        {"empty.py": "", "crlf.py": "x = 1\r\n", "mixed.py": "x = 1\r\ny = 2\n"},
        {"/".join(["deep"] * 60) + "/x.py": "x = 1\n", "n" * 200 + ".py": "x = 1\n"},
    ],
    ids=[
        *("binary", "LFS", "submodule", "links", "linked folder", "case twins", "odd names", "Windows names"),
        *("not UTF-8", "newlines", "deep"),
    ],
)
def test_what_lies_beside_the_file_stays_as_it_is_and_in_nobodys_way(
    place: Watched, files: Mapping[str, Content]
) -> None:
    place.hosted.commit("main", files)

    assert place.finding()["state"] == "open"
    assert changed(place).keys() == {"agent.py"}
    assert modes(place, place.hosted.pull(1).head) == modes(place, "main")


# --- attributes of git, which its archives obey


@pytest.mark.parametrize(
    ("attributes", "more"),
    [
        ("*.py text eol=crlf\n", {}),
        ("test_agent.py export-ignore\n", {}),
        (".gitattributes export-ignore\n/test_agent.py export-ignore\n", {}),
        ("agent.py export-subst\n", {"agent.py": AGENT + "# $Format:%H$\n"}),
        ("*.py ident\n", {"agent.py": AGENT + "# $Id$\n"}),
        ("*.py working-tree-encoding=UTF-16\n", {}),
        ("* export-ignore\n", {}),
    ],
    ids=["eol", "export-ignore", "hidden", "export-subst", "ident", "encoding", "everything"],
)
def test_attributes_do_not_change_what_a_fix_is_made_from_and_proven_on(
    place: Watched, attributes: str, more: Mapping[str, Content]
) -> None:
    place.hosted.commit("main", {".gitattributes": attributes, **more})

    finding = place.finding()

    assert finding["state"] == "open", finding["reason"]
    assert changed(place).keys() == {"agent.py"}
    assert changed(place)["agent.py"].endswith(place.hosted.files("main")["agent.py"][-30:])


def test_files_that_an_archive_leaves_out_by_the_hundred_come_code_first(
    place: Watched, hub: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("selfimprover.forges.github.exact._MOST_FILES", 3)
    files = {f"docs/{number}.md": f"{number}" for number in range(5)}
    place.hosted.commit("main", {**files, ".gitattributes": "test_agent.py export-ignore\n/docs export-ignore\n"})

    assert place.finding()["state"] == "open"
    assert len(hub.log.select("GET", "*/git/blobs/*")) == 3


async def test_the_true_content_of_a_large_file_is_better_than_its_pointer(
    place: Watched, hub: FakeGitHub, tmp_path: Path
) -> None:
    """An archive has it where the repository's settings say so."""
    commit = place.hosted.commit("main", {"data.bin": POINTER, "other.bin": POINTER})
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "data.bin").write_bytes(b"the true content")
    async with GitHub(hub.url, TokenAuth(place.secret)) as github:
        await make_exact(github, "octo/app", commit, tree)

    assert (tree / "data.bin").read_bytes() == b"the true content"
    assert (tree / "other.bin").read_text() == POINTER
    assert (tree / "agent.py").read_text() == AGENT


async def test_nothing_is_brought_in_through_a_link_or_by_a_trick(
    place: Watched, hub: FakeGitHub, tmp_path: Path
) -> None:
    outside, tree = tmp_path / "outside", tmp_path / "tree"
    outside.mkdir()
    tree.mkdir()
    (tree / "link").symlink_to(outside)
    (tree / "dangling").symlink_to(outside / "new")
    blob = place.hosted.objects.add_blob(b"evil")
    names = [
        "link/evil",
        "dangling",
        "../outside/evil",
        "/evil",
        ".git/config",
        "a/.GIT/config",
        "a//b",
        "a/./b",
        "a\0b",
    ]
    listed = [{"path": name, "mode": "100644", "type": "blob", "size": 4, "sha": blob} for name in (*names, "good")]
    hub.faults.answer("GET", "*/git/trees/*", 200, {"sha": "0" * 40, "truncated": False, "tree": listed})
    async with GitHub(hub.url, TokenAuth(place.secret)) as github:
        await make_exact(github, "octo/app", "0" * 40, tree)

    assert {path.name for path in tree.iterdir()} == {"link", "dangling", "good"}
    assert list(outside.iterdir()) == []


# --- huge


DEEP: Mapping[str, Content | None] = {"src/app/agent.py": executable(AGENT), "agent.py": None, "test_agent.py": APART}


def test_a_tree_too_large_to_be_listed_whole_gets_its_fix(place: Watched) -> None:
    place.hosted.commit("main", {**DEEP, **{f"data/{number}.txt": "x" for number in range(50)}})
    place.hosted.tree_limit = 10
    happened_in(place, "src/app/agent.py")

    assert place.finding()["state"] == "open"
    assert changed(place).keys() == {"src/app/agent.py"}
    assert modes(place, place.hosted.pull(1).head) == modes(place, "main")


@pytest.mark.parametrize("limit", [10, 100_000], ids=["too large", "whole"])
@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"lib": symlink("real")}, "lib is a symbolic link"),
        ({"lib": submodule("4b825dc642cb6eb9a060e54bf8d69288fbee4904")}, "lib is a submodule"),
        ({"lib": "a file"}, "lib is a file"),
        ({"Lib/other.py": "x = 1\n"}, "Lib differs from it only in case"),
        ({"lib/New.py": "x = 1\n"}, "lib/New.py differs from it only in case"),
        ({"lib/new.py/x": "x = 1\n"}, "lib/new.py is a folder"),
        ({"lib/new.py": symlink("other.py")}, "lib/new.py is a symbolic link"),
        ({"lib/new.py": "x = 2\n"}, "lib/new.py is not what the draft was made from"),
    ],
)
async def test_a_new_file_never_takes_the_place_of_something_else(
    place: Watched, hub: FakeGitHub, files: Mapping[str, Content], reason: str, limit: int
) -> None:
    base = place.hosted.commit("main", {**files, **{f"data/{number}.txt": "x" for number in range(50)}})
    place.hosted.tree_limit = limit
    async with GitHub(hub.url, TokenAuth(place.secret), write_interval=0) as github:
        publisher = Publisher(github, "octo/app", "main", asyncio.sleep)
        commit = Commit(
            branch="selfimprover/fix-000000000000",
            base_commit=base,
            edits=(Edit("lib/new.py", None, "x = 1\n"),),
            message="m",
            author="a <b@c>",
            date=NOW,
        )

        with pytest.raises(ConflictError, match=re.escape(reason)):
            await publisher.make(commit)

    assert hub.log.writes() == []
