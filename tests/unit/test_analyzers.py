"""The analyzers, on a source in memory."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from selfimprover.analyzers import registry
from selfimprover.analyzers.failure_rate import FailureRate
from selfimprover.analyzers.repeated_errors import RepeatedErrors
from selfimprover.domain import Finding, TaskRecord
from selfimprover.errors import UsageError
from selfimprover.interfaces import Analyzer
from tests.builders import BUG, NIGHT, TIMEOUT, context_of
from tests.fakes.telemetry import FakeTelemetry, task

HOUR = timedelta(hours=1)


async def analyze(analyzer: Analyzer, telemetry: FakeTelemetry) -> Sequence[Finding]:
    return await analyzer.analyze(telemetry, context_of("assistant", NIGHT))


async def test_a_pattern_has_its_count_span_kinds_and_denominator() -> None:
    tasks = [
        task(1, NIGHT - 9 * HOUR, error=BUG),
        task(2, NIGHT - 8 * HOUR, error=BUG),
        task(3, NIGHT - 7 * HOUR),
        task(4, NIGHT - 6 * HOUR, kind="sync"),
        task(5, NIGHT - 5 * HOUR, error=TIMEOUT, kind="sync"),
    ]

    (finding,) = await analyze(RepeatedErrors({}), FakeTelemetry("assistant", tasks))

    assert finding.title == BUG
    assert (finding.occurrences, finding.failures_in_window) == (2, 3)
    assert (finding.first_seen, finding.last_seen) == (NIGHT - 9 * HOUR, NIGHT - 8 * HOUR)
    assert (finding.baseline.kinds, finding.baseline.tasks) == (("mail",), 3)
    assert (finding.baseline.failures, finding.baseline.succeeded) == (2, 1)
    assert sum(day.failures for day in finding.baseline.daily) == 2
    assert [sample.id for sample in finding.samples] == ["2", "1"]


async def test_without_kinds_every_task_is_an_opportunity() -> None:
    tasks = [task(number, NIGHT - number * HOUR, error=BUG, kind=None) for number in (1, 2)]
    tasks += [task(3, NIGHT - 3 * HOUR, kind="sync")]

    (finding,) = await analyze(RepeatedErrors({}), FakeTelemetry("assistant", tasks))

    assert (finding.baseline.kinds, finding.baseline.tasks) == ((), 3)


async def test_the_window_is_seven_days_and_today_up_to_the_instant() -> None:
    first = NIGHT.replace(hour=0, minute=0) - timedelta(days=7)
    inside = [task(1, first, error=BUG), task(2, NIGHT - timedelta(microseconds=1), error=BUG)]
    outside = [task(3, first - timedelta(microseconds=1), error=BUG), task(4, NIGHT, error=BUG)]

    (finding,) = await analyze(RepeatedErrors({}), FakeTelemetry("assistant", inside + outside))

    assert finding.occurrences == 2


async def test_samples_with_a_traceback_are_kept_before_newer_ones_without() -> None:
    tasks = [task(1, NIGHT - 9 * HOUR, error=TIMEOUT)]
    tasks += [task(number, NIGHT - (9 - number) * HOUR, error=TIMEOUT, traceback=None) for number in range(2, 8)]

    (finding,) = await analyze(RepeatedErrors({}), FakeTelemetry("assistant", tasks))

    assert [sample.id for sample in finding.samples] == ["7", "6", "1"]


async def test_the_threshold_is_configurable() -> None:
    telemetry = FakeTelemetry("assistant", [task(number, NIGHT - number * HOUR, error=BUG) for number in (1, 2)])

    assert await analyze(RepeatedErrors({"threshold": 3}), telemetry) == []


def days(*counts: tuple[int, int]) -> FakeTelemetry:
    """Tasks of the last days, yesterday last: (failed, all) for each."""
    tasks: list[TaskRecord] = []
    for back, (failed, total) in enumerate(reversed(counts), 1):
        start = NIGHT.replace(hour=0, minute=0) - timedelta(days=back)
        for number in range(total):
            at = start + timedelta(minutes=number)
            tasks.append(task(len(tasks), at, error=BUG if number < failed else None))
    return FakeTelemetry("assistant", tasks)


async def test_a_rate_that_rose_for_certain_is_found_with_its_interval() -> None:
    (finding,) = await analyze(FailureRate({}), days((1, 100), (2, 100), (1, 100), (2, 100), (1, 100), (20, 100)))

    assert finding.title == "The failure rate rose from 1.4 % to 20.0 %"
    assert finding.occurrences == 20
    assert "rate ratio between" in finding.details[1]


@pytest.mark.parametrize(
    "counts",
    [
        [(13, 169)],
        [(1, 12), (13, 169)],
        [(1, 100), (2, 100), (3, 100)],
        [(0, 0), (0, 0)],
        [(1, 100), (30, 100), (1, 100), (28, 100), (1, 100), (31, 100)],
    ],
    ids=["nothing before", "little before", "no certain change", "nothing at all", "as bursty as ever"],
)
async def test_a_rate_that_may_be_chance_is_passed_over(counts: list[tuple[int, int]]) -> None:
    assert await analyze(FailureRate({}), days(*counts)) == []


@pytest.mark.parametrize(
    ("names", "options", "words"),
    [
        (["repeated_eror"], {}, "did you mean 'repeated_errors'"),
        (["repeated_errors"], {"repeated_errors": {"treshold": 2}}, "did you mean 'threshold'"),
        (["repeated_errors"], {"repeated_errors": {"days": 0}}, "at least 1"),
        (["failure_rate"], {"failure_rate": {"days": 1}}, "at least 2"),
    ],
)
def test_a_mistake_in_the_section_is_said(names: list[str], options: dict[str, dict[str, object]], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        registry.load(names, options)


def test_the_default_analyzers_are_there() -> None:
    assert [one.name for one in registry.load(["repeated_errors", "failure_rate"], {})] == [
        "repeated_errors",
        "failure_rate",
    ]


async def test_every_place_a_network_error_comes_from_is_counted() -> None:
    def at(place: str, number: int) -> TaskRecord:
        trace = f'Traceback (most recent call last):\n  File "/srv/app/{place}.py", line 1, in open\n{TIMEOUT}\n'
        return task(number, NIGHT - number * HOUR, error=TIMEOUT, traceback=trace)

    tasks = [
        *(at("one", number) for number in range(1, 6)),
        at("two", 6),
        task(7, NIGHT - 7 * HOUR, error=TIMEOUT, traceback=None),
    ]

    (finding,) = await analyze(RepeatedErrors({}), FakeTelemetry("assistant", tasks))

    assert finding.occurrences == 7
    assert finding.places == (("app/one.py:open", 5), ("app/two.py:open", 1))
