"""Tokens and GitHub Apps, with real keys, against a scripted server."""

import asyncio
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from selfimprover.errors import ForgeError, UsageError
from selfimprover.forges.github.auth import AppAuth, TokenAuth
from selfimprover.forges.github.client import GitHub
from selfimprover.forges.github.errors import MissingError, RefusedByGitHubError, UnauthorisedError
from selfimprover.forges.github.rules import Answer
from tests.fakes.github import FakeGitHub
from tests.integration.scripted_server import DROP, Clock, Stage, reply, stage

OK = reply(200, {"ok": True})
START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
FIRST = "ghs_12345_eyJ0eXAiOiJKV1QifQ.first-token_of.the-installation"
SECOND = "ghs_12345_eyJ0eXAiOiJKV1QifQ.second-token_of.the-installation"
BAD = reply(401, {"message": "Bad credentials"})


@cache
def key() -> RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(
    secret: Any = None,
    how: PrivateFormat = PrivateFormat.TraditionalOpenSSL,
    lock: KeySerializationEncryption | None = None,
) -> str:
    return str((secret or key()).private_bytes(Encoding.PEM, how, lock or NoEncryption()).decode())


def token(text: str, *, minutes: int = 60, **more: object) -> bytes:
    ends = (START + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return reply(201, {"token": text, "expires_at": ends, "permissions": {"contents": "write"}, **more})


def app(clock: Clock | None = None, **more: Any) -> AppAuth:
    clock = clock or Clock()
    return AppAuth("Iv23client", pem(), 77, now=clock.now, **more)


def bearers(at: Stage) -> list[str]:
    return [seen.headers["authorization"].removeprefix("Bearer ") for seen in at.script.seen]


def claims(bearer: str) -> Mapping[str, Any]:
    checked = {"verify_exp": False, "verify_iat": False}
    return jwt.decode(bearer, key().public_key(), algorithms=["RS256"], options=checked)  # type: ignore[arg-type]


# --- tokens ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "  ", "two words", "ghp_ümlaut", "a\nb"])
def test_a_token_that_cannot_be_one_is_refused_before_anything_is_sent(text: str) -> None:
    with pytest.raises(UsageError, match=r"^github\.token: ") as caught:
        TokenAuth(text)

    assert "mlaut" not in str(caught.value)


async def test_the_newline_at_the_end_of_a_secret_file_is_no_part_of_the_token() -> None:
    async with stage(OK, auth=TokenAuth("ghp_abc\n")) as at:
        await at.github.get("/user")

    assert bearers(at) == ["ghp_abc"]


def test_no_representation_shows_a_secret() -> None:
    auth = app()

    assert "ghp_abc" not in repr(TokenAuth("ghp_abc"))
    assert repr(auth) == "AppAuth(app_id='Iv23client', installation_id=77)"


async def test_a_plain_token_has_no_second_chance() -> None:
    async with stage(BAD, OK, auth=TokenAuth("ghp_abc")) as at:
        with pytest.raises(UnauthorisedError):
            await at.github.get("/user")

    assert len(at.script.seen) == 1


# --- Apps --------------------------------------------------------------------------------------------------


async def test_an_app_asks_for_a_token_with_no_more_rights_than_it_needs_and_works_with_that() -> None:
    auth = app(repositories=["r"], permissions={"contents": "write", "pull_requests": "write"})
    async with stage(token(FIRST), OK, OK, auth=auth) as at:
        await at.github.get("/repos/o/r")
        await at.github.get("/repos/o/r")

    asked = at.script.seen[0]
    assert (asked.method, asked.target) == ("POST", "/app/installations/77/access_tokens")
    assert asked.body == {"repositories": ["r"], "permissions": {"contents": "write", "pull_requests": "write"}}
    assert bearers(at)[1:] == [FIRST, FIRST]
    assert auth.granted == {"contents": "write"}
    assert FIRST not in repr(auth)


async def test_the_apps_own_token_is_signed_and_stands_a_slow_and_a_fast_clock() -> None:
    async with stage(token(FIRST), OK, auth=app()) as at:
        await at.github.get("/repos/o/r")

    signed = bearers(at)[0]
    said = claims(signed)
    assert jwt.get_unverified_header(signed)["alg"] == "RS256"
    assert said["iss"] == "Iv23client"
    assert said["iat"] == int(START.timestamp()) - 60
    assert said["exp"] == int(START.timestamp()) + 9 * 60


async def test_the_number_of_an_app_is_as_good_as_its_client_id() -> None:
    async with stage(token(FIRST), OK, auth=AppAuth(4711, pem(), 77, now=Clock().now)) as at:
        await at.github.get("/repos/o/r")

    assert claims(bearers(at)[0])["iss"] == "4711"


async def test_a_token_is_renewed_five_minutes_before_it_ends() -> None:
    clock = Clock()
    async with stage(token(FIRST), OK, OK, token(SECOND, minutes=120), OK, auth=app(clock)) as at:
        await at.github.get("/a")
        clock.seconds += 54 * 60 + 59
        await at.github.get("/a")
        clock.seconds += 1
        await at.github.get("/a")

    assert [bearer for bearer in bearers(at) if bearer.startswith("ghs_")] == [FIRST, FIRST, SECOND]


@pytest.mark.parametrize("write", [False, True])
async def test_a_token_that_is_refused_is_renewed_once_and_the_request_repeated(*, write: bool) -> None:
    async with stage(token(FIRST), BAD, token(SECOND), OK, auth=app()) as at:
        await (at.github.write("POST", "/a", {"n": 1}) if write else at.github.get("/a"))

    assert [bearer for bearer in bearers(at) if bearer.startswith("ghs_")] == [FIRST, SECOND]


async def test_a_renewed_token_that_is_refused_as_well_ends_it() -> None:
    async with stage(token(FIRST), BAD, token(SECOND), BAD, OK, auth=app()) as at:
        with pytest.raises(UnauthorisedError):
            await at.github.get("/a")

    assert len(at.script.seen) == 4


async def test_all_who_ask_at_once_share_one_renewal() -> None:
    async with stage(token(FIRST), *[OK] * 8, auth=app()) as at:
        await asyncio.gather(*(at.github.get("/a") for _ in range(8)))

    assert [seen.target for seen in at.script.seen].count("/app/installations/77/access_tokens") == 1


async def test_who_finds_a_token_renewed_already_does_not_renew_it_again() -> None:
    auth = app()
    async with stage(token(FIRST), OK, token(SECOND), OK, auth=auth) as at:
        await at.github.get("/a")
        assert await auth.renew(FIRST)
        await at.github.get("/a")
        assert await auth.renew(FIRST)
        at.script.then(OK)
        await at.github.get("/a")

    assert [bearer for bearer in bearers(at) if bearer.startswith("ghs_")] == [FIRST, SECOND, SECOND]


async def test_a_renewal_that_is_cancelled_leaves_the_next_one_free() -> None:
    auth, asked = app(), asyncio.Event()

    async def silent(path: str, bearer: str, body: Mapping[str, object]) -> Answer:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    async def good(path: str, bearer: str, body: Mapping[str, object]) -> Answer:
        return Answer(201, {"token": FIRST, "expires_at": "2026-11-24T04:00:00Z"})

    first, second = asyncio.create_task(auth.token(silent)), asyncio.create_task(auth.token(good))
    await asked.wait()
    first.cancel()

    assert await second == FIRST


@pytest.mark.parametrize("bad", [DROP, reply(502), reply(201, b'{"token": "gh')], ids=["dropped", "502", "cut"])
async def test_asking_for_a_token_is_repeated_like_a_read_even_for_a_write(bad: bytes) -> None:
    async with stage(bad, token(FIRST), reply(201, {}), auth=app()) as at:
        await at.github.write("POST", "/a", {})

    assert at.github.calls.writes == 1


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"token": FIRST},
        {"token": FIRST, "expires_at": "soon"},
        {"token": FIRST, "expires_at": "2026-11-24T04:00:00"},
        {"token": "", "expires_at": "2026-11-24T04:00:00Z"},
        {"token": 7, "expires_at": "2026-11-24T04:00:00Z"},
        {"token": "ghs_ü", "expires_at": "2026-11-24T04:00:00Z"},
        [],
    ],
)
async def test_an_answer_without_a_token_and_its_end_is_a_clear_error(said: object) -> None:
    async with stage(reply(201, said), auth=app()) as at:
        with pytest.raises(ForgeError, match="no token with an end"):
            await at.github.get("/a")


