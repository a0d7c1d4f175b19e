"""Backups of the memory, what it is restored from, and how a change of the evidence is found out."""

import asyncio
import itertools
import json
import os
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprover.errors import UsageError
from selfimprover.memory import backups, engine, evidence, file
from selfimprover.memory.audit import audit
from selfimprover.memory.backups import Backups, kept
from selfimprover.memory.folder import DAEMON, StateFolder
from selfimprover.memory.store import SqlMemory
from tests.builders import NIGHT, a_finding
from tests.integration.test_memory import entry
from tests.place import Place

DAYS = [f"memory-{NIGHT + timedelta(days=day):%Y%m%dT%H%M%S}Z.db" for day in range(150)]


def damage(path: Path) -> None:
    """Overwrites some pages in the middle."""
    size = path.stat().st_size
    with path.open("r+b") as open_file:
        open_file.seek(4096)
        open_file.write(b"\xa5" * (size // 2))


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    """A memory with one finding in it."""
    path = tmp_path / "memory.db"
    engine.ensure_schema(file.url_of(path), tmp_path / "backups")
    return path


@pytest.fixture
def made(memory: Path) -> Backups:
    return Backups(memory, memory.parent / "backups")


def remember(memory: Path, *contents: str) -> None:
    asyncio.run(_remember(memory, contents))


async def _remember(memory: Path, contents: Sequence[str]) -> None:
    store = SqlMemory(file.url_of(memory))
    for number, content in enumerate(contents):
        finding = a_finding(f"ValueError: {content} {'x' * number}")
        await store.remember(finding, "assistant", entry(content), "2026-02-16", NIGHT)
    await store.close()


# --- rotation


def test_a_week_of_days_and_a_month_of_weeks_are_kept() -> None:
    present: list[Path] = []
    for day in DAYS:
        present = sorted(kept([*present, Path(day)]))

    ages = [len(DAYS) - 1 - DAYS.index(path.name) for path in present]
    assert ages[-backups.DAILY :] == list(range(backups.DAILY - 1, -1, -1))
    weeks = ages[: -backups.DAILY]
    assert len(weeks) == backups.WEEKLY
    assert all(older - newer == 7 for older, newer in itertools.pairwise(weeks[:-1]))


@given(st.sets(st.sampled_from(DAYS), min_size=1))
def test_the_newest_backup_is_always_kept_and_to_rotate_twice_changes_nothing(names: set[str]) -> None:
    present = sorted(Path(name) for name in names)

    left = kept(present)

    assert present[-1] in left
    assert left <= set(present)
    assert len(left) <= backups.DAILY + backups.WEEKLY
    assert kept(sorted(left)) == left


def test_a_backup_is_private_whole_and_holds_everything(memory: Path, made: Backups) -> None:
    remember(memory, "one", "two")

    path = made.make(NIGHT)

    assert path.stat().st_mode & 0o777 == 0o600
    assert audit(path, []).entries == 2
    assert [left.name for left in made.folder.iterdir()] == ["memory-20260216T001700Z.db"]


# --- recovery


def test_a_damaged_memory_is_put_aside_and_its_newest_good_backup_takes_its_place(memory: Path, made: Backups) -> None:
    remember(memory, "one")
    made.make(NIGHT - timedelta(days=2))
    remember(memory, "one", "two")
    good = made.make(NIGHT - timedelta(days=1))
    damage(made.make(NIGHT))
    damage(memory)
    broken = memory.read_bytes()

    restored = made.recover(NIGHT)

    assert restored is not None
    assert restored.backup == good
    assert restored.aside is not None
    assert restored.aside.read_bytes() == broken
    assert made.recover(NIGHT) is None
    with file.reading(memory) as connection:
        lines = [json.loads(line) for (line,) in connection.execute("SELECT line FROM evidence ORDER BY seq")]
    assert len(lines) == 3
    assert lines[-1]["content"].startswith("The memory was restored from memory-20260215T001700Z.db because it was")
    assert audit(memory, [good]).problems == ()


@pytest.mark.parametrize("how", ["deleted", "emptied"])
def test_a_memory_that_is_gone_comes_back(memory: Path, made: Backups, how: str) -> None:
    remember(memory, "one")
    made.make(NIGHT)
    memory.unlink()
    if how == "emptied":
        memory.touch()

    assert made.recover(NIGHT) is not None

    assert audit(memory, made.all()).entries == 2


def test_without_a_good_backup_a_damaged_memory_is_left_to_a_person(memory: Path, made: Backups) -> None:
    damage(made.make(NIGHT))
    damage(memory)
    before = memory.read_bytes()

    with pytest.raises(UsageError, match="no good backup"):
        made.recover(NIGHT)

    assert memory.read_bytes() == before


def test_a_backup_of_a_newer_version_is_not_good(memory: Path, made: Backups) -> None:
    newer = made.make(NIGHT)
    connection = sqlite3.connect(newer)
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    damage(memory)

    with pytest.raises(UsageError, match="no good backup"):
        made.recover(NIGHT)


def test_a_new_memory_needs_no_recovery(tmp_path: Path) -> None:
    assert Backups(tmp_path / "memory.db", tmp_path / "backups").recover(NIGHT) is None
    assert list(tmp_path.iterdir()) == []


# --- audit


def tamper(memory: Path, statement: str) -> None:
    """What somebody with the file in hand can do."""
    connection = sqlite3.connect(memory)
    with connection:
        for verb in ("update", "delete"):
            connection.execute(f"DROP TRIGGER evidence_no_{verb}")
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE evidence SET line = replace(line, 'two', 'six') WHERE seq = 2", 2),
        ("UPDATE evidence SET seq = seq + 10 WHERE seq > 1", 2),
        ("DELETE FROM evidence WHERE seq = 1", 1),
        ("UPDATE evidence SET line = 'no JSON' WHERE seq = 3", 3),
    ],
)
def test_an_entry_that_was_changed_is_found(memory: Path, statement: str, place: int) -> None:
    remember(memory, "one", "two", "three")
    tamper(memory, statement)

    assert audit(memory, []).problems == (f"the evidence was changed: entry {place} does not fit the one before",)


