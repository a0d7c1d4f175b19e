"""Archives, most of them hostile: what is written, what is skipped, and what is refused as a whole."""

import gzip
import os
import resource
import signal
import stat
import struct
import subprocess
import tarfile
import threading
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selfimprover.errors import ForgeError
from selfimprover.forges.github.tar_stream import Limits
from selfimprover.forges.github.tarball import Unpacked, unpack
from selfimprover.git import export_tree

TOP = "o-r-0123abc"
END = b"\0" * 1024


def entry(name: str | bytes, content: bytes = b"", *, kind: bytes = tarfile.REGTYPE, **more: Any) -> bytes:
    """One entry beneath the top folder, as it lies in a tar; ``size`` may lie."""
    return raw(f"{TOP}/{name}" if isinstance(name, str) else TOP.encode() + b"/" + name, content, kind=kind, **more)


def raw(name: str | bytes, content: bytes = b"", *, kind: bytes = tarfile.REGTYPE, **more: Any) -> bytes:
    info = tarfile.TarInfo(name if isinstance(name, str) else name.decode("utf-8", "surrogateescape"))
    info.type, info.size = kind, len(content)
    for key, value in more.items():
        setattr(info, key, value)
    return info.tobuf(tarfile.USTAR_FORMAT, "utf-8", "surrogateescape") + content + b"\0" * (-len(content) % 512)


def pax(records: bytes | Mapping[str, str | bytes], kind: bytes = tarfile.XHDTYPE) -> bytes:
    """An extended header for the entry after it."""
    if isinstance(records, Mapping):
        records = b"".join(_record(key, value) for key, value in records.items())
    return raw("pax_header", records, kind=kind)


def _record(key: str, value: str | bytes) -> bytes:
    text = f" {key}=".encode() + (value if isinstance(value, bytes) else value.encode()) + b"\n"
    length = len(text)
    while length != len(text) + len(str(length)):
        length = len(text) + len(str(length))
    return str(length).encode() + text


@pytest.fixture
def box(tmp_path: Path) -> "Box":
    return Box(tmp_path)


