"""Whole nights with archives that are damaged, hostile or too large: nothing is written outside, nothing is lost."""

import gzip
import io
import tarfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from selfimprover.errors import ForgeError
from selfimprover.forges.github.archives import Archives
from selfimprover.forges.github.auth import TokenAuth
from selfimprover.forges.github.client import GitHub
from selfimprover.forges.github.tar_stream import Limits
from tests.fakes.github import FakeGitHub, Fault
from tests.fakes.github.answers import Answer
from tests.integration.hosted import Watched
from tests.place import AGENT, TEST

NOW = datetime(2026, 2, 16, 0, 17, tzinfo=UTC)
KIND = {"Content-Type": "application/x-gzip"}
ARCHIVE = "*/legacy.tar.gz/*"
TOP = "octo-app-1234567"


@pytest.fixture
def hub() -> Iterator[FakeGitHub]:
    with FakeGitHub(now=lambda: NOW) as made:
        yield made


@pytest.fixture
def place(tmp_path: Path, hub: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> Watched:
    monkeypatch.setattr("selfimprover.forges.github.session._FIRST_PAUSE", 0.001)
    inner = tmp_path / "inner"
    inner.mkdir()
    return Watched(inner, hub)


def packed(*entries: tuple[str, bytes, str], pax: dict[str, str] | None = None, content: bytes = b"x") -> bytes:
    """The project as an archive, with further entries of any kind: name, kind, target of a link."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        top = tarfile.TarInfo(TOP)
        top.type = tarfile.DIRTYPE
        archive.addfile(top)
        files = [(f"{TOP}/agent.py", AGENT.encode()), (f"{TOP}/test_agent.py", TEST.encode())]
        for name, text in files:
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text))
        for name, kind, target in entries:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            info.size = len(content) if kind == tarfile.REGTYPE else 0
            info.pax_headers = dict(pax or {})
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def fault(name: str, status: int, content: bytes, headers: dict[str, str]) -> Fault:
    """Every request for the archive is answered so, and the connection ends after it."""
    return Fault(name, "GET", ARCHIVE, times=None, cut=1.0, answer=Answer(status, content, headers))


def everything_beside(place: Watched) -> set[Path]:
    """What lies outside of the project's own folder."""
    return set(place.folder.parent.rglob("*")) - {place.folder} - set(place.folder.rglob("*"))


REG, DIR, SYM, LNK = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE


@pytest.mark.parametrize(
    "content",
    [
        packed((f"{TOP}/../../../../evil", REG, "")),
        packed(("/tmp/evil", REG, "")),
        packed((f"{TOP}/.git/config", REG, "")),
        packed((f"{TOP}/.GIT/hooks/post-checkout", REG, "")),
        packed((f"{TOP}/sub/.git/config", REG, "")),
        packed((f"{TOP}/agent.py/below", REG, "")),
        packed((f"{TOP}/agent.py", REG, "")),
        packed((f"{TOP}/agent.py", DIR, "")),
        packed((f"{TOP}/out", SYM, "../../.."), (f"{TOP}/out/evil", REG, "")),
        packed((f"{TOP}/ok", REG, ""), pax={"path": f"{TOP}/../../evil"}),
        packed((f"{TOP}/ok", REG, ""), pax={"path": "/tmp/evil"}),
        packed((f"{TOP}/ok", REG, ""), pax={"size": "-1"}),
        packed((f"{TOP}/ok", REG, ""), pax={"GNU.sparse.map": "0,1"}),
        packed(("elsewhere/evil", REG, "")),
        packed()[:-200],
        packed()[: len(packed()) // 2],
        packed() + b"\x1f\x8bgarbage",
        b"",
        b"not an archive",
        gzip.compress(b"no tar"),
    ],
    ids=[
        *(
            "above",
            "absolute",
            ".git",
            ".GIT",
            "inner .git",
            "below a file",
            "twice",
            "folder over file",
            "through link",
        ),
        *(
            "PAX above",
            "PAX absolute",
            "PAX size",
            "sparse",
            "two tops",
            "cut",
            "half",
            "tail",
            "empty",
            "text",
            "no tar",
        ),
    ],
)
def test_an_archive_that_is_no_good_is_refused_whole(place: Watched, hub: FakeGitHub, content: bytes) -> None:
    before = everything_beside(place)
    hub.faults.answer("GET", ARCHIVE, 200, content, headers=KIND, times=None)

    finding, error = place.trouble()

    assert error["what"].startswith("the archive of the repository is not used: ")
    assert error["where"].startswith("octo/app at ")
    assert finding["state"] == "found"
    assert everything_beside(place) == before
    hub.faults.clear()
    place.recover()
    assert everything_beside(place) == before


@pytest.mark.parametrize(
    "entries",
    [
        [(f"{TOP}/hard", LNK, f"{TOP}/agent.py")],
        [(f"{TOP}/hard", LNK, "/etc/passwd")],
        [(f"{TOP}/device", tarfile.CHRTYPE, "")],
        [(f"{TOP}/fifo", tarfile.FIFOTYPE, "")],
        [(f"{TOP}/out", SYM, "/etc/passwd"), (f"{TOP}/up", SYM, "../../..")],
        [(f"{TOP}/a", SYM, "b"), (f"{TOP}/b", SYM, "a")],
    ],
    ids=["hard link", "hard link outside", "device", "fifo", "links outside", "circle"],
)
def test_what_no_commit_has_is_left_out_and_the_rest_is_used(
    place: Watched, hub: FakeGitHub, entries: list[tuple[str, bytes, str]]
) -> None:
    hub.faults.answer("GET", ARCHIVE, 200, packed(*entries), headers=KIND, times=None)

    assert place.finding()["state"] == "open"
    assert place.hosted.files(place.hosted.pull(1).head).keys() == {"agent.py", "test_agent.py"}


# --- too large


def test_a_bomb_is_stopped_by_the_ratio(place: Watched, hub: FakeGitHub) -> None:
    bomb = packed((f"{TOP}/zeros", REG, ""), content=bytes(80 << 20))
    hub.faults.answer("GET", ARCHIVE, 200, bomb, headers=KIND, times=None)

    _, error = place.trouble()

    assert "times its size" in error["what"]
    assert "leave the project out" in error["mend"]
    hub.faults.clear()
    place.recover()


@pytest.mark.parametrize(
    ("archives", "words"),
    [
        (partial(Archives, limits=Limits(entries=2)), "more than 2 entries"),
        (partial(Archives, limits=Limits(total=1 << 10)), "unpacks to more than"),
        (partial(Archives, limits=Limits(one_file=100)), "a file in it is larger than"),
        (partial(Archives, most_bytes=100), "the archive is larger than"),
    ],
    ids=["count", "bytes", "one file", "download"],
)
def test_a_repository_beyond_a_limit_is_told_once_and_fetched_once(
    place: Watched, hub: FakeGitHub, monkeypatch: pytest.MonkeyPatch, archives: "partial[Archives]", words: str
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("selfimprover.bootstrap.github.Archives", archives)
        _, error = place.trouble()

    assert words in error["what"]
    assert error["mend"] == "leave the project out: its repository is too large to be worked on here"
    assert len(hub.log.select("GET", ARCHIVE)) == 1
    place.recover()


# --- on the way


@pytest.mark.parametrize(
    "met",
    [
        Fault("cut", "GET", ARCHIVE, times=None, cut=0.5),
        fault("long", 200, packed(), {**KIND, "Content-Length": "9999"}),
        fault("page", 200, b"<html>", {"Content-Type": "text/html"}),
        fault("gone", 404, b"404: Not Found", {"Content-Type": "text/plain"}),
        fault("on", 302, b"", {"Location": "http://stranger.example/"}),
    ],
    ids=lambda met: met.name,
)
def test_an_archive_that_does_not_arrive_is_one_clear_error(place: Watched, hub: FakeGitHub, met: Fault) -> None:
    hub.faults.add(met)

    finding, error = place.trouble()

    assert finding["state"] == "found"
    assert "try again later" in error["mend"]
    hub.faults.clear()
    place.recover()


def test_an_announced_size_that_is_too_small_gives_an_archive_that_is_not_used(place: Watched, hub: FakeGitHub) -> None:
    hub.faults.add(fault("short", 200, packed(), {**KIND, "Content-Length": "300"}))

    _, error = place.trouble()

    assert "cut off" in error["what"] or "too early" in error["what"], error
    hub.faults.clear()
    place.recover()


# --- what is kept of it


@pytest.mark.parametrize(
    ("spoil", "downloads"),
    [
        (lambda archive: archive.write_bytes(archive.read_bytes()[:-100]), 2),
        (lambda archive: archive.write_bytes(b""), 2),
        (lambda archive: None, 1),
    ],
    ids=["cut", "empty", "good"],
)
async def test_only_an_archive_that_is_no_good_is_fetched_anew(
    place: Watched, hub: FakeGitHub, tmp_path: Path, spoil: Callable[[Path], None], downloads: int
) -> None:
    commit = str(place.hosted.branch("main"))
    kept = tmp_path / "kept"
    async with GitHub(hub.url, TokenAuth(place.secret)) as github:
        await Archives(kept).export(github, "octo/app", commit, tmp_path / "one")
        (archive,) = kept.iterdir()
        with pytest.raises(ForgeError, match="not empty"):
            await Archives(kept).export(github, "octo/app", commit, tmp_path / "one")
        spoil(archive)
        if downloads > 1:
            with pytest.raises(ForgeError, match="is not used"):
                await Archives(kept).export(github, "octo/app", commit, tmp_path / "two")
        await Archives(kept).export(github, "octo/app", commit, tmp_path / "three")

    assert len(hub.log.select("GET", ARCHIVE)) == downloads
    assert (tmp_path / "three" / "agent.py").read_text() == AGENT
