"""A pull request in short words: how it stands, what its checks and its reviewers say. All tables use the same ones."""

from collections.abc import Sequence
from dataclasses import dataclass

from selfimprover.domain import CaseFile, ChecksState, Outcome, PullRequest, PullState
from selfimprover.reporting.safe import one_line
from selfimprover.reporting.table import Table
from selfimprover.reporting.words import counted

_MOST_CHECKS = 2
_LONGEST_NAME = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRow:
    """A pull request as its forge tells it now, with the finding that it is for, if the memory knows it."""

    project: str
    pull: PullRequest
    case: CaseFile | None

    @property
    def outcome(self) -> Outcome | None:
        """What became of it after it was merged."""
        known = self.case.outcome if self.case else None
        return known if known and known.pr_number == self.pull.number else None


def pulls_table(rows: Sequence[PullRow]) -> Table:
    """One row per pull request; the project is told where there are several."""
    several = len({row.project for row in rows}) > 1
    columns = ("PR", *["Project"] * several, "Issue", "Status", "Checks", "Reviews", "Outcome")
    return Table("Pull requests", columns, tuple(_cells(row, several=several) for row in rows))


def links(rows: Sequence[PullRow]) -> tuple[str, ...]:
    """Where the open ones are, one line each: an address in a narrow column could not be followed."""
    opened = (row.pull for row in rows if row.pull.state is PullState.OPEN)
    return tuple(f"#{pull.number}  {one_line(pull.url, 400)}" for pull in opened)


def _cells(row: PullRow, *, several: bool) -> tuple[str, ...]:
    pull, case = row.pull, row.case
    return (
        f"#{pull.number}",
        *[one_line(row.project, _LONGEST_NAME)] * several,
        one_line(case.finding.title if case else pull.title, 80),
        status(pull, row.case),
        checks(pull),
        reviews(pull),
        _outcome(row.outcome) if row.outcome else "",
    )


def status(pull: PullRequest, case: CaseFile | None = None) -> str:
    """``draft``, ``open``, ``merged`` or ``closed``, with what stands in the way of one that has not ended."""
    if pull.state is not PullState.OPEN:
        return pull.state.value
    words = ["draft" if pull.draft else "open"]
    words += ["conflicts"] * (pull.mergeable is False)
    words += ["pushed to by somebody"] * (case is not None and _is_taken_over(pull, case))
    return ", ".join(words)


def _is_taken_over(pull: PullRequest, case: CaseFile) -> bool:
    """Whether its branch is at another commit than the one that the memory knows as ours."""
    if case.branch != pull.branch:
        return False  # of an earlier generation of the finding, about which the memory tells nothing any more
    if case.head_commit is None:
        return case.pull_request is not None
    return case.head_commit != pull.head_commit


def checks(pull: PullRequest) -> str:
    """``Passing``, ``Failing (lint)``, ``Pending`` or ``none``."""
    if pull.checks is ChecksState.NONE:
        return "none"
    told = pull.checks.value.capitalize()
    if not pull.failing:
        return told
    names = [one_line(name, _LONGEST_NAME) for name in pull.failing[:_MOST_CHECKS]]
    left = len(pull.failing) - len(names)
    return f"{told} ({', '.join(names)}{f' and {left} more' if left else ''})"


def reviews(pull: PullRequest) -> str:
    """``2 approve, alice asks for changes, 1 comment``; nothing if nobody said anything."""
    standing = pull.standing
    remarks = sum(review.verdict == "commented" for review in pull.reviews)
    told = [
        _people([author for author, verdict in standing.items() if verdict == "approved"], "approves", "approve"),
        _people(
            [author for author, verdict in standing.items() if verdict == "changes requested"],
            "asks for changes",
            "ask for changes",
        ),
        counted(remarks, "comment") if remarks else "",
    ]
    return ", ".join(part for part in told if part)


def _outcome(known: Outcome) -> str:
    more = known.more_tasks_needed
    return known.state.value + (f", about {more} more tasks needed" if more else "")


def _people(authors: Sequence[str], one: str, many: str) -> str:
    if not authors:
        return ""
    return f"{one_line(authors[0], _LONGEST_NAME)} {one}" if len(authors) == 1 else f"{len(authors)} {many}"
