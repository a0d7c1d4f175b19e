"""Git objects in memory, with the ids that git gives them."""

import base64
import hashlib
import os
import re
import subprocess
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

FILE, EXECUTABLE, SYMLINK, SUBMODULE, FOLDER = "100644", "100755", "120000", "160000", "040000"
_PATH = os.environ.get("PATH", os.defpath)
_TYPES = {FOLDER: "tree", SUBMODULE: "commit"}
_CRUD = "".join(chr(code) for code in range(33)) + ".,:;<>\"\\'"
_BAD_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)|^[./-]|[./]$")


@dataclass(frozen=True, slots=True)
class Entry:
    """What a tree says of one name."""

    mode: str
    sha: str

    @property
    def type(self) -> str:
        return _TYPES.get(self.mode, "blob")


@dataclass(frozen=True, slots=True)
class Person:
    """Who made a commit, and when; the offset of ``date`` is part of the commit's id."""

    name: str
    email: str
    date: datetime

    def line(self) -> str:
        offset = int((self.date.utcoffset() or UTC.utcoffset(None)).total_seconds()) // 60
        zone = f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02}{abs(offset) % 60:02}"
        return f"{_clean(self.name)} <{_clean(self.email)}> {int(self.date.timestamp())} {zone}"


@dataclass(frozen=True)
class Commit:
    """A commit; ``parents`` are ids."""

    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    message: str
    signature: str | None = None

    @cached_property
    def content(self) -> bytes:
        lines = [f"tree {self.tree}", *(f"parent {one}" for one in self.parents)]
        lines += [f"author {self.author.line()}", f"committer {self.committer.line()}"]
        if self.signature:
            lines.append("gpgsig " + self.signature.rstrip("\n").replace("\n", "\n "))
        return ("\n".join(lines) + "\n\n" + self.message).encode()


@dataclass(frozen=True, slots=True)
class Change:
    """A path that differs between two trees."""

    path: str
    before: Entry | None
    after: Entry | None


