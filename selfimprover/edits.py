"""What a draft may change, how its edits are put into a folder, and how they read as a diff.

Nothing here trusts an edit: drafts are made from telemetry that strangers can write.
The path rules follow git's own ``verify_path`` and what case-folding filesystems make of a name.
"""

import contextlib
import difflib
import os
import re
import secrets
import stat
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from selfimprover.domain import Edit
from selfimprover.errors import RefusedError

MAX_FILES = 20
MAX_CHANGED_LINES = 1000
MAX_BYTES = 1_000_000
_MAX_COMPONENT = 255
_MAX_PATH = 4096

DEPENDENCIES = (
    *("setup.py", "setup.cfg", "pyproject.toml", "requirements*", "constraints*.txt", "Pipfile*", "*.lock", "uv.toml"),
    *("poetry.toml", "pdm.toml", "hatch.toml", "pixi.toml", ".python-version", ".tool-versions", "runtime.txt"),
    *(
        "pnpm-lock.yaml",
        "package*.json",
        "npm-shrinkwrap.json",
        ".npmrc",
        ".yarnrc*",
        "pip.conf",
        "pom.xml",
        "*.gradle",
    ),
    *("go.mod", "go.sum", "go.work*", "Cargo.*", "Gemfile*", "environment.y*ml", "composer.json", "mix.exs"),
)
"""Files that say what is installed and how, as globs (see ``matches``)."""

DENIED = (
    # continuous integration and code owners: whoever writes them writes what runs with secrets
    *(".github", ".gitlab*", ".circleci", ".buildkite", ".drone*", ".woodpecker*", ".travis.yml", ".ci", ".forgejo"),
    *(".gitea", "azure-pipelines*", "bitbucket-pipelines*", "Jenkinsfile*", "action.yml", "action.yaml", "CODEOWNERS"),
    # containers, build and shell
    *("Dockerfile*", "*.dockerfile", "Containerfile*", "compose*.y*ml", "docker-compose*", "Makefile*", "GNUmakefile"),
    *("*.mk", "justfile", "Taskfile.y*ml", "*.sh", "*.bash", "*.zsh", "*.bat", "*.ps1", "*.service", "*.timer", "*.tf"),
    # what is installed and how
    *DEPENDENCIES,
    # code that runs without being called
    *("conftest.py", "tox.ini", "*pytest.ini", "*pytest.toml", "noxfile.py", "*.pth", "*.egg-link", "*.egg-info"),
    *("*.dist-info", "entry_points.txt", "sitecustomize*", "usercustomize*", "jest.config.*", "vitest.config.*"),
    *("karma.conf.*", ".mocharc*", "babel.config.*"),
    *(".pre-commit-config.yaml", ".gitattributes", ".gitmodules", ".env*", ".coveragerc"),
    # instructions and settings of coding tools
    *("AGENTS.md", "CLAUDE.md", "GEMINI.md", ".cursor*", ".claude*", ".windsurf*", ".vscode", ".idea", "*mcp.json"),
    "copilot-instructions.md",
    # data at rest, identity, secrets
    *("migrations", "alembic*", "auth", "auth.*", "auth_*", "*_auth.*", "authn*", "authz*", "authentication*"),
    *("authorization*", "oauth*", "crypto*", "encryption*", "security", "security.*", "secrets*", "*.pem", "*.key"),
)
"""Paths that only a person may change, as globs (see ``matches``), whatever the configuration allows."""

_UNSAFE = frozenset('\\:"<>|?*')
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_PLAIN_CONTROLS = frozenset("\t\n\r\f")
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u2028\u2029\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")


# --- what may be changed -------------------------------------------------------------------------------


def check(edits: Sequence[Edit], allow: Sequence[str] = ("**",), deny: Sequence[str] = ()) -> None:
    """Raises ``RefusedError`` unless a draft with these edits may be proposed without a person asking for it.

    ``allow`` and ``deny`` are globs (see ``matches``); ``deny`` adds to ``DENIED``.
    """
    if not edits:
        raise RefusedError("the draft changes nothing")
    for edit in edits:
        check_path(edit.path)
        _check_permission(edit.path, allow, deny)
        _check_text(edit)
    _check_collisions(edits)
    _check_size(edits)


def check_path(path: str) -> None:
    """Raises ``RefusedError`` unless ``path`` is a plain POSIX path that means the same file on every system."""
    for component in path.split("/"):
        if fault := _fault(component):
            raise RefusedError(f"the path {path[:200]!r} {fault}")
    if len(path.encode("utf-8")) > _MAX_PATH:
        raise RefusedError(f"the path {path[:200]!r} is too long")


