"""What a person wants to hear of a night in the morning; nothing if nothing changed."""

from selfimprover.domain import FindingReport, NightReport, PullRequest, PullState, State
from selfimprover.reporting.night_view import summary
from selfimprover.reporting.safe import one_line

_MOST = 20


def of(report: NightReport) -> str | None:
    """The news as plain text, one line each; ``None`` if there is none."""
    lines = [
        *(_finding(finding, report) for finding in report.findings if finding.state is not finding.before),
        *(_ended(pull) for pull in report.pull_requests if pull.state is not PullState.OPEN),
        *(
            f"what PR #{outcome.pr_number} did: {one_line(outcome.sentence, 200)}"
            for outcome in report.outcomes
            if outcome.finding_id in report.settled
        ),
        *(f"error: {one_line(f'{problem.where}: {problem.what}', 250)}" for problem in report.errors),
    ]
    if not lines:
        return None
    left = len(lines) - _MOST
    shown = lines[:_MOST] + ([f"and {left} more: selfimprover report --night {report.night}"] if left > 0 else [])
    return "\n".join([f"selfimprover, night {report.night}: {summary(report)}", *(f"• {line}" for line in shown)])


def _finding(finding: FindingReport, report: NightReport) -> str:
    title = one_line(finding.title, 120)
    match finding.state:
        case State.OPEN:
            url = next((pull.url for pull in report.pull_requests if pull.number == finding.pr_number), "")
            return f"PR #{finding.pr_number} opened: {title} {one_line(url)}".rstrip()
        case State.VERIFIED:
            return f"proven and held back: {title} (selfimprover findings publish {finding.id})"
        case _:
            return f"{finding.state}: {title} ({finding.occurrences} times): {one_line(finding.reason, 160)}"


def _ended(pull: PullRequest) -> str:
    return f"PR #{pull.number} {pull.state}: {one_line(pull.title, 120)}"