class Objects:
    """Everything that one repository holds, by id."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.trees: dict[str, dict[str, Entry]] = {}
        self.commits: dict[str, Commit] = {}

    def add_blob(self, content: bytes) -> str:
        sha = _sha("blob", content)
        self.blobs[sha] = content
        return sha

    def add_tree(self, entries: Mapping[str, Entry]) -> str:
        """One level; an entry of mode ``040000`` names another tree."""
        sha = _sha("tree", _tree_content(entries))
        self.trees[sha] = dict(entries)
        return sha

    def add_commit(self, commit: Commit) -> str:
        sha = _sha("commit", commit.content)
        self.commits[sha] = commit
        return sha

    def files(self, tree: str, below: str = "") -> dict[str, Entry]:
        """Every path of a tree that is not a folder."""
        found: dict[str, Entry] = {}
        for name, entry in self.trees[tree].items():
            if entry.mode == FOLDER:
                found |= self.files(entry.sha, f"{below}{name}/")
            else:
                found[below + name] = entry
        return found

    def folders(self, tree: str, below: str = "") -> Iterator[tuple[str, Entry]]:
        """Every folder of a tree with its path."""
        for name, entry in self.trees[tree].items():
            if entry.mode == FOLDER:
                yield below + name, entry
                yield from self.folders(entry.sha, f"{below}{name}/")

    def plant(self, files: Mapping[str, Entry]) -> str:
        """The tree, with all trees below it, that holds these paths."""
        here: dict[str, Entry] = {}
        below: dict[str, dict[str, Entry]] = {}
        for path, entry in files.items():
            name, slash, rest = path.partition("/")
            if slash:
                below.setdefault(name, {})[rest] = entry
            else:
                here[name] = entry
        here |= {name: Entry(FOLDER, self.plant(inner)) for name, inner in below.items()}
        return self.add_tree(here)

    def at(self, tree: str, path: str) -> Entry | None:
        """What is at a path; an empty path is the tree itself."""
        entry: Entry | None = Entry(FOLDER, tree)
        for name in [part for part in path.split("/") if part]:
            if entry is None or entry.mode != FOLDER:
                return None
            entry = self.trees[entry.sha].get(name)
        return entry

    def ancestors(self, sha: str) -> dict[str, None]:
        """The commit and all that came before it, near ones first."""
        seen: dict[str, None] = {}
        waiting = [sha]
        while waiting:
            one = waiting.pop(0)
            if one not in seen:
                seen[one] = None
                waiting += self.commits[one].parents
        return seen

    def merge_base(self, one: str, other: str) -> str | None:
        theirs = self.ancestors(other)
        return next((sha for sha in self.ancestors(one) if sha in theirs), None)

    def between(self, base: str, head: str) -> list[str]:
        """The commits that ``head`` has and ``base`` has not, oldest first."""
        known = self.ancestors(base)
        return [sha for sha in reversed(self.ancestors(head)) if sha not in known]

    def changes(self, before: str, after: str) -> list[Change]:
        """The paths that differ between two trees, in order."""
        old, new = self.files(before), self.files(after)
        paths = sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))
        return [Change(path, old.get(path), new.get(path)) for path in paths]

    def merge(self, base: str, ours: str, theirs: str) -> str | None:
        """The three-way merge of trees, ``None`` where it conflicts."""
        old, mine, other = self.files(base), self.files(ours), self.files(theirs)
        merged: dict[str, Entry] = {}
        for path in old.keys() | mine.keys() | other.keys():
            states = old.get(path), mine.get(path), other.get(path)
            kept = self._settle(*states)
            if isinstance(kept, str):
                return None
            if kept:
                merged[path] = kept
        return self.plant(merged)

    def _settle(self, old: Entry | None, mine: Entry | None, other: Entry | None) -> Entry | str | None:
        if other in (mine, old):
            return mine
        if mine == old:
            return other
        if not (old and mine and other) or {old.mode, mine.mode, other.mode} - {FILE, EXECUTABLE}:
            return "conflict"
        merged = _merge_lines(self.blobs[old.sha], self.blobs[mine.sha], self.blobs[other.sha])
        return "conflict" if merged is None else Entry(mine.mode, self.add_blob(merged))

    def write(self, folder: Path, tree: str, commit: str | None = None) -> None:
        """Loose objects for real git: a tree with all below it, and the commit without its parents."""
        shas = {tree, *(entry.sha for _, entry in self.folders(tree))}
        shas |= {entry.sha for entry in self.files(tree).values() if entry.mode != SUBMODULE}
        for sha in [*shas, *([commit] if commit else [])]:
            path = folder / "objects" / sha[:2] / sha[2:]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(zlib.compress(self._framed(sha), 1))

    def _framed(self, sha: str) -> bytes:
        if sha in self.blobs:
            return _frame("blob", self.blobs[sha])
        if sha in self.trees:
            return _frame("tree", _tree_content(self.trees[sha]))
        return _frame("commit", self.commits[sha].content)


def is_branch_name(name: str) -> bool:
    """What ``git check-ref-format --branch`` allows."""
    return bool(name) and not _BAD_REF.search(name)


def encoded(content: bytes) -> str:
    """Base64 in lines of 60, as GitHub gives it."""
    text = base64.b64encode(content).decode()
    return "".join(f"{text[at : at + 60]}\n" for at in range(0, len(text), 60))


def _frame(kind: str, content: bytes) -> bytes:
    return f"{kind} {len(content)}".encode() + b"\0" + content


def _sha(kind: str, content: bytes) -> str:
    return hashlib.sha1(_frame(kind, content)).hexdigest()


def _tree_content(entries: Mapping[str, Entry]) -> bytes:
    def order(item: tuple[str, Entry]) -> bytes:
        name, entry = item
        return name.encode() + (b"/" if entry.mode == FOLDER else b"")

    return b"".join(
        f"{entry.mode.lstrip('0')} {name}".encode() + b"\0" + bytes.fromhex(entry.sha)
        for name, entry in sorted(entries.items(), key=order)
    )


def _clean(text: str) -> str:
    return re.sub(r"[<>\n]", "", text.strip(_CRUD))


def _merge_lines(old: bytes, mine: bytes, other: bytes) -> bytes | None:
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("mine", "old", "other")]
        for path, content in zip(paths, (mine, old, other), strict=True):
            path.write_bytes(content)
        done = run_git(["merge-file", "-p", *map(str, paths)], check=False)
    return done.stdout if done.returncode == 0 else None


def run_git(arguments: Sequence[str], *, check: bool = True) -> subprocess.CompletedProcess[bytes]:
    """Real git, without anybody's settings."""
    env = {"PATH": _PATH, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(["git", *arguments], capture_output=True, check=check, env=env)
