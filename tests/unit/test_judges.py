"""Which files judge a draft, by the names that runners and people give them."""

import pytest

from selfimprover.verification.judges import is_judge


@pytest.mark.parametrize(
    "path",
    [
        *("test_mail.py", "mail_test.py", "tests.py", "app/tests.py", "tests/data/mail.json", "app/test/helper.py"),
        *("conftest.py", "pytest_plugins.py", "mail_test.go", "mail.test.ts", "mail.spec.jsx", "spec/mail_spec.rb"),
        *("__tests__/mail.js", "Tests/mail.py", "MailTest.java", "MailTests.cs", "e2e/login.ts"),
    ],
)
def test_tests_and_what_stands_beside_them_judge(path: str) -> None:
    assert is_judge(path)


@pytest.mark.parametrize(
    "path",
    ["mail.py", "app/attest.py", "testimonials.py", "latest.py", "contest.ts", "app/testing_mode.py", "protest/x.py"],
)
def test_code_that_only_sounds_like_a_test_does_not(path: str) -> None:
    assert not is_judge(path)
