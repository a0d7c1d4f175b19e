"""The labelled set of agent failures is what it says: wide, unambiguous, and the same in every run."""

from collections import Counter, defaultdict

from tests.agent_failures import FAMILIES, Failure, causes, labelled
from tests.agent_failures.expansion import rows_of

WANTED = {
    "browser",
    "chains_and_groups",
    "code_bugs",
    "database",
    "http_clients",
    "infrastructure",
    "javascript",
    "llm_api",
    "mail",
    "mcp",
    "other_languages",
    "parsing",
    "plain",
    "system",
    "timeouts",
}


def test_the_set_is_wide_enough_to_mean_something() -> None:
    families = Counter(cause.family for cause in causes())

    assert len(causes()) >= 80
    assert len(labelled()) >= 8 * len(causes())
    assert set(families) == WANTED == {path.stem for path in FAMILIES.glob("*.toml")}
    assert min(families.values()) >= 5


def test_labels_are_unique_and_every_cause_says_why_it_is_one() -> None:
    labels = Counter(cause.label for cause in causes())

    assert [label for label, number in labels.items() if number > 1] == []
    assert [cause.label for cause in causes() if len(cause.why) < 10] == []


def test_no_text_stands_under_two_labels() -> None:
    labels: defaultdict[Failure, set[str]] = defaultdict(set)
    for row in labelled():
        labels[row.failure].add(row.label)

    assert [(failure, found) for failure, found in labels.items() if len(found) > 1] == []


def test_every_hole_of_a_template_is_filled() -> None:
    shown = "\n".join(f"{row.failure.error}\n{row.failure.traceback}" for row in labelled())

    assert "«" not in shown
    assert "»" not in shown
    assert "\n@ " not in shown


def test_about_a_third_of_the_causes_is_held_out() -> None:
    parts = Counter(cause.part for cause in causes())

    assert set(parts) == {"dev", "held_out"}
    assert 0.25 <= parts["held_out"] / len(causes()) <= 0.42
    assert len(labelled("dev")) + len(labelled("held_out")) == len(labelled())


def test_rows_are_the_same_in_every_run() -> None:
    assert [rows_of(cause) for cause in causes()] == [rows_of(cause) for cause in causes()]


def test_rows_vary_as_recorded_failures_do() -> None:
    failures = [row.failure for row in labelled()]
    places = [cause.label for cause in causes() if (cause.places or cause.tracebacks) and cause.form != "whole"]
    framed = [row.failure for row in labelled() if row.label in set(places)]

    assert len({failure.error for failure in failures}) > len(failures) / 2
    assert 0.08 <= sum(failure.traceback is None for failure in framed) / len(framed) <= 0.25
    assert sum("^^^" in (failure.traceback or "") for failure in failures) > len(failures) / 10
    assert sum(failure.error.startswith('{"timestamp"') for failure in failures) > 10