def test_an_end_that_was_cut_off_is_found_by_the_backups(memory: Path, made: Backups) -> None:
    remember(memory, "one", "two")
    backup = made.make(NIGHT)
    tamper(memory, "DELETE FROM evidence WHERE seq = 2")

    assert audit(memory, []).problems == ()
    assert audit(memory, [backup]).problems == (
        f"the evidence was changed: entry 2 is another one in backup {backup.name}",
    )


def test_a_restored_memory_may_go_another_way_than_a_later_backup(memory: Path, made: Backups) -> None:
    remember(memory, "one")
    early = made.make(NIGHT - timedelta(days=1))
    remember(memory, "one", "two")
    late = made.make(NIGHT)

    made.restore(early, NIGHT, "a person asked for it")
    remember(memory, "one", "three")

    assert audit(memory, [early, late]).problems == ()


def test_a_chain_is_whole_until_it_is_not() -> None:
    assert evidence.first_break([]) is None


# --- the commands


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_every_night_is_preceded_by_a_backup(place: Place) -> None:
    place.night()
    place.night(at="2026-02-17T00:17:00Z")

    (newest,) = (place.folder / "state" / "backups").iterdir()
    with file.reading(newest) as connection:
        assert connection.execute("SELECT count(*) FROM night").fetchone() == (1,)


def test_after_a_loss_of_the_memory_no_pull_request_is_opened_twice(place: Place) -> None:
    place.configure(mode="ready")
    (finding,) = place.night()["findings"]
    assert finding["pr_number"] == 1
    damage(place.folder / "state" / "memory.db")  # its backup is of before the pull request

    report = place.night(at="2026-02-17T00:17:00Z")

    assert [(one["state"], one["pr_number"]) for one in report["findings"]] == [("open", 1)]
    assert [pull["number"] for pull in report["pull_requests"]] == [1]
    exported = place.run("memory", "export").stdout
    assert "The memory was restored from" in exported
    assert place.run("memory", "verify").exit_code == 0


