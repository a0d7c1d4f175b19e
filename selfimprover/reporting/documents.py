"""The stable JSON documents of the command line, as the public contract names their keys."""

from datetime import datetime
from typing import Any

from selfimprover.domain import CaseFile, Finding, FindingReport, NightReport, Outcome, Problem, PullRequest, iso
from selfimprover.reporting.safe import visible

_NO_STANDING: dict[str, Any] = {"reviews": [], "failing": [], "mergeable": None}
"""Of a finding that has no pull request."""


def instant(at: datetime | None) -> str | None:
    """ISO 8601 with ``Z``, or null."""
    return None if at is None else iso(at)


def night_document(report: NightReport) -> dict[str, Any]:
    """What ``night --json`` and ``report --json`` print."""
    usage = report.usage
    return {
        "night": report.night,
        "at": instant(report.at),
        "dry_run": report.dry_run,
        "projects": {
            project.name: {
                "tasks_by_status": {"today": dict(project.today), "yesterday": dict(project.yesterday)},
                "error": project.error,
                "notes": list(project.notes),
            }
            for project in report.projects
        },
        "top_errors": [
            {"error_type": top.error_type, "pattern": top.pattern, "count": top.count} for top in report.top_errors
        ],
        "findings": [_finding(finding) for finding in report.findings],
        "pull_requests": [pull_request_document(pull) for pull in report.pull_requests],
        "outcomes": [outcome_document(outcome) for outcome in report.outcomes],
        "usage": {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "cost_usd": usage.cost_usd,
            "llm_calls": usage.llm_calls,
        },
        "errors": [problem_document(problem) for problem in report.errors],
    }


def _finding(finding: FindingReport) -> dict[str, Any]:
    return {
        **_identity(finding),
        "state": finding.state.value,
        "triage": finding.triage.value,
        "reason": finding.reason,
        "pr_number": finding.pr_number,
        "confidence": finding.confidence,
    }


def _identity(finding: Finding | FindingReport) -> dict[str, Any]:
    return {
        "id": finding.id,
        "kind": finding.kind,
        "title": finding.title,
        "error_type": finding.error_type,
        "occurrences": finding.occurrences,
        "first_seen": instant(finding.first_seen),
        "last_seen": instant(finding.last_seen),
        "projects": list(finding.projects),
    }


def pull_request_document(pull: PullRequest) -> dict[str, Any]:
    """One row of ``pull_requests``."""
    return {
        "number": pull.number,
        "finding": pull.finding_id,
        "title": pull.title,
        "branch": pull.branch,
        "url": pull.url,
        "state": pull.state.value,
        "draft": pull.draft,
        "checks": pull.checks.value,
    }


def standing_document(pull: PullRequest) -> dict[str, Any]:
    """What stands in a pull request's way: what people said (oldest first), the checks that failed, conflicts."""
    return {
        "reviews": [
            {
                "author": visible(review.author),
                "verdict": review.verdict,
                "text": visible(review.text),
                "at": instant(review.at),
            }
            for review in pull.reviews
        ],
        "failing": [visible(name) for name in pull.failing],
        "mergeable": pull.mergeable,
    }


def outcome_document(outcome: Outcome) -> dict[str, Any]:
    """What became of a merged fix; ``rate_ratio_95`` is [low, high or null]."""
    return {
        "finding": outcome.finding_id,
        "pr_number": outcome.pr_number,
        "state": outcome.state.value,
        "before": {"failures": outcome.before_failures, "tasks": outcome.before_tasks},
        "after": {"failures": outcome.after_failures, "tasks": outcome.after_tasks},
        "rate_ratio_95": [outcome.rate_ratio_low, outcome.rate_ratio_high],
        "p_value": outcome.p_value,
        "more_tasks_needed": outcome.more_tasks_needed,
        "sentence": outcome.sentence,
    }


def problem_document(problem: Problem) -> dict[str, Any]:
    """Something that went wrong: where, what, how to mend it."""
    return {"where": problem.where, "what": problem.what, "mend": problem.mend}


def case_document(case: CaseFile, *, details: bool = False) -> dict[str, Any]:
    """A finding's life, as ``findings list`` shows it; with ``details`` also its evidence and diff."""
    finding = case.finding
    document: dict[str, Any] = {
        **_identity(finding),
        "project": case.project,
        "state": case.state.value,
        "triage": case.triage.choice.value if case.triage else None,
        "reason": case.reason,
        "pr_number": case.pull_request.number if case.pull_request else None,
        "confidence": case.confidence.value if case.confidence and case.confidence.value else None,
    }
    if details:
        document |= _details(case)
    return document


def _details(case: CaseFile) -> dict[str, Any]:
    from selfimprover.edits import unified_diff

    finding, verdict = case.finding, case.verdict
    return {
        "pattern": finding.pattern,
        "fingerprints": list(case.fingerprints),
        "joins": [{"fingerprint": join.fingerprint, "reason": visible(join.reason)} for join in case.joins],
        "branch": case.branch,
        "baseline": {
            "from": instant(finding.baseline.window.start),
            "to": instant(finding.baseline.window.end),
            "kinds": list(finding.baseline.kinds),
            "tasks": finding.baseline.tasks,
            "failures": finding.baseline.failures,
        },
        "samples": [
            {"id": sample.id, "at": instant(sample.created_at), "error": sample.error, "traceback": sample.traceback}
            for sample in finding.samples
        ],
        "queries": [
            {"name": query.name, "sql": query.sql, "parameters": dict(query.parameters)} for query in finding.queries
        ],
        "details": list(finding.details),
        "draft": None
        if case.draft is None
        else {
            "drafter": case.draft.drafter,
            "title": case.draft.title,
            "risk": case.draft.risk.value,
            "root_cause": case.draft.root_cause,
            "change": case.draft.change,
            "may_hide": list(case.draft.may_hide),
            "proof": list(case.draft.proof),
            "rounds": case.draft.rounds,
            "diff": unified_diff(case.draft.changes),
        },
        "verdict": None
        if verdict is None
        else {
            "passed": verdict.passed,
            "strength": verdict.strength.value,
            "sandbox": verdict.sandbox,
            "reason": verdict.reason,
            "reproduced": verdict.reproduced,
            "replayed": verdict.replayed,
            "newly_passing": list(verdict.newly_passing),
            "flaky": list(verdict.flaky),
            "changed_lines": None
            if verdict.changed_lines is None
            else {"run": verdict.changed_lines.run, "total": verdict.changed_lines.total},
            "checks": [
                {"name": check.name, "status": check.status.value, "detail": check.detail} for check in verdict.checks
            ],
        },
        "confidence_parts": [list(part) for part in case.confidence.parts] if case.confidence else [],
        "outcome": outcome_document(case.outcome) if case.outcome else None,
        **(standing_document(case.pull_request) if case.pull_request else _NO_STANDING),
    }
