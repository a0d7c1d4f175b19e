"""What holds for every text: nothing but the secret changes, and no cut, break, colour or size lets one through."""

import base64
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC
from typing import Any, cast
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from selfimprover.forges.github import pulls
from selfimprover.patterns.fingerprints import ErrorFingerprinter
from selfimprover.redaction import Hit, Redactor
from selfimprover.telemetry import rows
from selfimprover.telemetry.rows import MAX_TEXT
from tests.secrets_corpus import Case, leaks, positives, tokens

PLACEHOLDER = re.compile(r"\[REDACTED:[a-z-]+:[0-9a-f]{6}\]")
KNOWN = "correct-horse/battery+staple"
REDACT = Redactor(b"a key of this installation", [KNOWN])
GITHUB = "gh" + "p_" + "a1B2c3D4e5F6g7H8i9J0" + "k1L2m3N4o5P6q7R8"
COLUMNS = (
    *("id", "status", "error", "traceback", "agent", "kind", "started_at", "started_at_local", "finished_at"),
    *("finished_at_local", "parent_id", "retries", "input", "version"),
)
PEM_LINE = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"
PEM = "-----BEGIN PRIVATE " + "KEY-----\n" + f"{PEM_LINE}\n" * 20 + "-----END PRIVATE " + "KEY-----"


@pytest.mark.parametrize("case", list(tokens())[::5], ids=lambda case: case.kind)
def test_nothing_outside_of_a_token_is_changed(case: Case) -> None:
    before, _, after = case.text.partition(case.secret)

    shown = REDACT(case.text)

    assert shown.startswith(before)
    assert shown.endswith(after)
    assert PLACEHOLDER.fullmatch(shown[len(before) : len(shown) - len(after)])


@given(st.text(), st.text())
def test_whatever_stands_around_a_token_stays(before: str, after: str) -> None:
    harmless = f"{before} word {after}"
    assume(REDACT(harmless) == harmless)

    shown = REDACT(f"{before} {GITHUB} {after}")

    assert PLACEHOLDER.sub("word", shown) == PLACEHOLDER.sub("word", harmless)


@given(st.text(st.sampled_from("ab1:='\"\\@/ \n[]()<>{}.&é\u200b-"), max_size=60))
def test_redacting_hostile_texts_twice_changes_nothing_more(text: str) -> None:
    once = REDACT(f"password{text} token{text}{GITHUB}{text}Cookie: {text}")

    assert REDACT(once) == once


@pytest.mark.parametrize("user", ["", "a", "ab", "abc", "svc:"])
@pytest.mark.parametrize("after", ["", "x", "yz"])
def test_a_known_secret_is_found_inside_a_longer_base64_text(user: str, after: str) -> None:
    encoded = base64.b64encode(f"{user}{KNOWN}{after}".encode()).decode()

    assert not leaks(encoded[4:-4], REDACT(f"sent {encoded} and failed"))


@pytest.mark.parametrize("encoded", [quote(KNOWN), quote(quote(KNOWN, safe=""), safe=""), KNOWN.encode().hex()])
def test_a_known_secret_is_found_in_other_encodings(encoded: str) -> None:
    assert PLACEHOLDER.fullmatch(REDACT(encoded))


