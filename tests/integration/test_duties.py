"""What the daemon relies on, shown on its fake and on the real duties over a real memory."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from selfimprover.bootstrap import open_app
from selfimprover.daemon import Service
from selfimprover.domain import DaemonState, Due
from selfimprover.duties import AppDuties
from selfimprover.errors import ConflictError, StoppedError, UsageError
from selfimprover.interfaces import Duties
from tests.fakes.duties import FakeDuties
from tests.place import Place

AT = datetime(2026, 2, 16, 0, 17, tzinfo=UTC)
NIGHT = Due(AT.date(), AT)


def go_on() -> bool:
    return False


@pytest.fixture(params=["fake", "real"])
async def duties(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Duties]:
    if request.param == "fake":
        yield FakeDuties()
        return
    place = Place(tmp_path)
    app = open_app(place.config)
    with app.instance():
        real = AppDuties(app, asked_for=place.config, debug=False)
        await real.prepare()
        yield real


def keys(duties: Duties) -> list[tuple[str, int]]:
    return [(night.key, night.tries) for night in duties.unfinished()]


async def test_before_the_first_night_nothing_is_settled_or_unfinished(duties: Duties) -> None:
    assert not duties.is_settled(NIGHT)
    assert keys(duties) == []
    assert duties.last_night() is None


async def test_a_night_that_ended_settles_its_date(duties: Duties) -> None:
    report = await duties.hold(AT, NIGHT, go_on)

    assert report.night == "2026-02-16"
    assert duties.is_settled(NIGHT)
    assert not duties.is_settled(Due(AT.date() + timedelta(days=1), AT + timedelta(days=1)))
    assert keys(duties) == []
    assert "finding" in str(duties.last_night())


async def test_a_stop_leaves_it_unfinished_and_the_same_night_is_taken_up(duties: Duties) -> None:
    with pytest.raises(StoppedError):
        await duties.hold(AT, NIGHT, lambda: True)
    assert duties.is_settled(NIGHT)
    assert keys(duties) == [("2026-02-16", 0)], "a stop is no failed try"
    assert [night.at for night in duties.unfinished()] == [AT]

    report = await duties.hold(AT + timedelta(days=3), None, go_on, "2026-02-16")

    assert report.night == "2026-02-16"
    assert keys(duties) == []


async def test_a_cancelled_night_is_unfinished(duties: Duties) -> None:
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        current = asyncio.current_task()
        assert current is not None
        current.cancel()
        return False

    if isinstance(duties, FakeDuties):
        duties.night = lambda requested: asyncio.sleep(0 if requested() else 1)
    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(duties.hold(AT, NIGHT, stop))

    assert asked
    assert [key for key, _ in keys(duties)] == ["2026-02-16"]


async def test_a_night_that_is_not_unfinished_any_more_cannot_be_resumed(duties: Duties) -> None:
    if isinstance(duties, FakeDuties):
        pytest.skip("the fake believes whatever it is told")
    await duties.hold(AT, NIGHT, go_on)

    with pytest.raises(ConflictError, match="not unfinished"):
        await duties.hold(AT, None, go_on, "2026-02-16")


async def test_a_second_run_of_a_due_night_is_refused_and_one_that_was_asked_for_is_held(duties: Duties) -> None:
    await duties.hold(AT, NIGHT, go_on)

    with pytest.raises(ConflictError, match="held already"):
        await duties.hold(AT + timedelta(minutes=1), NIGHT, go_on)
    report = await duties.hold(AT + timedelta(minutes=1), Due(AT.date(), AT, required=False), go_on)

    assert report.night == "2026-02-16-2"


async def test_a_run_of_the_evening_leaves_the_night_of_the_same_date_to_the_clock(duties: Duties) -> None:
    early = datetime(2026, 2, 16, 0, 5, tzinfo=UTC)
    await duties.hold(early, Due(AT.date() - timedelta(days=1), AT - timedelta(days=1), required=False), go_on)

    assert not duties.is_settled(NIGHT)
    report = await duties.hold(AT, NIGHT, go_on)

    assert report.night == "2026-02-16-2"


async def test_an_abandoned_night_is_neither_unfinished_nor_held_again(duties: Duties) -> None:
    with pytest.raises(StoppedError):
        await duties.hold(AT, NIGHT, lambda: True)

    await duties.abandon("2026-02-16")

    assert keys(duties) == []
    assert duties.is_settled(NIGHT)
    assert duties.last_night() is None


@pytest.mark.parametrize("change", ['[state]\ndir = "elsewhere"', '[memory]\nurl = "sqlite:////tmp/other.db"'])
async def test_a_reload_cannot_move_the_state(tmp_path: Path, change: str) -> None:
    place = Place(tmp_path)
    duties = AppDuties(open_app(place.config), asked_for=place.config, debug=False)
    text = place.config.read_text().replace('[state]\ndir = "state"\n', "")
    place.config.write_text(change + "\n" + ("" if "state" in change else '[state]\ndir = "state"\n') + text)

    with pytest.raises(UsageError, match="another one now"):
        duties.reloaded()


def test_what_the_daemon_says_of_itself_is_kept_for_others(tmp_path: Path) -> None:
    place = Place(tmp_path)
    app = open_app(place.config)
    duties = AppDuties(app, asked_for=place.config, debug=False)
    daemon = Service(duties, "1.2.3")
    app.folder.prepare()

    daemon._tell(doing="waiting")

    state = app.folder.read_state()
    assert isinstance(state, DaemonState)
    assert (state.doing, state.version, state.config) == ("waiting", "1.2.3", str(place.config))


def test_a_state_of_another_version_is_no_state(tmp_path: Path) -> None:
    app = open_app(Place(tmp_path).config)
    app.folder.prepare()
    (app.folder.path / "daemon.json").write_text('{"pid": "who"}')

    assert app.folder.read_state() is None