def matches(path: str, glob: str, *, fold_case: bool = False) -> bool:
    """Whether ``path`` is meant by ``glob``, or lies in a folder that is.

    ``*`` stands for any part of one name, ``?`` for one character, ``**`` for any number of folders. As in
    ``.gitignore``, a glob without a slash inside means that name at any depth, one with a slash starts at the root.
    """
    if fold_case:
        path, glob = _folded(path), _folded(glob)
    return _compiled(glob).match(path + "/") is not None


def _fault(component: str) -> str:
    """What is wrong with one part of a path, as the end of a sentence; empty if nothing is."""
    faults = (
        (component in {"", ".", ".."}, "is not a normal relative path"),
        (_surrogates(component), "is not valid Unicode"),
        (_UNSAFE & set(component) or _hidden(component), "has a character that is not allowed in a path"),
        (_PLAIN_CONTROLS & set(component), "has a character that is not allowed in a path"),
        (component.endswith((".", " ")), "has a part that ends with a dot or a space"),
        (len(component.encode("utf-8", "surrogatepass")) > _MAX_COMPONENT, "has a part that is too long"),
        (_folded(component) in {".git", "git~1"}, "is git's own"),
        (_DEVICES.fullmatch(component), "is the name of a device on some systems"),
    )
    return next((fault for found, fault in faults if found), "")


def _surrogates(text: str) -> bool:
    return any(unicodedata.category(character) == "Cs" for character in text)


def _check_permission(path: str, allow: Sequence[str], deny: Sequence[str]) -> None:
    if any(matches(path, glob, fold_case=True) for glob in (*DENIED, *deny)):
        raise RefusedError(f"needs a person: {path} may not be changed automatically")
    if not any(matches(path, glob) for glob in allow):
        raise RefusedError(f"needs a person: {path} is not among the paths that may be changed automatically")


def _check_text(edit: Edit) -> None:
    if edit.before == edit.after:
        raise RefusedError(f"the edit of {edit.path} changes nothing")
    _encoded(edit.before, edit.path)
    _encoded(edit.after, edit.path)
    added = Counter(_hidden(edit.after or "")) - Counter(_hidden(edit.before or ""))
    if added:
        code = f"U+{ord(min(added)):04X}"
        raise RefusedError(f"the edit of {edit.path} adds a character that nobody would see ({code})")


def _check_collisions(edits: Sequence[Edit]) -> None:
    seen: set[str] = set()
    for edit in edits:
        name = _folded(edit.path)
        if name in seen:
            raise RefusedError(f"two edits mean the same file: {edit.path}")
        seen.add(name)
    for name in seen:
        parts = name.split("/")
        if any("/".join(parts[:depth]) in seen for depth in range(1, len(parts))):
            raise RefusedError(f"one edit needs as a folder what another has as a file: {name}")


def _check_size(edits: Sequence[Edit]) -> None:
    if len(edits) > MAX_FILES:
        raise RefusedError(f"the draft changes {len(edits)} files, more than {MAX_FILES}")
    if max(_bytes(edit.before for edit in edits), _bytes(edit.after for edit in edits)) > MAX_BYTES:
        raise RefusedError(f"the files of the draft are larger than {MAX_BYTES} bytes together")
    if (lines := changed_lines(edits)) > MAX_CHANGED_LINES:
        raise RefusedError(f"the draft changes {lines} lines, more than {MAX_CHANGED_LINES}")


def _bytes(texts: Iterator[str | None]) -> int:
    return sum(len(text.encode("utf-8")) for text in texts if text is not None)


def _hidden(text: str) -> list[str]:
    """Characters that a reader does not see or that change how others are shown: bidi, zero width, tags, controls."""
    if text.isascii() and text.isprintable():
        return []
    return [
        character
        for character in text
        if (unicodedata.category(character) in {"Cf", "Cc"} and character not in _PLAIN_CONTROLS)
        or _INVISIBLE.match(character)
    ]


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


@lru_cache(maxsize=1024)
def _compiled(glob: str) -> re.Pattern[str]:
    parts = glob.strip("/").split("/")
    if "/" not in glob.rstrip("/"):
        parts.insert(0, "**")
    return re.compile("".join("(?:[^/]+/)*" if part == "**" else _component(part) + "/" for part in parts))


