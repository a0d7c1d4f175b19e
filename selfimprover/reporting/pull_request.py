"""The text of a pull request: readable in half a minute, and harmless whatever the error text says."""

from datetime import UTC, tzinfo
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from selfimprover.domain import CaseFile, Finding
from selfimprover.reporting.safe import code, fenced, one_line, prose


def write(case: CaseFile, timezone: tzinfo = UTC) -> tuple[str, str]:
    """Title and body (Markdown) with dates of ``timezone``; the hidden marker carries finding id and fingerprints."""
    assert case.draft is not None
    assert case.verdict is not None
    template = environment().get_template("pull_request.md.j2")
    body = template.render(
        case=case,
        finding=case.finding,
        draft=case.draft,
        verdict=case.verdict,
        confidence=case.confidence,
        marker=marker(case),
        span=span(case.finding, timezone),
        sample=next((sample.traceback or sample.error for sample in case.finding.samples), None),
    )
    return one_line(case.draft.title, 120), body


def marker(case: CaseFile) -> str:
    """An HTML comment by which even a lost memory finds its own pull request again."""
    return f"<!-- selfimprover finding={case.finding.id} fingerprints={','.join(case.fingerprints)} -->"


@cache
def environment() -> Environment:
    """Templates for Markdown, whose foreign values go through ``code`` or ``fenced``.

    Made once: to compile a template takes far longer than to fill it in.
    """
    made = Environment(  # noqa: S701  (Markdown, not HTML: `code` and `fenced` make values harmless)
        loader=PackageLoader("selfimprover.reporting"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"code": code, "fenced": fenced, "prose": prose, "percent": percent}
    return made


def span(finding: Finding, timezone: tzinfo) -> str:
    """``on 2026-02-15``, or ``from 2026-02-12 to 2026-02-15``."""
    first, last = (f"{at.astimezone(timezone):%Y-%m-%d}" for at in (finding.first_seen, finding.last_seen))
    return f"on {first}" if first == last else f"from {first} to {last}"


def percent(part: int, whole: int) -> str:
    """``25 %``; nothing of nothing is 0 %."""
    return f"{100 * part / whole:.0f} %" if whole else "0 %"
