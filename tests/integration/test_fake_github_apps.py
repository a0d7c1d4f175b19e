"""GitHub Apps on the fake: signed claims, narrowed tokens, and their hour."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.fakes.github import FakeGitHub, Installation
from tests.integration.github_bench import Bench, bench


@pytest.fixture
def at() -> Iterator[Bench]:
    with bench(FakeGitHub()) as one:
        yield one


class Signer:
    """The client's side of an app: the private key, and an installation in ``octo``."""

    def __init__(self, at: Bench, key: rsa.RSAPrivateKey) -> None:
        self.at = at
        self.key = key
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.app = at.hub.app(public.decode())
        self.installation: Installation = at.hub.install(self.app, repositories=[at.one])

    def jwt(self, *, iat: float = -60, exp: float = 540, iss: str | None = None) -> str:
        now = self.at.hub.clock.now().timestamp()
        claims = {"iat": int(now + iat), "exp": int(now + exp), "iss": iss or self.app.client_id}
        return jwt.encode(claims, self.key, algorithm="RS256")

    def ask(self, body: Any = None, **claims: Any) -> httpx.Response:
        path = f"//app/installations/{self.installation.id}/access_tokens"
        return self.at.post(path, body or {}, self.jwt(**claims))


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def signer(at: Bench, key: rsa.RSAPrivateKey) -> Signer:
    return Signer(at, key)


def test_an_installation_token_lives_one_hour_and_has_no_fixed_length(signer: Signer) -> None:
    at, answer = signer.at, signer.ask()
    token = answer.json()["token"]
    assert (answer.status_code, answer.json()["permissions"]["contents"]) == (201, "write")
    assert token.startswith(f"ghs_{signer.app.id}_")
    assert len(token) > 200
    assert at.get("/pulls", token).status_code == 200

    at.hub.clock.move(timedelta(hours=1))

    assert at.get("/pulls", token).status_code == 401


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"iat": 30}, "Issued at"),
        ({"exp": -1}, "Expiration time"),
        ({"exp": 700}, "too far in the future"),
        ({"iss": "nobody"}, "Integration not found"),
    ],
)
def test_a_jwt_outside_of_its_time_is_unauthorized(signer: Signer, claims: dict[str, Any], words: str) -> None:
    answer = signer.ask(**claims)

    assert answer.status_code == 401
    assert words in answer.json()["message"]


def test_a_clock_that_runs_ahead_is_refused_and_the_date_shows_it(signer: Signer) -> None:
    ahead = signer.jwt(iat=-60)
    signer.at.hub.clock.move(timedelta(minutes=-5))

    answer = signer.at.get("//app", ahead)

    assert answer.status_code == 401
    shown = httpx.get(signer.at.hub.url).headers["Date"]
    assert shown == signer.at.hub.clock.now().strftime("%a, %d %b %Y %H:%M:%S GMT")


def test_a_jwt_of_another_key_is_unauthorized(signer: Signer) -> None:
    signer.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    assert signer.ask().status_code == 401


def test_the_app_id_is_an_issuer_as_well(signer: Signer) -> None:
    assert signer.ask(iss=str(signer.app.id)).status_code == 201


def test_a_token_can_be_narrowed_and_never_widened(signer: Signer) -> None:
    at = signer.at
    narrow = signer.ask({"permissions": {"contents": "read"}, "repositories": ["app"]}).json()
    wider = signer.ask({"permissions": {"administration": "write"}})
    elsewhere = signer.ask({"repositories": ["other"]})

    refused = at.post("/git/blobs", {"content": "x"}, narrow["token"])
    assert (refused.status_code, refused.json()["message"]) == (403, "Resource not accessible by integration")
    assert narrow["permissions"] == {"metadata": "read", "contents": "read"}
    assert [one["full_name"] for one in narrow["repositories"]] == ["octo/app"]
    assert (wider.status_code, elsewhere.status_code) == (422, 422)
    assert "not granted" in wider.json()["message"]


def test_an_app_is_no_user(signer: Signer) -> None:
    token = signer.ask().json()["token"]

    assert signer.at.get("//user", token).status_code == 403
    assert not any(signer.at.get("", token).json()["permissions"].values())
    assert signer.at.get("//app", token).status_code == 401
    assert signer.at.get("", signer.jwt()).status_code == 401


def test_an_installation_tells_its_repositories_and_is_found_by_one(signer: Signer) -> None:
    signer.at.hub.repository("octo/other")
    listed = signer.at.get("//installation/repositories", signer.ask().json()["token"]).json()

    assert [one["full_name"] for one in listed["repositories"]] == ["octo/app"]
    assert signer.at.get("/installation", signer.jwt()).json()["id"] == signer.installation.id
    assert signer.at.get("//installation/repositories").status_code == 403


def test_a_suspended_installation_gives_no_token(signer: Signer) -> None:
    token = signer.ask().json()["token"]
    signer.installation.suspended_at = signer.at.hub.clock.now()

    assert signer.ask().status_code == 403
    assert signer.at.get("", token).status_code == 404
