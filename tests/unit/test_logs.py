"""Logs: on stderr, one JSON object a line where nobody watches, and no secret in any of them."""

import json
import logging
import sys

import pytest
import structlog

from selfimprover import logs
from selfimprover.redaction import Redactor


def test_a_line_is_json_with_the_event_and_its_data(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up()

    structlog.get_logger().info("night.started", projects=2)

    out, err = capsys.readouterr()
    line = json.loads(err)
    assert (line["event"], line["projects"], line["level"]) == ("night.started", 2, "info")
    assert line["timestamp"].endswith("Z")
    assert out == ""


def test_no_secret_gets_into_a_line_or_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(Redactor(b"key", ["correct-horse-battery"]))

    try:
        raise ValueError("token correct-horse-battery refused")
    except ValueError:
        structlog.get_logger().exception("call.failed", url="https://x.example/?k=correct-horse-battery")

    err = capsys.readouterr().err
    assert "correct-horse" not in err
    assert "[REDACTED:known:" in json.loads(err)["exception"]


@pytest.mark.parametrize(("option", "lines"), [("", 1), ("quiet", 0), ("debug", 2)])
def test_debug_says_more_and_quiet_says_less(capsys: pytest.CaptureFixture[str], option: str, lines: int) -> None:
    logs.set_up(debug=option == "debug", quiet=option == "quiet")

    structlog.get_logger().debug("a.detail")
    structlog.get_logger().info("an.event")

    assert len(capsys.readouterr().err.splitlines()) == lines


def test_on_a_terminal_too_no_secret_is_shown_and_no_variable_of_a_frame(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    logs.set_up(Redactor(b"key", ["correct-horse-battery"]))

    try:
        local = "correct-horse-battery"
        raise ValueError(f"token {local} refused")
    except ValueError:
        structlog.get_logger().exception("call.failed")

    err = capsys.readouterr().err
    assert "call.failed" in err
    assert "refused" in err
    assert "correct-horse" not in err


def test_no_secret_hides_inside_a_value(capsys: pytest.CaptureFixture[str]) -> None:
    class Request:
        def __str__(self) -> str:
            return "GET https://x.example/correct-horse-battery"

    logs.set_up(Redactor(b"key", ["correct-horse-battery"]))

    structlog.get_logger().info(
        "call.failed", values=[Request(), {"correct-horse-battery": ("correct-horse-battery",)}]
    )

    err = capsys.readouterr().err
    assert "correct-horse" not in err
    assert err.count("[REDACTED:known:") == 3


def test_what_libraries_log_is_a_line_like_any_other_and_below_a_warning_it_is_noise(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.set_up(Redactor(b"key", ["correct-horse-battery"]))

    logging.getLogger("httpx").info("GET https://x.example/correct-horse-battery")
    logging.getLogger("apscheduler").warning("the job %s failed", "correct-horse-battery")

    (line,) = capsys.readouterr().err.splitlines()
    assert "correct-horse" not in line
    assert json.loads(line)["event"] == "library.message"
    assert json.loads(line)["library"] == "apscheduler"


def test_a_field_whose_name_announces_a_secret_is_hidden_whatever_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(Redactor(b"key"))

    structlog.get_logger().info(
        "call.made",
        api_key="harmless",
        headers={"X-Auth-Token": "word", "Accept": "text/html"},
        prompt_tokens=12,
        key="k",
    )

    line = json.loads(capsys.readouterr().err)
    assert (line["api_key"], line["headers"]) == ("[REDACTED]", {"X-Auth-Token": "[REDACTED]", "Accept": "text/html"})
    assert (line["prompt_tokens"], line["key"]) == (12, "k")
