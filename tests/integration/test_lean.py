"""What waits or is asked every minute stays lean: heavy libraries are imported where they are used."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.place import Place

HEAVY = ("openai", "httpx2", "sqlalchemy", "alembic", "libcst", "jinja2", "httpx", "stamina")

IDLE = """
import asyncio, sys
from pathlib import Path
from selfimprover.bootstrap import open_app
from selfimprover.daemon import Service
from selfimprover.duties import AppDuties

app = open_app(Path(sys.argv[1]))
with app.instance("daemon"):
    duties = AppDuties(app, asked_for=None, debug=False)
    service = Service(duties, "test")
    async def main():
        asyncio.get_running_loop().call_later(1.5, service.request_stop)
        await service.run()
    asyncio.run(main())
print(*sys.modules)
"""
COMMAND = """
import sys
from selfimprover.cli import main
try:
    main()
except SystemExit:
    pass
print(*sys.modules)
"""


def imported(code: str, *arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    return {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A user's project after its first night."""
    made = Place(tmp_path)
    made.configure(at="00:17")
    made.night()
    made.config.write_text(made.config.read_text().replace("[schedule]", '[schedule]\ncatch_up = "1s"'))
    return made


def test_a_daemon_that_waits_has_nothing_heavy_in_memory(place: Place) -> None:
    modules = imported(IDLE, str(place.config))

    assert "apscheduler" in modules
    assert modules & set(HEAVY) == set()


@pytest.mark.parametrize("arguments", [["--help"], ["status"], ["trigger"]], ids=lambda one: one[0])
def test_quick_commands_are_quick(place: Place, arguments: list[str]) -> None:
    options = [] if arguments == ["--help"] else ["--config", str(place.config)]

    modules = imported(COMMAND, *arguments, *options)

    assert "typer" in modules
    assert modules & {*HEAVY, "apscheduler"} == set()
