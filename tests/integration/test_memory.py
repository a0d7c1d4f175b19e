"""The memory: compare-and-set, append-only evidence, schema, backup, and the folder around it."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine

from selfimprover.domain import (
    CaseFile,
    ChecksState,
    Confidence,
    Evidence,
    PullRequest,
    PullState,
    Review,
    State,
    Transition,
    Triage,
)
from selfimprover.domain import Choice as TriageChoice
from selfimprover.errors import BusyError, ConflictError, UsageError
from selfimprover.memory import engine, file, tables
from selfimprover.memory.folder import StateFolder
from selfimprover.memory.store import SqlMemory
from selfimprover.patterns.fingerprints import VERSION, ErrorFingerprinter
from tests.builders import GATEWAY, NIGHT, a_finding
from tests.fakes.drafting import a_draft
from tests.unit.test_confidence import a_verdict


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'memory.db'}"


@pytest.fixture
async def memory(url: str, tmp_path: Path) -> AsyncIterator[SqlMemory]:
    engine.ensure_schema(url, tmp_path / "backups")
    store = SqlMemory(url)
    yield store
    await store.close()


def entry(content: str = "Found it.") -> Evidence:
    return Evidence(content=content, confidence=None, timestamp=NIGHT, metadata={"finding": "x"})


def step(before: State, after: State, **changes: object) -> Transition:
    values: dict[str, object] = {
        "finding_id": a_finding().id,
        "before": before,
        "after": after,
        "reason": "because",
        "night": "2026-02-16",
        "at": NIGHT,
    }
    return Transition(**{**values, **changes})  # type: ignore[arg-type]


def a_pull_request(state: State, *reviews: Review) -> PullRequest:
    return PullRequest(
        number=4,
        finding_id=a_finding().id,
        fingerprints=(),
        title="Fix the value",
        branch=f"selfimprover/fix-{a_finding().id}",
        url="u",
        state=PullState(state.value),
        draft=False,
        checks=ChecksState.NONE,
        head_commit="c" * 40,
        opened_at=NIGHT,
        reviews=reviews,
    )


async def remembered(memory: SqlMemory) -> CaseFile:
    return await memory.remember(a_finding(), "assistant", entry(), "2026-02-16", NIGHT)


async def test_a_case_comes_back_as_it_was_stored(memory: SqlMemory) -> None:
    case = await remembered(memory)
    await memory.note_triage(case.finding.id, Triage(TriageChoice.FIX, "seen twice"))

    drafted = await memory.store_draft(step(State.FOUND, State.DRAFTED), a_draft(), "key")

    assert drafted.finding == a_finding()
    assert drafted.draft == a_draft()
    assert drafted.triage == Triage(TriageChoice.FIX, "seen twice")
    assert (drafted.state, drafted.attempts, drafted.attempt_key) == (State.DRAFTED, 1, "key")
    assert drafted.drafted_at == NIGHT


async def test_earlier_drafts_are_read_newest_first_each_but_once_and_not_without_end(memory: SqlMemory) -> None:
    await remembered(memory)
    await memory.store_draft(step(State.FOUND, State.DRAFTED), a_draft(title="Fix 0"), "key")
    for number in range(1, 9):
        verdict = a_verdict(passed=False, reason=f"a test fails: {number // 2}")
        await memory.store_verdict(step(State.DRAFTED, State.PARKED), verdict, Confidence(0.0, ()))
        await memory.store_draft(step(State.PARKED, State.DRAFTED), a_draft(title=f"Fix {number // 2}"), f"{number}")

    past = await memory.past(a_finding().id)

    told = [(one.title, one.verdict and one.verdict.reason) for one in past.attempts]
    assert told[0] == ("Fix 3", "a test fails: 4")
    assert len(told) == len(set(told)) == 5
    assert past.pull_requests == ()


async def test_the_pull_request_of_an_earlier_generation_is_the_past_with_what_people_said(memory: SqlMemory) -> None:
    await remembered(memory)
    said = Review(author="ann", verdict="changes requested", text="Raise BadMail.", at=NIGHT)
    pull = a_pull_request(State.CLOSED, said)
    await memory.store_draft(step(State.FOUND, State.DRAFTED), a_draft(), "key")
    await memory.store_verdict(step(State.DRAFTED, State.VERIFIED), a_verdict(), Confidence(0.9, ()))
    await memory.store_push(step(State.VERIFIED, State.PUSHED), "c" * 40, a_finding().baseline)
    await memory.store_pull_request(step(State.PUSHED, State.CLOSED), pull)
    assert (await memory.past(a_finding().id)).pull_requests == ()

    await memory.begin_generation(step(State.CLOSED, State.FOUND))

    assert (await memory.past(a_finding().id)).pull_requests == (pull,)


async def test_a_step_from_a_state_that_is_no_more_changes_nothing(memory: SqlMemory) -> None:
    await remembered(memory)
    await memory.move(step(State.FOUND, State.DIAGNOSED, evidence=entry("Diagnosed.")))

    with pytest.raises(ConflictError, match="no longer found"):
        await memory.move(step(State.FOUND, State.PARKED, evidence=entry("Parked.")))

    case = await memory.case(a_finding().id)
    assert case is not None
    assert case.state is State.DIAGNOSED
    assert len([line async for line in memory.export()]) == 2


async def test_a_finding_cannot_skip_what_must_come_before(memory: SqlMemory) -> None:
    await remembered(memory)

    with pytest.raises(ConflictError, match="cannot go from found to pushed"):
        await memory.move(step(State.FOUND, State.PUSHED))


async def test_what_is_closed_stays_closed(memory: SqlMemory) -> None:
    for final in (State.CLOSED, State.MERGED, State.DISMISSED):
        for after in State:
            with pytest.raises(ConflictError):
                await memory.move(step(final, after))


async def test_a_known_finding_gets_new_numbers_and_keeps_its_state(memory: SqlMemory) -> None:
    await remembered(memory)
    await memory.move(step(State.FOUND, State.DIAGNOSED))

    case = await memory.remember(replace(a_finding(), occurrences=9), "assistant", entry("Again."), "2026-02-17", NIGHT)

    assert (case.state, case.finding.occurrences) == (State.DIAGNOSED, 9)
    assert len([line async for line in memory.export()]) == 1


async def test_aliases_all_mean_the_finding_and_never_change_their_meaning(memory: SqlMemory) -> None:
    case = await remembered(memory)
    other = await memory.remember(a_finding(GATEWAY), "assistant", entry(), "2026-02-16", NIGHT)
    alias = ErrorFingerprinter().fingerprint("ValueError: renamed", None)

    await memory.add_alias(case.finding.id, alias, "a test")
    await memory.add_alias(other.finding.id, alias, "too late")

    assert await memory.resolve([alias.value]) == case.finding.id
    assert await memory.resolve([a_finding().fingerprint.value]) == case.finding.id
    known = await memory.case(case.finding.id)
    assert known is not None
    assert known.fingerprints == (case.finding.fingerprint.value, alias.value)


async def test_only_cases_without_the_version_are_named(memory: SqlMemory) -> None:
    case = await remembered(memory)

    assert await memory.without_alias(VERSION) == []
    assert [one.finding.id for one in await memory.without_alias(VERSION + 1)] == [case.finding.id]


async def test_evidence_and_journal_cannot_be_changed_even_by_hand(memory: SqlMemory, tmp_path: Path) -> None:
    await remembered(memory)
    connection = sqlite3.connect(tmp_path / "memory.db")
    for table in ("evidence", "journal"):
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET seq = seq + 1"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)
    connection.close()


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(), min_size=1, max_size=5))
async def test_any_content_keeps_the_chain_whole(url: str, tmp_path: Path, contents: list[str]) -> None:
    engine.ensure_schema(url, tmp_path / "backups")
    memory = SqlMemory(url)
    await memory.remember(a_finding(), "assistant", entry(), "2026-02-16", NIGHT)
    for content in contents:
        case = await memory.case(a_finding().id)
        assert case is not None
        after = State.FOUND if case.state is State.GONE else State.GONE
        safe = content.encode("utf-8", "replace").decode()
        await memory.move(step(case.state, after, evidence=entry(safe)))
    previous = None
    async for line in memory.export():
        assert "\n" not in line
        assert json.loads(line)["metadata"]["previous"] == previous
        previous = sha256(line.encode()).hexdigest()
    await memory.close()


async def test_an_unfinished_night_is_taken_up_again(memory: SqlMemory) -> None:
    first = await memory.begin_night("2026-02-16", NIGHT)
    again = await memory.begin_night("2026-02-16", NIGHT + timedelta(minutes=5))

    assert first == again == "2026-02-16"


def test_the_migrated_schema_is_the_one_the_code_uses(url: str, tmp_path: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    engine.ensure_schema(url, tmp_path / "backups")
    database = create_engine(url)
    with database.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, tables.metadata)
    database.dispose()

    assert differences == []
    assert file.current_revision(url) == file.REVISIONS[-1]


def test_a_newer_schema_is_refused_with_one_clear_line(url: str, tmp_path: Path) -> None:
    engine.ensure_schema(url, tmp_path / "backups")
    _set_revision(tmp_path / "memory.db", "9999")

    with pytest.raises(UsageError, match=r"newer version of selfimprover \(schema 9999"):
        engine.ensure_schema(url, tmp_path / "backups")


def test_an_older_schema_is_backed_up_before_it_is_changed(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.ensure_schema(url, tmp_path / "backups")
    _set_revision(tmp_path / "memory.db", "0000")
    monkeypatch.setattr(engine, "REVISIONS", ("0000", "0002"))
    monkeypatch.setattr(file, "REVISIONS", ("0000", "0002"))
    monkeypatch.setattr(engine, "_migrate", lambda _url: None)

    engine.ensure_schema(url, tmp_path / "backups")

    (backup,) = (tmp_path / "backups").iterdir()
    assert file.current_revision(f"sqlite:///{backup}") == "0000"
    assert backup.stat().st_mode & 0o777 == 0o600


def test_what_an_older_schema_held_is_there_after_the_migration(url: str, tmp_path: Path) -> None:
    engine._migrate(url, "0002")
    with closing(sqlite3.connect(tmp_path / "memory.db")) as old, old:
        finding = "('abc', 'app', 'open', 'because', 2, 0, '', 3, '2026-02-16', '2026-02-16', '{}')"
        columns = (
            "id, project, state, reason, generation, attempts, attempt_key, occurrences, first_night, last_night, data"
        )
        old.execute(f"INSERT INTO finding ({columns}) VALUES {finding}")
        old.execute("INSERT INTO pull_request VALUES ('abc', 2, 'app', 'f00d', 'before', 7, '{}')")

    engine.ensure_schema(url, tmp_path / "backups")

    with closing(sqlite3.connect(tmp_path / "memory.db")) as new:
        query = "SELECT finding_id, generation, head_commit, baseline, number, answered, revises FROM pull_request"
        assert new.execute(query).fetchall() == [("abc", 2, "f00d", "before", 7, "[]", None)]
        assert new.execute("PRAGMA foreign_key_check").fetchall() == []


def test_a_migration_that_fails_half_way_leaves_nothing(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alembic import op

    real, calls = op.create_table, iter(range(100))

    def failing(*args: object, **kwargs: object) -> object:
        if next(calls) == 3:
            raise RuntimeError("the disk is gone")
        return real(*args, **kwargs)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(op, "create_table", failing)
        with pytest.raises(RuntimeError):
            engine.ensure_schema(url, tmp_path / "backups")

    assert file.current_revision(url) is None
    engine.ensure_schema(url, tmp_path / "backups")
    assert file.current_revision(url) == file.REVISIONS[-1]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"not a database at all, but longer than a header of one" * 30, "cannot be read"),
        (None, "not those of a memory"),
    ],
)
def test_a_foreign_file_is_refused_and_left_alone(url: str, tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "memory.db"
    if content is None:
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE something (x)")
        connection.close()
    else:
        path.write_bytes(content)
    before = path.read_bytes()

    with pytest.raises(UsageError, match=words):
        engine.ensure_schema(url, tmp_path / "backups")

    assert path.read_bytes() == before


def test_looking_for_a_memory_creates_none(url: str, tmp_path: Path) -> None:
    assert file.current_revision(url) is None
    assert list(tmp_path.iterdir()) == []


def test_a_second_instance_is_refused_and_a_dead_one_is_no_obstacle(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "state")
    folder.prepare()
    holder = (
        "import sys, os, signal; from pathlib import Path; from selfimprover.memory.folder import StateFolder\n"
        "with StateFolder(Path(sys.argv[1])).lock():\n"
        "    print('held', flush=True); sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", holder, str(folder.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == b"held\n"

    with pytest.raises(BusyError, match=f"process {process.pid}"), folder.lock():
        pass
    process.kill()
    process.wait()
    process.stdout.close()
    process.stdin.close()

    with folder.lock():
        assert (folder.path / "lock").read_text() == f"{os.getpid()} command\n"


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(UsageError, match="cannot be written"):
        StateFolder(tmp_path / "file" / "state").prepare()


def test_the_redaction_key_is_made_once_and_private(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "state")
    folder.prepare()

    key = folder.redaction_key()

    assert folder.redaction_key() == key
    assert len(key) == 32
    assert (folder.path / "redaction.key").stat().st_mode & 0o777 == 0o600
    assert folder.path.stat().st_mode & 0o777 == 0o700


def _set_revision(path: Path, revision: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.close()
