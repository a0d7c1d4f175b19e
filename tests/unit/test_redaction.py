"""No secret survives redaction, and what is no secret does."""

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfimprover.redaction import Redactor, secrets_in

REDACT = Redactor(b"a key of this installation")

SECRETS = {
    "github": "ghp_" + "a1B2c3D4e5F6g7H8i9J0" + "k1L2m3N4o5P6q7R8",
    "github fine-grained": "github_pat_" + "11ABCDEFG0abcdefghijkl" + "_mnopqrstuvwxyz",
    "github app": "ghs_" + "123456_eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0.c2ln",
    "gitlab": "glpat-" + "aBcDeFgHiJkLmNoPqRsT",
    "openai": "sk-proj-" + "abcdefghijklmnopqrstuvwx",
    "anthropic": "sk-ant-api03-" + "abcdefghijklmnopqrstuvwx",
    "aws": "AKIA" + "IOSFODNN7EXAMPLE",
    "google": "AIza" + "SyA1234567890abcdefghijklmnopqrstuv",
    "slack": "xoxb-" + "123456789012-abcdefghijkl",
    "stripe": "sk_live_" + "abcdefghijklmnop1234",
    "jwt": "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0In0.abc-DEF_123",
    "telegram": "123456789" + ":AA" + "H" * 33,
}
LINES = ("login failed with {}", "token={} refused", '{{"key": "{}"}}', "GET https://api.example/v1?k={}&x=1 401", "{}")


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("line", LINES)
def test_published_token_formats_are_taken_out(secret: str, line: str) -> None:
    cleaned = REDACT(line.format(secret))

    assert secret not in cleaned
    assert secret[len(secret) // 2 :] not in cleaned
    assert "[REDACTED:" in cleaned


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("password=hunter22 for bob", "hunter22"),
        ("Authorization: Bearer abcdefghijkl1234", "abcdefghijkl1234"),
        ("postgres://bob:s3cr3tpw@db.example/x", "s3cr3tpw"),
        ('{"api_key": "0123456789abcdef"}', "0123456789abcdef"),
        ("mail from alice@example.org", "alice@example.org"),
        ('File "/home/alice/app/x.py", line 1', "alice"),
        ("postgres://u:p@ssw0rd@db/x", "ssw0rd"),
        ("postgres://u:pa/ss@db/x", "pa/ss"),
        ("password='correct horse battery' refused", "horse"),
        ('{"password": "correct horse battery"}', "horse"),
        ("Authorization: Token abcdefgh12345678", "abcdefgh12345678"),
        ("mysql --password hunter22 -u bob", "hunter22"),
        ("DB_PASS=hunter22", "hunter22"),
        ("Cookie: a=firstvalue; auth=secondvalue", "secondvalue"),
        ("key SG.abcdefghijklmnop.qrstuvwxyz012345 refused", "qrstuvwxyz012345"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEabc\nxyz", "MIIEabc"),
    ],
)
def test_values_that_something_announces_are_taken_out(text: str, secret: str) -> None:
    assert secret not in REDACT(text)


@pytest.mark.parametrize(
    "text",
    [
        "max_tokens=100 exceeded",
        "AttributeError: 'EmailAgent' object has no attribute '_email_context_until'",
        "commit 3b18e512dba79e4c8300dd08aeb37f8e728b8dad",
        "password is required",
        "12 tests pass: all of them",
        "see http://127.0.0.1:8080/path for more",
        "uuid 123e4567-e89b-12d3-a456-426614174000",
        'File "/srv/app/agent/mail.py", line 12, in handle',
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert REDACT(text) == text


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=6, max_size=40), st.text(), st.text())
def test_a_known_secret_is_taken_out_in_every_encoding(secret: str, before: str, after: str) -> None:
    redact = Redactor(b"key", [secret])
    forms = [secret, quote(secret, safe=""), json.dumps(secret)[1:-1], base64.b64encode(secret.encode()).decode()]
    for form in forms:
        cleaned = redact(f"{before} {form} {after}")

        assert form not in cleaned or form in f"{before} {after}" or form in "[REDACTED:known:0123456789abcdef]"


@given(st.text())
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = REDACT(text)

    assert REDACT(once) == once


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_redacting_a_redacted_secret_changes_nothing_more(secret: str) -> None:
    for line in LINES:
        once = REDACT(f"password: {secret} " + line.format(secret))
        assert REDACT(once) == once


def test_equal_secrets_stay_equal_here_and_say_nothing_elsewhere() -> None:
    secret = SECRETS["github"]

    assert REDACT(secret) == REDACT(secret)
    assert REDACT(secret) != Redactor(b"another installation")(secret)


def test_a_lone_surrogate_is_no_obstacle() -> None:
    assert "hunter22" not in REDACT("\ud800 password=hunter22")


def test_variables_that_announce_a_secret_are_known() -> None:
    environment = {
        "GITHUB_TOKEN": "value-one",
        "STRIPE_KEY": "value-two",
        "DATABASE_URL": "value-three",
        "MYSQL_PASSWD": "value-four",
        "PATH": "/usr/bin:/bin",
        "API_TOKEN": "short",
    }

    assert secrets_in(environment) == ("value-one", "value-two", "value-three", "value-four")
