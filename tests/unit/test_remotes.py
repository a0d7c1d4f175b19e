"""The address of a remote: the host and GitHub's owner/repo are read, secrets before the host are dropped."""

import pytest

from selfimprover.discovery import Remote, parse_remote

SECRET = "ghp_a1B2c3D4e5F6g7H8"


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/acme/assistant",
        "https://github.com/acme/assistant.git",
        "https://github.com/acme/assistant/",
        f"https://{SECRET}@github.com/acme/assistant.git",
        f"https://user:{SECRET}@GitHub.com:443/acme/assistant.git",
        "git@github.com:acme/assistant.git",
        "github.com:acme/assistant",
        "ssh://git@github.com/acme/assistant.git",
        "ssh://git@ssh.github.com:443/acme/assistant.git",
        "git://www.github.com/acme/assistant",
    ],
)
def test_every_form_of_a_github_address_gives_owner_and_name(url: str) -> None:
    assert parse_remote(url) == Remote("github.com", "acme/assistant")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        (f"https://oauth2:{SECRET}@gitlab.com/acme/assistant.git", "gitlab.com"),
        ("git@git.example.org:acme/assistant.git", "git.example.org"),
        ("https://github.com/acme", "github.com"),
        (f"https://github.com/acme/assistant?token={SECRET}", "github.com"),
        ("https://github.com/acme/..", "github.com"),
        ("https://github.com.example.org/acme/assistant", "github.com.example.org"),
    ],
)
def test_of_any_other_address_only_the_host_is_kept(url: str, host: str) -> None:
    assert parse_remote(url) == Remote(host, None)


@pytest.mark.parametrize(
    "url",
    [
        "/srv/git/assistant.git",
        "../assistant.git",
        "file:///srv/git/assistant.git",
        "",
        "https://a1B2c3D4/e5F6@github.com/acme/assistant",
        "a1B2c3D4:e5F6@github.com:acme/assistant",
        f"ext::sh -c {SECRET}",
        "https://\x1b[31mgithub.com/acme/assistant",
        "https://github.com/" + "a" * 100_000,
    ],
)
def test_what_is_no_address_or_may_begin_with_a_secret_gives_nothing(url: str) -> None:
    assert parse_remote(url) is None