# --- what a person has to mend -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [
        "'Expiration time' claim ('exp') is too far in the future",
        "'Expiration time' claim ('exp') must be a numeric value representing the future time at which it expires",
        "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
    ],
)
async def test_a_clock_that_is_off_is_named_as_the_cause(message: str) -> None:
    answer = reply(401, {"message": message}, date="Tue, 24 Nov 2026 05:00:00 GMT")
    async with stage(answer, auth=app()) as at:
        with pytest.raises(
            UnauthorisedError, match=r"check this machine's clock; GitHub's says 2026-11-24 05:00:00 UTC"
        ):
            await at.github.get("/a")

    assert len(at.script.seen) == 1


async def test_a_key_of_another_app_is_named_as_the_cause() -> None:
    async with stage(reply(401, {"message": "A JSON web token could not be decoded"}), auth=app()) as at:
        with pytest.raises(UnauthorisedError, match=r"github\.app_id and github\.private_key_file belong together"):
            await at.github.get("/a")


async def test_an_installation_that_is_gone_is_named_as_the_cause() -> None:
    async with stage(reply(404, {"message": "Not Found"}), auth=app()) as at:
        with pytest.raises(MissingError, match=r"there is no installation 77 \(check github\.installation_id"):
            await at.github.get("/a")


async def test_rights_that_were_never_given_are_named_as_the_cause() -> None:
    said = {"message": "The permissions requested are not granted to this installation."}
    async with stage(reply(422, said), auth=app()) as at:
        with pytest.raises(RefusedByGitHubError, match="accept the permissions that it asks for"):
            await at.github.get("/a")


