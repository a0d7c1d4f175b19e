"""A night's report as plain rows for people: what every rendering shows, in one order and one wording."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from selfimprover.domain import FindingReport, NightReport, ProjectReport, PullRequest
from selfimprover.reporting import pull_view
from selfimprover.reporting.safe import one_line
from selfimprover.reporting.table import Table
from selfimprover.reporting.words import counted


@dataclass(frozen=True, slots=True)
class NightView:
    """Headline, tables in reading order, and lines of what went wrong."""

    headline: str
    summary: str
    tables: tuple[Table, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def view(report: NightReport) -> NightView:
    """Yesterday first: at 00:17 today is 17 minutes old."""
    tables = [_tasks(report), _top_errors(report), _findings(report)]
    if report.pull_requests:
        tables.append(_pull_requests(report.pull_requests))
    if report.outcomes:
        tables.append(_outcomes(report))
    return NightView(
        headline=f"Night {report.night} as of {_local(report.at, report.timezone)}" + (" (dry run)" * report.dry_run),
        summary=summary(report),
        tables=tuple(table for table in tables if table.rows),
        problems=tuple(
            one_line(f"{problem.where}: {problem.what}" + (f" → {problem.mend}" if problem.mend else ""), 400)
            for problem in report.errors
        ),
        notes=tuple(f"{project.name}: {one_line(note, 300)}" for project in report.projects for note in project.notes),
    )


def _tasks(report: NightReport) -> Table:
    day = report.at.astimezone(_zone(report.timezone)).date()
    days = (f"Yesterday ({day - timedelta(days=1):%b %d})", f"Today ({day:%b %d})")
    rows = tuple(row for project in report.projects for row in _task_rows(project, days))
    return Table("Tasks", ("Project", "Day", "Tasks", "By status"), rows)


def _task_rows(project: ProjectReport, days: tuple[str, str]) -> tuple[tuple[str, ...], ...]:
    if project.error:
        return ((project.name, "", "?", "could not be read, see the errors"),)
    return tuple(
        (
            project.name,
            day,
            str(sum(counts.values())),
            ", ".join(f"{count} {one_line(name, 20)}" for name, count in counts.items()),
        )
        for day, counts in zip(days, (project.yesterday, project.today), strict=True)
    )


def _top_errors(report: NightReport) -> Table:
    rows = tuple(
        (str(top.count), top.error_type or "", one_line(top.pattern or "(no error text)", 110))
        for top in report.top_errors
    )
    return Table("Top errors of 7 days", ("Count", "Type", "Pattern"), rows)


def _findings(report: NightReport) -> Table:
    rows = tuple(
        (finding.id, str(finding.occurrences), one_line(finding.title, 100), _decision(finding))
        for finding in report.findings
    )
    return Table("Findings", ("Finding", "Count", "What", "Decision"), rows)


def _decision(finding: FindingReport) -> str:
    sure = "" if finding.confidence is None else f" (confidence {finding.confidence:.2f})"
    return f"{finding.triage} → {finding.state}: {one_line(finding.reason, 300)}{sure}"


def _pull_requests(pulls: tuple[PullRequest, ...]) -> Table:
    rows = tuple(
        (
            f"#{pull.number}",
            one_line(pull.title, 100),
            pull.finding_id,
            pull_view.status(pull),
            pull_view.checks(pull),
            pull_view.reviews(pull),
        )
        for pull in pulls
    )
    return Table("Pull requests", ("PR", "Title", "Finding", "Status", "Checks", "Reviews"), rows)


def _outcomes(report: NightReport) -> Table:
    rows = tuple((f"#{one.pr_number}", one.finding_id, one_line(one.sentence, 260)) for one in report.outcomes)
    return Table("What merged fixes did", ("PR", "Finding", "Outcome"), rows)


def summary(report: NightReport) -> str:
    """Findings, new pull requests and errors, counted."""
    opened = sum(finding.opened for finding in report.findings)
    counts = ((len(report.findings), "finding"), (opened, "new pull request"), (len(report.errors), "error"))
    return ", ".join(counted(count, noun) for count, noun in counts)


def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _local(at: datetime, timezone: str) -> str:
    local = at.astimezone(_zone(timezone))
    utc = at.astimezone(UTC)
    return f"{local:%Y-%m-%d %H:%M %Z}" + ("" if local.utcoffset() == timedelta(0) else f" ({utc:%H:%M}Z)")
