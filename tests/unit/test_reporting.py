"""What people read: yesterday first, and harmless whatever strangers wrote."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from selfimprover.domain import (
    CaseFile,
    Check,
    CheckStatus,
    Choice,
    FindingReport,
    NightReport,
    Problem,
    ProjectReport,
    State,
    Strength,
    TopError,
    Usage,
    Verdict,
)
from selfimprover.reporting import pages, pull_request
from selfimprover.reporting.documents import night_document
from selfimprover.reporting.safe import code, fenced, one_line, visible
from selfimprover.reporting.terminal import print_night
from selfimprover.verification.confidence import confidence
from tests.builders import BUG, NIGHT, a_finding
from tests.fakes.drafting import a_draft

HOSTILE = (
    "<script>alert(1)</script> | @everyone fixes #12 &commat;you WWW.evil.example HTTPS://evil.example"
    " ![x](http://evil.example/?q) \x1b[31mred\x1b[0m \u202eevil `tick`"
)


def a_report(pattern: str = BUG) -> NightReport:
    return NightReport(
        night="2026-02-16",
        at=NIGHT,
        dry_run=False,
        timezone="Europe/Berlin",
        projects=(
            ProjectReport(
                name="assistant", today={"done": 6, "failed": 1, "running": 1}, yesterday={"done": 156, "failed": 13}
            ),
        ),
        top_errors=(TopError("AttributeError", pattern, 2),),
        findings=(
            FindingReport(
                id="0123456789ab",
                kind="repeated_error",
                title=pattern,
                error_type="AttributeError",
                occurrences=2,
                first_seen=NIGHT,
                last_seen=NIGHT,
                projects=("assistant",),
                state=State.DIAGNOSED,
                triage=Choice.DIAGNOSE,
                reason=pattern,
                pr_number=None,
                confidence=None,
            ),
        ),
        pull_requests=(),
        outcomes=(),
        usage=Usage(),
        errors=(Problem("project other", pattern, "mend it"),),
    )


def terminal(report: NightReport) -> str:
    out = StringIO()
    print_night(Console(file=out, width=200), report)
    return out.getvalue()


def test_yesterday_comes_first() -> None:
    text = terminal(a_report())

    assert text.index("Yesterday (Feb 15)") < text.index("Today (Feb 16)")
    assert "156 done, 13 failed" in text
    assert "as of 2026-02-16 01:17 CET (00:17Z)" in text


@pytest.mark.parametrize("render", [terminal, pages.markdown, pages.html])
def test_every_rendering_tells_the_same(render: object) -> None:
    text = render(a_report())  # type: ignore[operator]

    for part in ("169", "156 done, 13 failed", "0123456789ab", "project other", "mend it"):
        assert part in text


def test_no_rendering_lets_foreign_text_act() -> None:
    report = a_report(HOSTILE)

    assert "\x1b" not in terminal(report)
    assert "\u202e" not in terminal(report)
    markdown = pages.markdown(report)
    assert re.search(r"(?<!\\)[<@]", markdown) is None
    assert re.search(r"(?<!\\)\]\(|(?<!\\)://", markdown) is None
    columns = {line.count("|") - line.count("\\|") for line in markdown.splitlines() if "0123456789ab" in line}
    assert columns == {5}
    assert "<script" not in pages.html(report)


def test_the_page_is_whole_html_and_loads_nothing() -> None:
    seen: list[str] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.append(tag)
            assert not {name for name, _ in attrs} & {"src", "href", "onclick"}

    Parser().feed(pages.html(a_report()))

    assert {"html", "head", "body", "h1", "table"} <= set(seen)
    assert "script" not in seen


def test_the_json_document_has_the_keys_of_the_contract() -> None:
    document = json.loads(json.dumps(night_document(a_report())))

    assert {"night", "at", "dry_run", "projects", "top_errors", "findings", "pull_requests", "usage", "errors"} <= set(
        document
    )
    assert document["at"] == "2026-02-16T00:17:00Z"
    assert document["projects"]["assistant"]["tasks_by_status"]["yesterday"] == {"done": 156, "failed": 13}
    assert document["top_errors"] == [{"error_type": "AttributeError", "pattern": BUG, "count": 2}]
    assert set(document["findings"][0]) == {
        *("id", "kind", "title", "error_type", "occurrences", "first_seen", "last_seen", "projects"),
        *("state", "triage", "reason", "pr_number", "confidence"),
    }
    assert set(document["usage"]) == {"prompt_tokens", "completion_tokens", "cost_usd", "llm_calls"}


def a_case(error: str = BUG) -> CaseFile:
    check = Check(name="tests", status=CheckStatus.PASSED, detail="41 passed on base and patched")
    verdict = Verdict(
        base_commit="b" * 40,
        passed=True,
        strength=Strength.BY_TEST,
        sandbox="none",
        checks=(check,),
        reason="no test fails that passed before",
    )
    finding = a_finding(error)
    return CaseFile(
        project="assistant",
        finding=finding,
        state=State.PUSHED,
        reason="",
        fingerprints=(finding.fingerprint.value, "f" * 16),
        draft=a_draft(),
        verdict=verdict,
        confidence=confidence(a_draft(), verdict),
    )


def test_a_pull_request_says_everything_a_reviewer_asks() -> None:
    title, body = pull_request.write(a_case())

    assert title == "Fix the value"
    for part in (
        *(
            "What fails",
            "2 times",
            "2 of 10",
            "(20 %)",
            "### Cause",
            "The value is wrong.",
            "### Change",
            "### What it may hide",
        ),
        *(
            "### Checked",
            "41 passed on base and patched",
            "without a sandbox",
            "defensive-check",
            "confidence 0.92 = 0.50",
        ),
        *("up to 2 of 2 failures", "One of the failures", "agent/mail.py"),
    ):
        assert part in body


def test_the_hidden_marker_carries_identity() -> None:
    case = a_case()
    _, body = pull_request.write(case)

    assert body.startswith(
        f"<!-- selfimprover finding={case.finding.id} fingerprints={','.join(case.fingerprints)} -->"
    )


def test_a_hostile_error_text_cannot_act_in_a_pull_request() -> None:
    case = a_case("ValueError: x")
    sample = replace(case.finding.samples[0], error=HOSTILE, traceback=f"Traceback\n```\n{HOSTILE}\n-->")
    finding = replace(case.finding, title=HOSTILE, samples=(sample,))
    draft = a_draft(root_cause=HOSTILE, may_hide=(HOSTILE,), proof=(f"4 of 9 {HOSTILE} tasks",))
    _, body = pull_request.write(replace(case, finding=finding, draft=draft))

    outside = re.sub(r"(`{3,})text\n.*?\n\1", "", body, flags=re.DOTALL)
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", outside)
    outside = outside.removeprefix(pull_request.marker(case))
    assert "@everyone" not in outside
    assert "#12" not in outside
    assert "&commat" not in outside.replace("\\&", "")
    assert not re.search(r"(?i)https?://|www\.", outside)
    assert re.search(r"(?<!\\)<(?!details|/details|summary|/summary)", outside) is None
    assert "http://" not in outside
    assert re.search(r"(?<!\\)\]\(", outside) is None
    assert "\x1b" not in body
    assert "\u202e" not in body


@given(st.text())
def test_a_code_span_holds_any_text(text: str) -> None:
    span = code(text)
    fence = span[: len(span) - len(span.lstrip("`"))]

    assert "\n" not in span
    assert span.endswith(fence)
    assert fence not in span[len(fence) : -len(fence)] or not fence


@given(st.text())
def test_a_code_block_cannot_be_left(text: str) -> None:
    block = fenced(text).splitlines()

    fence = block[0].removesuffix("text")
    assert block[-1] == fence
    assert all(not line.strip().startswith(fence) for line in block[1:-1])


@given(st.text())
def test_visible_text_has_nothing_hidden(text: str) -> None:
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]", visible(text))
    assert len(one_line(text)) <= 160
