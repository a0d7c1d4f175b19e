"""Which workflows would run with secrets on branches and pull requests of ours."""

import pytest

from selfimprover.forges.github.workflows import warnings

DEPLOY = "jobs:\n  deploy:\n    steps:\n      - run: deploy\n        env:\n          KEY: ${{ secrets.DEPLOY_KEY }}\n"
HARMLESS = "jobs:\n  test:\n    steps:\n      - run: pytest\n        env:\n          T: ${{ secrets.GITHUB_TOKEN }}\n"


def warned(head: str, jobs: str = DEPLOY) -> tuple[str, ...]:
    return warnings({".github/workflows/ci.yml": head + jobs}, "main")


@pytest.mark.parametrize(
    "head",
    [
        "on: push\n",
        "on: [push, workflow_dispatch]\n",
        "on:\n  push:\n",
        "on:\n  push:\n    branches: ['**']\n",
        "on:\n  push:\n    branches: ['selfimprover/*']\n",
        "on:\n  push:\n    branches-ignore: [main, '*']\n",
        "'on':\n  push:\n    branches: ['!main', 'selfimprover/**']\n",
    ],
)
def test_a_push_to_our_branches_with_secrets_is_told_with_the_filter_that_prevents_it(head: str) -> None:
    (warning,) = warned(head)

    assert "the secrets DEPLOY_KEY" in warning
    assert "branches-ignore: ['selfimprover/**']" in warning


@pytest.mark.parametrize(
    "head",
    [
        "on:\n  push:\n    branches: [main]\n",
        "on:\n  push:\n    branches: ['**', '!selfimprover/**']\n",
        "on:\n  push:\n    branches-ignore: ['selfimprover/**']\n",
        "on:\n  push:\n    tags: ['v*']\n",
        "on:\n  schedule:\n    - cron: '0 0 * * *'\n",
        "on:\n  pull_request:\n    branches: [release]\n",
        "nonsense\n",
    ],
)
def test_what_our_branches_do_not_start_is_not_told(head: str) -> None:
    assert warned(head, DEPLOY if head != "nonsense\n" else "") == ()


@pytest.mark.parametrize("event", ["pull_request", "pull_request_target"])
def test_our_pull_requests_come_from_the_same_repository_and_get_its_secrets(event: str) -> None:
    (warning,) = warned(f"on: {event}\n")

    assert event in warning
    assert "startsWith(github.head_ref, 'selfimprover/')" in warning


def test_the_token_that_every_workflow_has_is_no_secret_unless_it_may_write() -> None:
    assert warned("on: push\n", HARMLESS) == ()
    (warning,) = warned("on: push\npermissions:\n  contents: write\n", HARMLESS)
    assert "a token that may write" in warning


@pytest.mark.parametrize(
    "text", ["on: [push\nsecrets.KEY", "a: &a [*a]\nb: secrets.KEY\non: push", "on: !!python/object:x\nsecrets.KEY"]
)
def test_one_that_cannot_be_read_is_told_to_be_looked_at(text: str) -> None:
    assert warnings({"x.yml": text}, "main")
