"""What a foreign table's names tell: one column for one name, the mandatory first, statuses as they are written."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfimprover.telemetry.layout import MANDATORY, OPTIONAL
from selfimprover.telemetry.names import failing, map_columns, rank, same_name


@pytest.mark.parametrize(
    ("theirs", "mapped"),
    [
        (["ID", "Status", "ERROR", "Created_At"], ["ID", "Status", "ERROR", "Created_At"]),
        (["uuid", "state", "error_message", "ts"], ["uuid", "state", "error_message", "ts"]),
        (["taskId", "outcome", "exception", "createdAt"], ["taskId", "outcome", "exception", "createdAt"]),
        (["job id", "job-status", "err", "inserted_at"], ["job id", "job-status", "err", "inserted_at"]),
        (["id", "result", "state", "error", "timestamp"], ["id", "state", "error", "timestamp"]),
        (["id", "status", "err", "error", "time", "created"], ["id", "status", "error", "created"]),
    ],
)
def test_the_mandatory_columns_are_known_by_their_usual_names(theirs: list[str], mapped: list[str]) -> None:
    assert map_columns(theirs) == dict(zip(MANDATORY, mapped, strict=True))


def test_the_optional_columns_are_known_by_their_usual_names() -> None:
    theirs = [
        "stackTrace",
        "agent_name",
        "task_type",
        "started",
        "endTime",
        "parent",
        "retry_count",
        "payload",
        "commit",
    ]

    assert map_columns(theirs) == dict(zip(OPTIONAL, theirs, strict=True))


def test_our_own_name_wins_over_a_synonym_wherever_it_stands() -> None:
    assert map_columns(["type", "name", "KIND"]) == {"kind": "KIND"}


def test_a_mandatory_name_takes_a_column_before_an_optional_one() -> None:
    theirs = ["id", "status", "error", "started_at", "start"]

    assert map_columns(theirs) == {
        "id": "id",
        "status": "status",
        "error": "error",
        "created_at": "started_at",
        "started_at": "start",
    }


def test_what_counts_something_else_is_not_taken() -> None:
    assert map_columns(["attempts", "message", "success"]) == {}


_WORDS = [
    "id",
    "uuid",
    "task",
    "status",
    "state",
    "error",
    "err",
    "start",
    "started",
    "at",
    "time",
    "ts",
    "name",
    "kind",
]
_NAMES = st.lists(st.sampled_from(_WORDS), min_size=1, max_size=3).flatmap(
    lambda words: st.sampled_from(["_".join(words), "".join(words).upper(), " ".join(words)])
)


@settings(deadline=None)
@given(st.lists(_NAMES | st.text(max_size=6), max_size=20, unique=True))
def test_no_column_serves_two_names_and_each_is_one_of_theirs(theirs: list[str]) -> None:
    mapped = map_columns(theirs)

    assert len(set(mapped.values())) == len(mapped)
    assert set(mapped.values()) <= set(theirs)
    assert set(mapped) <= {*MANDATORY, *OPTIONAL}


def test_a_name_is_ours_only_where_sqlite_thinks_so_too() -> None:
    assert same_name("KIND", "kind")
    assert not same_name("\u212aIND", "kind")  # the Kelvin sign, which Python lowers to k
    assert map_columns(["\u212aIND"]) == {"kind": "\u212aIND"}


def test_failing_statuses_are_kept_as_they_are_written() -> None:
    statuses = ["done", "FAILED", "Timed Out", "timed-out", "error", "running", "not failed", "cancelled"]

    assert failing(statuses) == ("FAILED", "Timed Out", "error", "timed-out")


def test_tables_are_ranked_by_what_their_names_say() -> None:
    names = ["tasks", "TASK", "jobs", "job", "runs", "run", "task_history", "events"]

    ranks = [rank(name) for name in names]
    assert ranks == sorted(set(ranks))
    assert all(first < second for first, second in itertools.pairwise(ranks))