def _component(part: str) -> str:
    wild = {"*": "[^/]*", "?": "[^/]"}
    return "".join(wild.get(character) or re.escape(character) for character in part)


# --- into a folder -------------------------------------------------------------------------------------


def check_applicable(edits: Sequence[Edit], folder: Path) -> None:
    """Raises ``RefusedError`` unless every file beneath ``folder`` is, byte for byte, what its edit starts from."""
    for edit in edits:
        check_path(edit.path)
        with _parent(folder, edit.path, create=False) as parent:
            if _present(parent, edit.path) != _encoded(edit.before, edit.path):
                raise RefusedError(f"{edit.path} is not what the draft was made from")


def apply(edits: Sequence[Edit], folder: Path) -> None:
    """Puts the edits into the plain files beneath ``folder``; files keep their mode and are replaced as a whole.

    Raises ``RefusedError`` before anything is written if a file differs from its edit's ``before``, or if a path
    leads through a symbolic link.
    """
    check_applicable(edits, folder)
    for edit in edits:
        content = _encoded(edit.after, edit.path)
        with _parent(folder, edit.path, create=content is not None) as parent:
            if parent is None:
                continue
            if content is None:
                os.unlink(_name(edit.path), dir_fd=parent)
            else:
                _replace(parent, _name(edit.path), content)


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _encoded(text: str | None, path: str) -> bytes | None:
    try:
        return None if text is None else text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise RefusedError(f"the edit of {path} is not valid Unicode") from error


@contextlib.contextmanager
def _parent(folder: Path, path: str, *, create: bool) -> Iterator[int | None]:
    """The folder of ``path`` as a descriptor, reached without following a link; ``None`` if it does not exist."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in path.split("/")[:-1]:
            if create:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, dir_fd=descriptor)
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = below
    except FileNotFoundError:
        os.close(descriptor)
        yield None
        return
    except OSError as error:
        os.close(descriptor)
        raise RefusedError(f"{path} does not lie in a plain folder") from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _present(parent: int | None, path: str) -> bytes | None:
    if parent is None:
        return None
    try:
        # O_NONBLOCK: opening a FIFO must not wait for its writer
        descriptor = os.open(_name(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=parent)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RefusedError(f"{path} is not a plain file") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise RefusedError(f"{path} is not a plain file")
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def _replace(parent: int, name: str, content: bytes) -> None:
    try:
        mode = stat.S_IMODE(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        mode = 0o644
    temporary = f".selfimprover-{secrets.token_hex(8)}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), mode)
        os.replace(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
    except OSError:
        os.unlink(temporary, dir_fd=parent)
        raise


# --- as a diff -----------------------------------------------------------------------------------------


def unified_diff(edits: Sequence[Edit]) -> str:
    """The edits as ``git apply`` reads them, with three lines of context."""
    return "".join(_file_diff(edit) for edit in edits)


def added_lines(edits: Sequence[Edit]) -> str:
    """Every line that the files have after the edits and had not before."""
    added: list[str] = []
    for edit in edits:
        before = set((edit.before or "").splitlines())
        added += [line for line in (edit.after or "").splitlines() if line not in before]
    return "\n".join(added)


def changed_lines(edits: Sequence[Edit]) -> int:
    """How many lines the edits add and remove together."""
    return sum(line.startswith(("+", "-")) for edit in edits for line in _hunks(edit))


def _file_diff(edit: Edit) -> str:
    lines = [f"diff --git a/{edit.path} b/{edit.path}\n"]
    if edit.before is None:
        lines.append("new file mode 100644\n")
    if edit.after is None:
        lines.append("deleted file mode 100644\n")
    if hunks := _hunks(edit):
        lines.append("--- /dev/null\n" if edit.before is None else f"--- {_label('a', edit.path)}\n")
        lines.append("+++ /dev/null\n" if edit.after is None else f"+++ {_label('b', edit.path)}\n")
    lines.extend(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in hunks)
    return "".join(lines)


def _label(side: str, path: str) -> str:
    return f"{side}/{path}" + ("\t" if " " in path else "")  # git ends a name that has a space with a tab


def _hunks(edit: Edit) -> list[str]:
    return list(difflib.unified_diff(_lines(edit.before), _lines(edit.after), n=3))[2:]


def _lines(text: str | None) -> list[str]:
    """Lines as git has them: ended by a newline and by nothing else."""
    return re.findall(r"[^\n]*\n|[^\n]+", text or "")
