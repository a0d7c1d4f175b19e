"""Findings and pull requests on a terminal."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from itertools import groupby

from rich.console import Console
from rich.syntax import Syntax
from rich.text import Text

from selfimprover.domain import CaseFile, Query
from selfimprover.edits import unified_diff
from selfimprover.reporting.pull_view import checks, reviews, status
from selfimprover.reporting.reviews import print_reviews
from selfimprover.reporting.safe import one_line, visible
from selfimprover.reporting.table import Table


def cases_table(cases: Sequence[CaseFile]) -> Table:
    """One row per finding."""
    rows = tuple(
        (
            case.finding.id,
            str(case.finding.occurrences),
            one_line(case.finding.title, 80),
            case.state.value,
            f"#{case.pull_request.number}" if case.pull_request else "",
            f"{case.finding.last_seen:%Y-%m-%d %H:%MZ}",
        )
        for case in cases
    )
    return Table("Findings", ("Finding", "Count", "What", "State", "PR", "Last seen"), rows)


def print_case(
    console: Console, case: CaseFile, evidence: Sequence[Mapping[str, object]], timezone: tzinfo = UTC
) -> None:
    """Everything known about one finding, the most useful first; what people said has dates of ``timezone``."""
    finding = case.finding
    console.print(Text(one_line(finding.title), style="bold"))
    _line(console, "state", f"{case.state}: {case.reason}")
    _line(
        console,
        "seen",
        f"{finding.occurrences} times, {finding.first_seen:%Y-%m-%d %H:%MZ} to {finding.last_seen:%Y-%m-%d %H:%MZ}",
    )
    _line(console, "tasks", _opportunities(case))
    _line(
        console,
        "where",
        f"{', '.join(finding.projects)}; {finding.fingerprint.locus or 'told by its message'}",
    )
    _line(console, "known as", f"{finding.id}; fingerprints {', '.join(case.fingerprints)}")
    for join in case.joins:
        _line(console, "one with", f"{join.fingerprint}: {join.reason}")
    for detail in finding.details:
        _line(console, "numbers", detail)
    if case.outcome:
        _line(console, "outcome", case.outcome.sentence)
    _print_pull_request(console, case, timezone)
    _print_draft(console, case)
    if finding.samples:
        _heading(console, "The newest failure")
        sample = finding.samples[0]
        console.print(Text(visible(sample.traceback or sample.error or "(no error text)")), soft_wrap=True)
    _heading(console, "Evidence")
    for entry in evidence:
        console.print(Text(f"{entry['timestamp']}  {one_line(str(entry['content']), 400)}"), soft_wrap=True)
    _heading(console, "The query behind each number")
    for sql, queries in groupby(finding.queries, key=lambda query: query.sql):
        _print_queries(console, sql, list(queries))


def _print_pull_request(console: Console, case: CaseFile, timezone: tzinfo) -> None:
    pull = case.pull_request
    if pull is None:
        return
    told = ", ".join(part for part in (reviews(pull), f"checks: {checks(pull)}") if part)
    _line(console, "PR", f"#{pull.number}: {status(pull, case)}; {told}; {one_line(pull.url, 400)}")
    if pull.reviews:
        _heading(console, f"Reviews and comments of #{pull.number}")
        print_reviews(console, pull.reviews, timezone)


def _print_draft(console: Console, case: CaseFile) -> None:
    if case.draft is None:
        return
    _heading(console, f"Draft: {case.draft.title} ({case.draft.drafter}, risk class {case.draft.risk})")
    _line(console, "cause", case.draft.root_cause)
    _line(console, "change", case.draft.change)
    for line in case.draft.may_hide:
        _line(console, "may hide", line)
    for check in case.verdict.checks if case.verdict else ():
        _line(console, "checked", f"{check.name}: {check.status}, {one_line(check.detail, 300)}")
    for text, weight in case.confidence.parts if case.confidence else ():
        _line(console, "confidence", f"{weight:.2f} {text}")
    _print_code(console, unified_diff(case.draft.changes), "diff")


def _print_queries(console: Console, sql: str, queries: Sequence[Query]) -> None:
    """A statement as it was run, then every set of parameters it was run with."""
    _print_code(console, sql.strip(), "sql")
    for query in queries:
        parameters = json.dumps(dict(query.parameters), ensure_ascii=False)
        console.print(Text.assemble((f"{query.name} with", "dim"), f" {parameters}"), soft_wrap=True)


def _print_code(console: Console, text: str, language: str) -> None:
    """In colour on a terminal; to a file or pipe plain and whole, so that it can be run or applied."""
    if console.is_terminal:
        console.print(Syntax(visible(text), language, background_color="default", word_wrap=True))
    else:
        console.print(Text(visible(text)), soft_wrap=True)


def _opportunities(case: CaseFile) -> str:
    baseline = case.baseline or case.finding.baseline
    kinds = f" of kind {', '.join(baseline.kinds)}" if baseline.kinds else ""
    return f"{baseline.failures} of {baseline.tasks} tasks{kinds} since {baseline.window.start:%Y-%m-%d %H:%MZ}"


def _heading(console: Console, text: str) -> None:
    console.print()
    console.print(Text(visible(text), style="bold"), soft_wrap=True)


def _line(console: Console, name: str, text: str) -> None:
    console.print(Text.assemble((f"{name:>10}", "dim"), f"  {visible(text)}"), soft_wrap=True)