@pytest.mark.parametrize("how", [PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8])
@pytest.mark.parametrize("in_file", [False, True])
def test_a_key_is_taken_from_a_text_or_a_file(tmp_path: Path, how: PrivateFormat, *, in_file: bool) -> None:
    text = pem(how=how)
    (tmp_path / "app.pem").write_text(text)

    assert claims(AppAuth(1, tmp_path / "app.pem" if in_file else text, 2).app_token())["iss"] == "1"


def _public() -> str:
    return key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (lambda: "", "not a private key in PEM form"),
        (lambda: "ghp_confused_with_a_token", "not a private key in PEM form"),
        (lambda: pem()[:300], "not a private key in PEM form"),
        (lambda: pem().replace("MII", "\x00ü\ud800"), "not a private key in PEM form"),
        (_public, "not a private key in PEM form"),
        (lambda: pem(ec.generate_private_key(ec.SECP256R1()), PrivateFormat.PKCS8), "not an RSA key"),
        (lambda: pem(lock=BestAvailableEncryption(b"pw")), "locked by a password"),
    ],
    ids=["empty", "a token", "cut", "garbage", "public", "elliptic", "locked"],
)
def test_a_key_that_cannot_be_used_is_one_line_that_names_the_file_and_shows_nothing(
    tmp_path: Path, text: Any, why: str
) -> None:
    file = tmp_path / "app.pem"
    file.write_bytes(text().encode("utf-8", "surrogatepass"))
    with pytest.raises(UsageError, match=why) as caught:
        AppAuth(1, file, 2)
    with pytest.raises(UsageError, match=why):
        AppAuth(1, text(), 2)

    assert str(caught.value).startswith(f"{file}: ")
    assert "\n" not in str(caught.value)
    assert "BEGIN" not in str(caught.value)
    assert "confused" not in str(caught.value)


def test_a_key_that_cannot_be_read_is_one_line_that_names_the_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    for name, why in {"missing.pem": "cannot be read: No such file", "pipe": "not a file", ".": "not a file"}.items():
        with pytest.raises(UsageError, match=why) as caught:
            AppAuth(1, tmp_path / name, 2)
        assert str(tmp_path) in str(caught.value)


# --- on the whole fake ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_number", [False, True])
async def test_an_app_works_on_for_hours_and_only_where_it_was_let_in(*, by_number: bool) -> None:
    clock = Clock()
    with FakeGitHub(now=clock.now) as hub:
        hub.repository("octo/app")
        hub.repository("octo/other")
        installed = hub.install(hub.app(_public()))
        number: int | str = installed.app.id if by_number else installed.app.client_id
        wanted = {"contents": "read", "metadata": "read"}
        auth = AppAuth(number, pem(), installed.id, repositories=["app"], permissions=wanted, now=clock.now)
        async with GitHub(hub.url, auth, now=clock.now, sleep=clock.sleep, monotonic=clock.monotonic) as github:
            for _ in range(5):
                await github.get("/repos/octo/app")
                clock.seconds += 40 * 60
            with pytest.raises(MissingError):
                await github.get("/repos/octo/other")

        assert auth.granted == wanted
        assert len(hub.log.select("POST", "/app/installations/*/access_tokens")) == 3


async def test_a_clock_that_is_far_off_is_told_by_github_itself() -> None:
    clock = Clock()
    with FakeGitHub(now=clock.now) as hub:
        installed = hub.install(hub.app(_public()))
        clock_here = Clock()
        clock_here.seconds += 3600
        auth = AppAuth(installed.app.client_id, pem(), installed.id, now=clock_here.now)
        async with GitHub(hub.url, auth) as github:
            with pytest.raises(UnauthorisedError, match=r"check this machine's clock; GitHub's says 2026-11-24 03:00"):
                await github.get("/repos/octo/app")
