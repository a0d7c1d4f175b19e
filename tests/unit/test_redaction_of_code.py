"""Files of a project keep their lines, so that they can be quoted; what is a secret in them still goes."""

import sysconfig
from pathlib import Path

import pytest

from selfimprover.redaction import Redactor
from tests.secrets_corpus import Case, leaks, tokens

KNOWN = "correct-horse/battery+staple"
REDACT = Redactor(b"a key of this installation", [KNOWN])
CODE = '''\
"""Written by Ada <ada@example.org>; see /home/ada/notes."""

token: str = ""
password = get_password(user, "prompt")
api_key = os.environ["API_KEY"]
headers = {"Authorization": f"Bearer {token}", "Cookie": "a=b; c=d"}
engine = create_engine("postgresql://user:password@localhost/test")
assert login("bob", password="hunter2") is None
secret = "top-secret-value"
session_id = session.cookies["session_id"]
client = Client(auth=("user", "pass"), token=settings.TOKEN, private_key=self._private_key)
'''


def test_ordinary_code_stays_as_it_is() -> None:
    assert REDACT.code(CODE) == CODE
    assert REDACT(CODE) != CODE


def test_the_code_of_the_standard_library_stays_as_it_is() -> None:
    library = Path(sysconfig.get_path("stdlib"))
    files = [library / name for name in ("imaplib.py", "ftplib.py", "netrc.py", "urllib/request.py", "smtplib.py")]

    assert [file.name for file in files if REDACT.code(file.read_text()) != file.read_text()] == []


@pytest.mark.parametrize(
    "line",
    [
        'API_KEY = "{}"',
        'headers = {{"Authorization": "Bearer {}"}}',
        "connect('https://svc:{}@db.example.org/x')",
        'password: str = "{}"',
        'config["secret_key"] = "{}"',
    ],
)
@pytest.mark.parametrize("secret", ["a8f5f167f44f4964e6c998dee827110c", "Xk29sLq81mZp77QwT4", KNOWN], ids=str)
def test_a_real_looking_key_in_code_is_taken_out(line: str, secret: str) -> None:
    assert secret not in REDACT.code(line.format(secret))


@pytest.mark.parametrize("case", list(tokens())[::7], ids=lambda case: case.kind)
def test_tokens_of_providers_are_taken_out_of_code(case: Case) -> None:
    assert not leaks(case.secret, REDACT.code(f"value = {case.text!r}"))


@pytest.mark.parametrize("case", list(tokens())[::7], ids=lambda case: case.kind)
def test_what_was_taken_out_of_code_passes_the_gate(case: Case) -> None:
    assert REDACT.leak(REDACT.code(case.text)) is None