class Box:
    """An archive, and a folder to unpack it into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.archive = folder / "tree.tar.gz"
        self.into = folder / "tree"

    def pack(self, *parts: bytes, end: bytes = END) -> None:
        top = raw(f"{TOP}/", kind=tarfile.DIRTYPE, mode=0o755)
        self.archive.write_bytes(gzip.compress(top + b"".join(parts) + end, 1))

    def unpack(self, *parts: bytes, end: bytes = END, **more: Any) -> Unpacked:
        self.pack(*parts, end=end)
        return unpack(self.archive, self.into, **more)

    def refuses(self, why: str, *parts: bytes, **more: Any) -> None:
        with pytest.raises(ForgeError, match=why) as caught:
            self.unpack(*parts, **more)
        assert str(caught.value).isprintable()
        assert self.nothing_is_left()

    def nothing_is_left(self) -> bool:
        return not list(self.into.iterdir()) and {one.name for one in self.folder.iterdir()} <= {
            "tree.tar.gz",
            "tree",
            "outside",
        }

    def found(self) -> dict[str, bytes]:
        files = (path for path in self.into.rglob("*") if path.is_file() and not path.is_symlink())
        return {str(path.relative_to(self.into)): path.read_bytes() for path in files}


@contextmanager
def umask(mask: int) -> Iterator[None]:
    old = os.umask(mask)
    try:
        yield
    finally:
        os.umask(old)


@contextmanager
def _peak() -> Iterator[Callable[[], int]]:
    """The most bytes of memory that the block had at once, once it is over."""
    seen: list[int] = []
    tracemalloc.start()
    try:
        yield lambda: seen[0]
        seen.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()


# --- what is written ---------------------------------------------------------------------------------------


async def test_an_archive_of_git_gives_the_same_tree_as_git_itself(box: Box) -> None:
    repository = box.folder / "repository"
    commit = _commit(repository)
    _git(repository, "archive", f"--prefix={TOP}/", "--format=tar.gz", "-o", str(box.archive), "HEAD")

    unpacked = unpack(box.archive, box.into)
    await export_tree(repository, commit, box.folder / "expected")

    assert _listing(box.into) == _listing(box.folder / "expected")
    assert unpacked.files == 7
    assert sorted(unpacked.skipped) == [
        "'outside' is a link that leads outside",
        "'through' is a link that leads outside",
    ]


def _git(repository: Path, *arguments: str) -> str:
    command = ["git", "-C", str(repository), "-c", "user.name=x", "-c", "user.email=x@x", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _commit(repository: Path) -> str:
    repository.mkdir()
    for name in ("a.txt", "folder/deep/er/b.bin", "ünï/ c d .py", f"{'long' * 20}/{'name' * 40}.txt", "crlf"):
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_bytes(os.urandom(2000) + b"\r\nno newline")
    (repository / os.fsdecode(b"latin-\xe9")).write_bytes(b"")
    (repository / "run.sh").write_text("#!/bin/sh\n")
    (repository / "run.sh").chmod(0o755)
    (repository / "folder" / "link").symlink_to("../a.txt")
    (repository / ("long" * 20) / "link").symlink_to("../" + "x" * 150)
    (repository / "outside").symlink_to("/etc/passwd")
    (repository / "through").symlink_to("folder/../../outside")
    _git(repository, "init", "-q")
    _git(repository, "add", ".")
    _git(repository, "commit", "-qm", "x")
    return _git(repository, "rev-parse", "HEAD")


def _listing(folder: Path) -> dict[str, tuple[int, bytes | str]]:
    found: dict[str, tuple[int, bytes | str]] = {}
    for path in folder.rglob("*"):
        content = str(path.readlink()) if path.is_symlink() else b"" if path.is_dir() else path.read_bytes()
        found[str(path.relative_to(folder))] = (path.lstat().st_mode, content)
    return found


def test_files_come_without_the_top_folder_and_keep_nothing_but_the_executable_bit(box: Box) -> None:
    result = box.unpack(
        entry("a", b"1", mode=0o677),
        entry("b/c", b"2", mode=0o6100),
        entry("d/", kind=tarfile.DIRTYPE, mode=0),
        entry("e", b"", mode=0o4777, kind=tarfile.AREGTYPE),
    )

    assert result == Unpacked(3)
    assert box.found() == {"a": b"1", "b/c": b"2", "e": b""}
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in box.into.rglob("*")}
    assert modes == {"a": 0o644, "b": 0o755, "c": 0o755, "d": 0o755, "e": 0o755}


@pytest.mark.parametrize("mask", [0, 0o077, 0o777])
def test_modes_do_not_depend_on_the_umask(box: Box, mask: int) -> None:
    box.into.mkdir()
    with umask(mask):
        box.unpack(entry("a/b/c", b"1"), entry("a/x", b"2", mode=0o755))

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in box.into.rglob("*")}
    assert modes == {"a": 0o755, "b": 0o755, "c": 0o644, "x": 0o755}


def test_names_keep_their_bytes_whatever_their_encoding(box: Box) -> None:
    box.unpack(entry(b"latin-\xe9"), pax({"path": TOP.encode() + b"/pax-\xff\xfe"}), entry("x"))

    assert sorted(os.fsencode(path.name) for path in box.into.iterdir()) == [b"latin-\xe9", b"pax-\xff\xfe"]


def test_long_names_come_from_extended_headers_of_either_kind(box: Box) -> None:
    long = f"{TOP}/{'d' * 200}/{'e' * 200}"
    box.unpack(
        pax({"path": f"{long}1"}),
        entry("x", b"1"),
        raw("././@LongLink", f"{long}2\0".encode(), kind=tarfile.GNUTYPE_LONGNAME),
        entry("x", b"2"),
        entry("x", b"3"),
        pax({"linkpath": "y" * 150}),
        entry("link", kind=tarfile.SYMTYPE, linkname="short"),
        raw("././@LongLink", b"z" * 150 + b"\0", kind=tarfile.GNUTYPE_LONGLINK),
        entry("link2", kind=tarfile.SYMTYPE, linkname="short"),
    )

    assert sorted(box.found().values()) == [b"1", b"2", b"3"]
    assert os.readlink(box.into / "link") == "y" * 150  # noqa: PTH115
    assert os.readlink(box.into / "link2") == "z" * 150  # noqa: PTH115


def test_names_that_differ_in_case_only_are_two_files(box: Box) -> None:
    box.unpack(entry("Readme", b"1"), entry("README", b"2"), entry("readme/x", b"3"))

    assert box.found() == {"Readme": b"1", "README": b"2", "readme/x": b"3"}


def test_the_comment_of_git_is_no_entry(box: Box) -> None:
    assert box.unpack(pax({"comment": "0" * 40}, tarfile.XGLTYPE), entry("a")).files == 1


# --- what is skipped ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "stays"),
    [
        ("b", True),
        ("./b", True),
        ("folder/../b", True),
        ("dangling", True),
        ("folder", True),
        ("a", True),
        ("/etc/passwd", False),
        ("..", False),
        ("../outside", False),
        ("folder/../../outside", False),
        ("", False),
    ],
)
def test_a_link_is_made_only_if_it_stays_inside(box: Box, target: str, *, stays: bool) -> None:
    (box.folder / "outside").write_text("secret")
    result = box.unpack(
        entry("a", kind=tarfile.SYMTYPE, linkname=target), entry("b", b"1"), entry("folder/", kind=tarfile.DIRTYPE)
    )

    assert (box.into / "a").is_symlink() is stays
    assert result.skipped == (() if stays else ("'a' is a link that leads outside",))


def test_links_that_leave_only_through_other_links_are_skipped(box: Box) -> None:
    (box.folder / "outside").write_text("secret")
    result = box.unpack(
        entry("d/e/f/up", kind=tarfile.SYMTYPE, linkname="../../.."),
        entry("leave", kind=tarfile.SYMTYPE, linkname="d/e/f/up/../outside"),
        entry("leave2", kind=tarfile.SYMTYPE, linkname="./leave"),
    )

    assert "'leave' is a link that leads outside" in result.skipped
    assert not os.path.lexists(box.into / "leave")
    assert not (box.into / "leave2").exists()
    assert (box.into / "d" / "e" / "f" / "up").is_symlink()


def test_nothing_is_ever_written_through_a_link(box: Box) -> None:
    (box.folder / "outside").mkdir()
    link = entry("a", kind=tarfile.SYMTYPE, linkname="../outside")
    for parts in ((link, entry("a/file", b"x")), (entry("a/file", b"x"), link), (link, entry("a", b"x"))):
        box.refuses("beneath a file|two entries have one name", *parts)

    assert list((box.folder / "outside").iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (tarfile.LNKTYPE, "a hard link"),
        (tarfile.FIFOTYPE, "a FIFO"),
        (tarfile.CHRTYPE, "a device"),
        (tarfile.BLKTYPE, "a device"),
    ],
)
def test_what_no_git_tree_has_is_skipped_with_a_note(box: Box, kind: bytes, what: str) -> None:
    result = box.unpack(entry("a", b"1"), entry("odd", kind=kind, linkname=f"{TOP}/a", devmajor=1, devminor=5))

    assert result == Unpacked(1, (f"'odd' is {what}",))
    assert [path.name for path in box.into.iterdir()] == ["a"]


# --- what is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "/etc/cron.d/x",
        f"{TOP}/../x",
        f"{TOP}/a/../../x",
        f"{TOP}/./x",
        f"{TOP}//x",
        f"{TOP}/..",
        f"{TOP}/.git/config",
        f"{TOP}/.GIT/config",
        f"{TOP}/a/.Git",
        f"{TOP}/GIT~1/x",
        "../x",
        "./x",
        "",
    ],
)
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE])
@pytest.mark.parametrize("extended", [False, True])
def test_a_path_that_is_a_trick_refuses_the_archive(box: Box, name: str, kind: bytes, *, extended: bool) -> None:
    parts = (
        [pax({"path": name}), entry("x", kind=kind, linkname="a")] if extended else [raw(name, kind=kind, linkname="a")]
    )

    box.refuses("not safe to write", entry("before", b"1"), *parts)


@pytest.mark.parametrize(
    "name", [f"{TOP}/a\0b", f"{TOP}/{'x' * 256}", f"{TOP}/{'ü' * 128}", f"{TOP}/" + "/".join(["d" * 200] * 25)]
)
def test_a_path_that_cannot_be_written_refuses_the_archive(box: Box, name: str) -> None:
    box.refuses("cannot be written", pax({"path": name}), entry("x", b"1"))


@pytest.mark.parametrize("name", ["other/x", f"{TOP}", "x", "pax_global_header"])
def test_an_archive_that_is_not_one_folder_is_refused(box: Box, name: str) -> None:
    box.refuses("not one folder", entry("a", b"1"), raw(name, b"2"))


def test_two_entries_of_one_name_refuse_the_archive(box: Box) -> None:
    box.refuses("one name", entry("a", b"1"), entry("a", b"2"))
    box.refuses("one name", entry("a/", kind=tarfile.DIRTYPE), entry("a", b"2"))
    box.refuses("beneath a file", entry("a", b"1"), entry("a/", kind=tarfile.DIRTYPE))
    box.refuses("beneath a file", entry("a", b"1"), entry("a/b/c", b"2"))


@pytest.mark.parametrize("kind", [b"S", b"D", b"M", b"V", b"N", b"X", b"7", b"A", b"\xff"])
def test_kinds_of_entries_that_git_never_writes_refuse_the_archive(box: Box, kind: bytes) -> None:
    block = bytearray(entry("odd"))
    block[156:157] = kind
    block[148:156] = b"%06o\0 " % sum(b" " * 8 + bytes(block[:148]) + bytes(block[156:512]))

    box.refuses("does not write", bytes(block))


def test_a_sparse_file_refuses_the_archive(box: Box) -> None:
    sparse = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(1 << 50)}

    box.refuses("does not write", pax(sparse), entry("big", b"1\n0\n0\n"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_an_entry_without_content_that_claims_some_refuses_the_archive(box: Box, kind: bytes) -> None:
    box.refuses("impossible size", entry("a", b"hidden" * 100, kind=kind, linkname="b"), entry("b"))


@pytest.mark.parametrize("size", ["-1", "1e3", "", "²", "9" * 30, " 5", str(1 << 62)])
def test_an_impossible_size_refuses_the_archive(box: Box, size: str) -> None:
    box.refuses("impossible size|larger than", pax({"size": size}), entry("a", b"12345"))


def test_a_negative_size_refuses_the_archive(box: Box) -> None:
    block = bytearray(entry("a"))
    block[124:136] = struct.pack(">b11s", -1, b"\xff" * 11)
    block[148:156] = b"%06o\0 " % sum(b" " * 8 + bytes(block[:148]) + bytes(block[156:512]))

    box.refuses("impossible size|broken header", bytes(block))


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_an_extended_header_of_a_huge_size_is_refused_before_it_is_read(box: Box, kind: bytes) -> None:
    box.pack(raw("h", kind=kind, size=1 << 32), bytes(64 << 20))
    with _peak() as peak, pytest.raises(ForgeError, match="impossible size"):
        unpack(box.archive, box.into)

    assert peak() < 8 << 20


@pytest.mark.parametrize(
    "records",
    [
        b"nonsense",
        b"5",
        b"0 a=b\n",
        b"-6 a=b\n",
        b"3 a=b\n",
        b"99 a=b\n",
        b"6 a=b ",
        b"5 ab\n",
        b"6 a=b\n7 ",
        b"\xb26 a=b\n",
        b"9" * 5000 + b" a=b\n",
    ],
)
def test_a_broken_extended_header_refuses_the_archive(box: Box, records: bytes) -> None:
    box.refuses("broken header", pax(records), entry("a"))


@pytest.mark.parametrize("record", [{"path": f"{TOP}/x"}, {"size": "0"}, {"linkpath": "x"}])
def test_a_global_header_cannot_rename_what_follows(box: Box, record: dict[str, str | bytes]) -> None:
    box.refuses("does not write", pax(record, tarfile.XGLTYPE), entry("a", b"1"))


def test_a_wrong_checksum_of_a_header_refuses_the_archive(box: Box) -> None:
    block = bytearray(entry("a", b"1"))
    block[0] ^= 1

    box.refuses("broken header", bytes(block))


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (Limits(entries=5), "more than 5 entries"),
        (Limits(total=8 << 20), "more than 8 MiB"),
        (Limits(one_file=1 << 20), "larger than 1 MiB"),
        (Limits(free=1 << 20, ratio=20), "more than 20 times its size"),
    ],
)
def test_an_archive_that_grows_beyond_a_limit_is_refused(box: Box, limits: Limits, why: str) -> None:
    parts = [entry(f"{number}", bytes(2 << 20)) for number in range(8)]

    box.refuses(why, *parts, limits=limits)


def test_folders_that_only_a_deep_path_makes_are_counted(box: Box) -> None:
    box.refuses(
        "more than 50 entries", *(entry(f"{n}/b/c/d/e/f/g/h", b"") for n in range(10)), limits=Limits(entries=50)
    )


def test_what_comes_after_the_end_of_the_archive_counts_in_its_size(box: Box) -> None:
    box.refuses("more than 8 MiB", entry("a"), end=END + bytes(32 << 20), limits=Limits(total=8 << 20))


def test_an_empty_archive_is_refused(box: Box) -> None:
    box.archive.write_bytes(gzip.compress(END))
    with pytest.raises(ForgeError, match="it is empty"):
        unpack(box.archive, box.into)


# --- damage ------------------------------------------------------------------------------------------------


def test_an_archive_cut_anywhere_is_refused_and_leaves_nothing(box: Box) -> None:
    box.unpack(entry("a", os.urandom(3000)), entry("b/c", b"x"))
    whole = box.archive.read_bytes()
    for length in range(0, len(whole), 37):
        box.archive.write_bytes(whole[:length])
        with pytest.raises(ForgeError, match=r"not used: it (is cut off|ends)"):
            unpack(box.archive, box.folder / "tree2")
        assert list((box.folder / "tree2").iterdir()) == []


@pytest.mark.parametrize("blocks", range(1, 10))
def test_a_tar_that_ends_without_its_end_is_refused(box: Box, blocks: int) -> None:
    tar = raw(f"{TOP}/", kind=tarfile.DIRTYPE) + pax({"path": f"{TOP}/a"}) + entry("x", bytes(1500)) + entry("b", b"x")
    box.archive.write_bytes(gzip.compress(tar[: blocks * 512]))
    with pytest.raises(ForgeError, match="it ends"):
        unpack(box.archive, box.into)

    assert box.nothing_is_left()


def test_a_header_without_its_entry_is_refused(box: Box) -> None:
    box.refuses("in the middle of an entry", entry("a"), pax({"path": f"{TOP}/x"}))


def test_a_flipped_bit_in_the_content_is_found_by_the_checksum_at_the_end(box: Box) -> None:
    content = os.urandom(5000)
    tar = raw(f"{TOP}/", kind=tarfile.DIRTYPE) + entry("a", content) + END
    packed = bytearray(gzip.compress(tar, 0))
    packed[packed.index(content[2000:2010])] ^= 1
    box.archive.write_bytes(packed)
    with pytest.raises(ForgeError, match="cut off or damaged"):
        unpack(box.archive, box.into)

    assert box.nothing_is_left()


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"\x1f\x8b", b"PK\x03\x04", bytes(5000)])
def test_what_is_no_archive_at_all_is_refused(box: Box, content: bytes) -> None:
    box.archive.write_bytes(content)
    with pytest.raises(ForgeError, match="not used"):
        unpack(box.archive, box.into)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_damaged_it_is_the_same_tree_or_nothing_and_never_anything_outside(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    box = Box(tmp_path_factory.mktemp("damage"))
    tar = bytearray(
        raw(f"{TOP}/", kind=tarfile.DIRTYPE)
        + pax({"comment": "0" * 40}, tarfile.XGLTYPE)
        + entry("a", b"12345")
        + pax({"path": f"{TOP}/b/c"})
        + entry("x", b"6")
        + entry("l", kind=tarfile.SYMTYPE, linkname="a")
        + END
    )
    for _ in range(data.draw(st.integers(1, 4))):
        block = 512 * data.draw(st.integers(0, len(tar) // 512 - 1))
        start = block + data.draw(st.sampled_from([0, 12, 100, 124, 156, 157, 257, 345]) | st.integers(0, 500))
        piece = data.draw(
            st.sampled_from([b"\0", b"/", b"../", b"/../", b"2", b"x", b"7777777"]) | st.binary(max_size=9)
        )
        tar[start : start + len(piece)] = piece
        header = bytes(tar[block : block + 512])
        if data.draw(st.booleans()):
            tar[block + 148 : block + 156] = b"%06o\0 " % (sum(header[:148]) + 256 + sum(header[156:]))
    box.archive.write_bytes(gzip.compress(bytes(tar), 1))
    refusal = ""
    try:
        unpack(box.archive, box.into, limits=Limits(total=1 << 20))
    except ForgeError as error:
        refusal = str(error)
    assert refusal.isprintable()
    assert not refusal or box.nothing_is_left()
    assert {one.name for one in box.folder.iterdir()} == {"tree.tar.gz", "tree"}
    for path in box.into.rglob("*"):
        assert path.resolve().is_relative_to(box.into)
        assert stat.S_ISREG(path.lstat().st_mode) or path.is_dir() or path.is_symlink()


NAMES = st.lists(st.sampled_from(["a", "b", "A", "..", ".", ".git", "", "c\0", "d" * 300]), min_size=1, max_size=4)
KINDS = st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
LINKS = st.lists(st.sampled_from(["a", "b", "..", ".", "/"]), min_size=1, max_size=6).map("/".join)


@settings(max_examples=300, deadline=None)
@given(entries=st.lists(st.tuples(NAMES, KINDS, LINKS), max_size=8))
def test_no_mixture_of_paths_and_links_reaches_outside(
    tmp_path_factory: pytest.TempPathFactory, entries: list[tuple[list[str], bytes, str]]
) -> None:
    box = Box(tmp_path_factory.mktemp("mixture"))
    parts = []
    for names, kind, link in entries:
        parts += [pax({"path": "/".join([TOP, *names])}), pax({"linkpath": link}), entry("x", kind=kind)]
    try:
        box.unpack(*parts)
    except ForgeError:
        assert box.nothing_is_left()
    assert {one.name for one in box.folder.iterdir()} == {"tree.tar.gz", "tree"}
    for path in box.into.rglob("*"):
        assert Path(os.path.realpath(path)).is_relative_to(box.into)


# --- the folder, the disk and a stop -----------------------------------------------------------------------


def test_a_folder_with_something_in_it_is_left_alone(box: Box) -> None:
    box.into.mkdir()
    (box.into / "mine").write_text("keep")
    with pytest.raises(ForgeError, match="not empty"):
        box.unpack(entry("a"))

    assert [path.name for path in box.into.iterdir()] == ["mine"]


def test_an_archive_that_is_not_there_is_one_clear_line(box: Box) -> None:
    with pytest.raises(ForgeError, match="cannot be unpacked: No such file or directory"):
        unpack(box.archive, box.into)


def test_a_target_that_is_a_file_is_one_clear_line(box: Box) -> None:
    box.into.write_text("x")
    with pytest.raises(ForgeError, match="cannot be unpacked: File exists"):
        box.unpack(entry("a"))

    assert box.into.read_text() == "x"


def test_a_disk_without_room_is_one_clear_line_and_leaves_nothing(box: Box) -> None:
    box.pack(entry("a", b"1"), entry("b", bytes(1 << 20)))
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, limits[1]))
    try:
        with pytest.raises(ForgeError, match="cannot be unpacked: File too large"):
            unpack(box.archive, box.into)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, old)

    assert box.nothing_is_left()


def test_a_stop_ends_it_early_and_leaves_nothing(box: Box) -> None:
    class Soon(threading.Event):
        """Set after it was asked for a few times, in the middle of the work."""

        asked = 0

        def is_set(self) -> bool:
            self.asked += 1
            return self.asked > 5

    assert box.unpack(*(entry(f"{n}", bytes(3 << 20)) for n in range(5)), stop=Soon()) == Unpacked(0)
    assert box.nothing_is_left()


def test_memory_does_not_grow_with_a_file(box: Box) -> None:
    box.pack(entry("big", bytes(48 << 20)))
    with _peak() as peak:
        assert unpack(box.archive, box.into).files == 1

    assert peak() < 8 << 20