@pytest.mark.parametrize("secret", [KNOWN, GITHUB], ids=["known", "token"])
@pytest.mark.parametrize("gap", ["\n", "\r\n", "\n    ", " │\n│ ", "\x1b[31m", "\u200b", "\u00ad"], ids=ascii)
def test_a_secret_in_two_pieces_is_one_secret(secret: str, gap: str) -> None:
    for place in (4, len(secret) // 2, len(secret) - 3):
        shown = REDACT(f"refused: {secret[:place]}{gap}{secret[place:]} by the server")

        assert secret[:place] not in shown
        assert secret[place:] not in shown
        assert shown.startswith("refused: [REDACTED:")
        assert shown.endswith("] by the server")


@pytest.mark.parametrize(
    "before", ["é", "日本", "🙂", "\\n", "\\u000a", "%3D", "\x1b[1m", "_", "«", "\ud800"], ids=ascii
)
def test_a_token_is_found_behind_any_neighbour(before: str) -> None:
    assert GITHUB not in REDACT(f"{before}{GITHUB}é")


@pytest.mark.parametrize(
    ("secret", "core"), [(GITHUB, GITHUB), (KNOWN, KNOWN), (PEM, PEM_LINE)], ids=["token", "known", "pem"]
)
@pytest.mark.parametrize("place", ["head", "head's margin", "tail's margin", "tail"])
def test_a_secret_at_a_cut_of_the_longest_text_leaves_no_part_of_itself(secret: str, core: str, place: str) -> None:
    total = MAX_TEXT + 50_000
    start = {
        "head": rows._HALF - 12,
        "head's margin": rows._HALF + rows._MARGIN - len(secret) // 2,
        "tail's margin": total - rows._HALF - rows._MARGIN - len(secret) // 2,
        "tail": total - rows._HALF - len(secret) + 12,
    }[place]
    raw = ("." * start + secret).ljust(total, ".")
    row: Mapping[str, Any] = dict.fromkeys(COLUMNS) | {"created_at": 0, "created_at_local": 0, "error": raw}

    (record,) = rows.RecordReader("assistant", UTC, REDACT).records([cast("Any", row)])

    parts = {core[at : at + 8] for at in range(len(core) - 7)}
    assert record.error is not None
    assert [part for part in parts if part in record.error] == []


@pytest.mark.parametrize("head", ["", "x" * 380 + " "], ids=["short", "at the cut of a template"])
def test_fingerprints_are_equal_on_every_machine(head: str) -> None:
    def fingerprint(key: bytes, known: list[str], text: str) -> str:
        return ErrorFingerprinter().fingerprint(Redactor(key, known)(text), None).value

    text = f"HTTPError: {head}login with {GITHUB} refused"

    assert fingerprint(b"one", [], text) == fingerprint(b"two", [GITHUB], text)


@pytest.mark.parametrize(
    "unit",
    [
        *("a", "eyJ", "'", '"', '\\"', "password='", "token: ", "x://a:b@", "x://a:/@", "Cookie: a=bcde", "AKIA", "\n"),
        *("-----BEGIN PRIVATE " + "KEY-----\n", "Bearer a1b2c3d4e5 ", "[REDACTED:secret:abc123]", "a@b.cc ", "login('"),
        *("&k=12abcdef", "tokens=['a1b2c3d4e5',", "password\n", "\x1b[0m", "\u200b", KNOWN, "a1 login b ", "PASS "),
    ],
    ids=ascii,
)
def test_time_grows_no_faster_than_the_text(unit: str) -> None:
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        return min(_cpu_seconds(text) for _ in range(2))

    seconds(10_000)  # compiles the rules

    assert seconds(240_000) < 8 * seconds(60_000) + 0.02


def _cpu_seconds(text: str) -> float:
    start = time.process_time()
    REDACT(text)
    return time.process_time() - start


def test_the_gate_tells_kind_and_line_but_not_the_secret() -> None:
    assert REDACT.leak(f"first\nsecond {GITHUB}\n") == Hit("github-token", 2)
    assert REDACT.leak(f"+    url = '{quote(KNOWN, safe='')}'") == Hit("known", 1)
    assert REDACT.leak(PEM) == Hit("private-key", 1)


@pytest.mark.parametrize(
    "text", ["password=hunter22", "alice@example.org", "/home/alice/x", "Authorization: Basic YWJjZGVmZ2g"]
)
def test_the_gate_stops_on_what_is_beyond_doubt_only(text: str) -> None:
    assert REDACT(text) != text
    assert REDACT.leak(text) is None


def test_placeholders_of_other_tools_and_of_ours_stay_apart_from_secrets() -> None:
    text = "password=[REDACTED:secret:0a1b2c] token=[Filtered] key=***"

    assert REDACT(text) == text


def test_re2_is_loaded_only_for_a_text_that_may_have_a_secret() -> None:
    code = (
        "import sys; from selfimprover.redaction import Redactor; redact = Redactor(b'k', ['known-value'])\n"
        "redact('night.started'); print('re2' in sys.modules); redact('password=hunter22'); print('re2' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "True"]


def test_every_kind_fits_into_a_placeholder() -> None:
    kinds = {kind for case in positives() for kind in re.findall(r"\[REDACTED:([^:\]]*):", REDACT(case.text))}

    assert len(kinds) > 30
    assert all(re.fullmatch("[a-z-]+", kind) for kind in kinds)


def test_a_secret_at_the_end_of_a_long_review_is_not_cut_in_half() -> None:
    body = "x" * 3_985 + " " + GITHUB
    review = {"state": "APPROVED", "body": body, "submitted_at": "2026-02-16T00:17:00Z", "user": {"login": "ada"}}

    (told,) = pulls.reviews([review], [], REDACT, "selfimprover-bot")

    assert "ghp_" not in told.text
