"""A small image for tests, made of this machine's own shell and Python: nothing is pulled."""

import io
import platform
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

NAME = f"localhost/selfimprover-test:python-{platform.python_version()}"
_TOOLS = ("sh", "sleep", "cat", "id", "touch", "env", "true", "ls")
_LEFT_OUT = ("test", "site-packages", "__pycache__", "idlelib", "ensurepip", "tkinter", "lib2to3", "config-")


def build(runner: str) -> None:
    """Imports the image into ``runner``, once for each version of Python: each import would leave one behind."""
    if subprocess.run([runner, "image", "inspect", NAME], capture_output=True, check=False).returncode == 0:
        return
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for path, source in sorted(_files().items()):
            tar.add(source, arcname=path.lstrip("/"), recursive=False)
        for folder in ("tmp", "proc", "dev", "sys", "etc"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
    subprocess.run([runner, "import", "-", NAME], input=archive.getvalue(), check=True, capture_output=True)


def _files() -> dict[str, Path]:
    base = Path(sys.base_prefix)
    interpreter = Path(f"{base}/bin/python{sys.version_info[0]}.{sys.version_info[1]}")
    modules = base / "lib" / interpreter.name
    found = {f"/bin/{tool}": Path("/usr/bin", tool).resolve() for tool in _TOOLS}
    found |= {"/usr/bin/python3": interpreter.resolve()}
    for path in modules.rglob("*"):
        if path.is_file() and not any(part.startswith(_LEFT_OUT) for part in path.relative_to(modules).parts):
            found[f"/usr/lib/{interpreter.name}/{path.relative_to(modules)}"] = path
    programs = [path for path in found.values() if ".so" in path.name or path.parent.name == "bin"]
    for library in {one for program in programs for one in _libraries(program)}:
        found[f"/usr/lib/{library.name}" if library.is_relative_to(base) else str(library)] = library.resolve()
    return found


def _libraries(program: Path) -> Iterator[Path]:
    answer = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    for path in re.findall(r"(/\S+) \(0x", answer.stdout):
        yield Path(path)
