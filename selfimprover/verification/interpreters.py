"""What has to be mounted for a virtual environment to work: itself, and the interpreter that it was made from."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from selfimprover.errors import UsageError

_SYSTEM = (Path("/usr"), Path("/bin"), Path("/sbin"), Path("/lib"), Path("/lib64"))
_OURS = ("/etc", "/proc", "/sys", "/dev", "/run", "/var/run", "/boot")
"""What a sandbox has of its own, or must not have."""


def exposed(folders: Sequence[Path]) -> tuple[Path, ...]:
    """``folders``, and what their interpreters need, under every name by which it is reached; nothing twice.

    Raises ``UsageError`` where this would show more than a tool: a home, the whole disk, the system's own folders.
    """
    found: dict[Path, None] = {}
    for folder in folders:
        for one in _reached(folder.absolute()):
            _check(one, folder)
            found[one] = None
    return tuple(one for one in found if not any(one.is_relative_to(system) for system in _SYSTEM))


def _reached(folder: Path) -> Iterator[Path]:
    """The folder, and the prefix of its interpreter, each as it is named and as it is."""
    yield folder
    yield folder.resolve()
    for place in filter(None, (folder / "bin", _base(folder))):
        for python in (place / "python3", place / "python"):
            if python.exists() and not python.resolve().is_relative_to(folder.resolve()):
                yield from _prefixes(python)


def _prefixes(python: Path) -> Iterator[Path]:
    """The prefix of an interpreter, under every name that its links give it."""
    real = python.resolve().parent.parent
    yield real
    for link in _links(python):
        if link.parent.parent.resolve() == real:
            yield link.parent.parent


def _base(folder: Path) -> Path | None:
    """``home`` of pyvenv.cfg: the folder of the interpreter from which the environment was made."""
    try:
        lines = (folder / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    entries = dict(line.partition("=")[::2] for line in lines)
    values = {name.strip(): value.strip() for name, value in entries.items()}
    return Path(values["home"]) if values.get("home", "").startswith("/") else None


def _links(path: Path) -> Iterator[Path]:
    """The path, and every place that its chain of symbolic links leads to."""
    yield path
    for _ in range(40):
        if not path.is_symlink():
            return
        path = path.parent / path.readlink()
        yield path


def _check(folder: Path, named: Path) -> None:
    above_home = Path.home().resolve().is_relative_to(folder.resolve())
    if above_home or len(folder.parts) == 1 or any(folder.is_relative_to(own) for own in _OURS):
        what = f"{folder} would be shown to the tests" + (f", for {named}" if folder != named else "")
        mend = "name the folder of a tool or of a virtual environment, whose interpreter is not in a home's own bin"
        raise UsageError(what, where="projects.verify.expose", mend=mend)
