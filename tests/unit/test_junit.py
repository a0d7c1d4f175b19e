"""JUnit reports, which code under test writes: read safely, and for what they say."""

import os
from collections import Counter
from pathlib import Path

import pytest

from selfimprover.verification.junit import parse_report, read_report

CASES = """<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite>
<testcase classname="a.B" name="ok"><system-out>out</system-out></testcase>
<testcase classname="a.B" name="bad"><failure message="m">f</failure></testcase>
<testcase classname="a.B" name="torn"><error/></testcase>
<testcase classname="a.B" name="not now"><skipped/></testcase>
<testcase/>
</testsuite></testsuites>"""


def test_a_report_counts_what_was_executed_and_names_what_failed() -> None:
    report = parse_report(CASES.encode())

    assert report is not None
    assert report.executed == 4
    assert report.passed == Counter(["a.B::ok", "::"])
    assert report.failed == Counter(["a.B::bad", "a.B::torn"])
    assert report.skipped == Counter(["a.B::not now"])
    assert report.texts == {"a.B::bad": "f", "a.B::torn": ""}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not xml",
        CASES[:200].encode(),
        b'<!DOCTYPE x [<!ENTITY a "b">]><testsuites>&a;</testsuites>',
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x><x/>'.encode("utf-16"),
        b"<x>" + b" " * 20_000_000 + b"</x>",
    ],
)
def test_a_report_that_is_not_plain_xml_counts_as_none(content: bytes) -> None:
    assert parse_report(content) is None


def test_a_link_or_a_pipe_in_place_of_a_report_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "real.xml").write_text(CASES)
    (tmp_path / "link.xml").symlink_to(tmp_path / "real.xml")
    os.mkfifo(tmp_path / "pipe.xml")

    assert read_report(tmp_path / "real.xml") is not None
    assert [read_report(tmp_path / name) for name in ("link.xml", "pipe.xml", "absent.xml", "")] == [None] * 4
