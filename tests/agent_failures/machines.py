"""Where an assistant is installed, and which Python runs it."""

from dataclasses import dataclass

PYTHONS = (9, 10, 11, 12, 13)
INSTALLATIONS = (
    ("/srv/assistant", "/srv/assistant/.venv/lib/python3.{v}/site-packages", "/usr/lib/python3.{v}"),
    (
        "/home/deploy/projects/assistant",
        "/home/deploy/.virtualenvs/assistant/lib/python3.{v}/site-packages",
        "/home/deploy/.pyenv/versions/3.{v}.4/lib/python3.{v}",
    ),
    ("/app", "/usr/local/lib/python3.{v}/site-packages", "/usr/local/lib/python3.{v}"),
    (
        "C:\\agents\\assistant",
        "C:\\agents\\assistant\\.venv\\Lib\\site-packages",
        "C:\\Program Files\\Python3{v}\\Lib",
    ),
    (
        "/Users/runner/builds/assistant",
        "/Users/runner/builds/assistant/venv/lib/python3.{v}/site-packages",
        "/opt/homebrew/Cellar/python@3.{v}/3.{v}.7/Frameworks/Python.framework/Versions/3.{v}/lib/python3.{v}",
    ),
    (
        "/opt/assistant/releases/20261102031211",
        "/opt/conda/envs/agent/lib/python3.{v}/site-packages",
        "/opt/conda/envs/agent/lib/python3.{v}",
    ),
)


@dataclass(frozen=True)
class Machine:
    """One installation of the assistant."""

    root: str
    site: str
    std: str
    minor: int

    @classmethod
    def number(cls, place: int, minor: int) -> "Machine":
        """One of the installations, with Python 3.``minor``."""
        root, site, std = (part.replace("{v}", str(minor)) for part in INSTALLATIONS[place])
        return cls(root, site, std, minor)

    def path(self, where: str, name: str) -> str:
        """A file below the project (``""``), the installed packages (``site``) or the standard library (``std``)."""
        base = {"": self.root, "site": self.site, "std": self.std}[where]
        return f"{base}/{name}" if base.startswith("/") else f"{base}\\{name}".replace("/", "\\")
