"""Opens the application only when a command needs it: its libraries are heavy, and ``--help`` is not."""

from pathlib import Path
from typing import TYPE_CHECKING

from selfimprover.cli import secrets

if TYPE_CHECKING:
    from selfimprover.bootstrap import App


def open_app(config: Path | None) -> "App":
    """The application with the configuration in force; raises ``UsageError`` for anything wrong in it."""
    from selfimprover import bootstrap

    app = bootstrap.open_app(config)
    secrets.learn(app.secrets())
    return app