def test_backup_and_restore_by_hand(place: Place) -> None:
    place.night()
    copy = place.folder / "copy.db"
    assert place.run("memory", "backup", str(copy)).stdout.strip() == str(copy)
    again = place.run("memory", "backup", str(copy))
    assert (again.exit_code, "it is there already" in again.stderr) == (2, True)
    place.run("findings", "dismiss", "4", "--reason", "not ours")

    restored = place.run("memory", "restore", str(copy))

    assert restored.exit_code == 0, restored.stderr
    (finding,) = json.loads(place.run("findings", "list", "--json").stdout)
    assert finding["state"] == "verified"
    assert len(list((place.folder / "state").glob("memory-aside-*Z.db"))) == 1


def test_a_memory_is_not_restored_under_a_daemon(place: Place) -> None:
    place.night()
    with StateFolder(place.folder / "state").lock(DAEMON):
        refused = place.run("memory", "restore")

    assert (refused.exit_code, "the daemon holds it" in refused.stderr) == (75, True)


@pytest.mark.parametrize("content", [None, b"no database at all, but longer than a header" * 99])
def test_what_is_no_backup_is_refused_and_nothing_is_lost(place: Place, content: bytes | None) -> None:
    place.night()
    wrong = place.folder / "wrong.db"
    if content is not None:
        wrong.write_bytes(content)

    refused = place.run("memory", "restore", str(wrong))

    assert (refused.exit_code, len(refused.stderr.splitlines())) == (2, 1)
    assert place.run("memory", "verify").exit_code == 0


def test_verify_says_what_is_wrong_and_exits_1(place: Place) -> None:
    assert place.run("memory", "verify").exit_code == 2
    place.night()
    damage(place.folder / "state" / "memory.db")

    found = place.run("memory", "verify", "--json")

    assert found.exit_code == 1
    assert "damaged" in json.loads(found.stdout)["problems"][0]


def test_a_backup_is_named_after_its_instant_in_utc(memory: Path, made: Backups) -> None:
    assert made.make(datetime(2026, 2, 16, 0, 17, tzinfo=UTC)).name == "memory-20260216T001700Z.db"


def test_a_log_that_lies_beside_a_lost_memory_does_not_spoil_the_restored_one(memory: Path, made: Backups) -> None:
    remember(memory, "one")
    made.make(NIGHT)
    remember(memory, "two")
    writer = sqlite3.connect(memory)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("CREATE TABLE more (x)")
    writer.commit()
    wal = memory.with_name("memory.db-wal")
    stale = wal.read_bytes()
    writer.close()
    memory.unlink()
    wal.write_bytes(stale)

    assert made.recover(NIGHT) is not None

    assert audit(memory, made.all()).problems == ()


def test_a_backup_beside_another_one_leaves_it_alone_and_what_crashed_is_removed(memory: Path, made: Backups) -> None:
    living = made.folder / f"memory-20260101T000000Z.db-{os.getpid()}-aa.partial"
    crashed = made.folder / "memory-20260101T000000Z.db-999999999-aa.partial"
    made.folder.mkdir(exist_ok=True)
    living.touch()
    crashed.touch()

    made.make(NIGHT)

    assert (living.exists(), crashed.exists()) == (True, False)


def test_junk_among_the_backups_is_left_alone(memory: Path, made: Backups) -> None:
    made.folder.mkdir(exist_ok=True)
    (made.folder / "memory-20261301T000000Z.db").touch()
    (made.folder / "memory-20260101T000000Z.db").mkdir()

    made.make(NIGHT)

    assert [path.name for path in made.good()] == ["memory-20260216T001700Z.db"]


def test_every_restore_is_told_for_it_may_have_cut_an_end_off(memory: Path, made: Backups) -> None:
    remember(memory, "one")
    older, newer = made.make(NIGHT - timedelta(days=2)), made.make(NIGHT - timedelta(days=1))
    for backup in (older, newer):
        made.restore(backup, NIGHT, "a person asked for it")
        made.make(NIGHT)

    found = audit(memory, made.all())

    assert found.problems == ()
    assert [newer.name in told for told in found.restores] == [True]
