"""Every fault of a model's server, over real HTTP: what follows from it, and how often it is asked."""

import asyncio
import socket
import ssl
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from selfimprover.drafting.llm.client import Client
from selfimprover.drafting.llm.faults import AnswerLostError
from selfimprover.drafting.llm.server import Patience, Server
from selfimprover.errors import ModelRefusedError, ModelStoppedError, ModelUnavailableError
from tests.fakes.model import DRIP, DROP, FLOOD, HANG, answer, completion, cut, error, model_server, page
from tests.integration.certificates import certificate
from tests.integration.model_bench import HELLO, KEY, Clock, bench

ELSEWHERE = answer(302, "", location="http://192.0.2.1/v1/chat/completions")
NO_ENDPOINT = answer(200, {"message": "welcome"})


def quota(status: int = 429) -> bytes:
    return error(status, "You exceeded your current quota, please check your plan.", code="insufficient_quota")


@pytest.mark.parametrize(
    ("fault", "said", "asked"),
    [
        (error(401, "Incorrect API key provided."), "key for the model is not accepted", 1),
        (error(403, "Country not supported."), "key for the model is not accepted", 1),
        (error(400, "API key not valid."), "key for the model is not accepted", 1),
        (error(404, "The model `m-1` has been retired."), "no such model", 1),
        (error(400, "Invalid model name passed in model=m-1"), "no such model", 1),
        (page(404), "no such model", 1),
        (quota(), "nothing left", 1),
        (error(402, "Insufficient Balance"), "nothing left", 1),
        (ELSEWHERE, "points elsewhere", 1),
        (page(), "a web page came", 4),
        (NO_ENDPOINT, "not that of a model", 4),
        (answer(200, "[]"), "not that of a model", 4),
    ],
    ids=["revoked", "forbidden", "bad-key-400", "retired", "unknown-400", "html-404", "quota", "unpaid", "redirect",
         "html-200", "no-choices", "list"],
)  # fmt: skip
async def test_what_stops_the_night_is_said_once_and_nobody_asks_again(fault: bytes, said: str, asked: int) -> None:
    async with bench(*[fault] * 9) as one:
        with pytest.raises(ModelStoppedError, match=said) as caught:
            await one.client.ask(HELLO, max_tokens=50)
        with pytest.raises(ModelStoppedError, match=said):
            await one.client.ask(HELLO, max_tokens=60)

        assert len(one.server.asked) == asked
        assert caught.value.mend


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (error(400, "This model's maximum context length is 8192 tokens.", code="context_length_exceeded"), "too long"),
        (error(413, "Payload Too Large"), "too long"),
        (error(400, "The response was filtered.", code="content_filter"), "content filter"),
        (error(403, "Your chosen model requires moderation and your input was flagged."), "content filter"),
        (error(400, "messages.0: something is wrong"), "did not take the question"),
        (error(422, "Unprocessable"), "did not take the question"),
    ],
    ids=["context", "413", "filter-400", "filter-403", "400", "422"],
)
async def test_what_refuses_one_question_is_not_repeated_and_others_may_be_asked(fault: bytes, said: str) -> None:
    async with bench(fault, completion()) as one:
        with pytest.raises(ModelRefusedError, match=said):
            await one.client.ask(HELLO, max_tokens=50)

        assert (await one.client.ask(HELLO, max_tokens=50)).text == "Hello."
        assert len(one.server.asked) == 2


@pytest.mark.parametrize(
    "fault",
    [error(429, "Slow down."), error(500), error(502), page(503), error(529), error(408), error(409)],
    ids=["429", "500", "502", "503-html", "529", "408", "409"],
)
async def test_what_passes_is_asked_again_with_growing_pauses_and_then_given_up(fault: bytes) -> None:
    async with bench(*[fault] * 9) as one:
        with pytest.raises(ModelUnavailableError) as caught:
            await one.client.ask(HELLO, max_tokens=50)

        assert not isinstance(caught.value, AnswerLostError)
        assert len(one.server.asked) == 4
        assert one.clock.slept == sorted(one.clock.slept)
        assert sum(one.clock.slept) > 2
        assert len({request.raw for request in one.server.asked}) == 1


async def test_what_passed_is_forgotten() -> None:
    async with bench(error(503), error(429), completion()) as one:
        assert (await one.client.ask(HELLO, max_tokens=50)).text == "Hello."


async def test_a_server_that_names_its_pause_is_not_asked_before_its_end_by_anybody() -> None:
    async with bench(error(429, headers={"retry-after": "30"}), completion(), completion()) as one:
        await asyncio.gather(one.client.ask(HELLO, max_tokens=50), one.client.ask(HELLO, max_tokens=60))

        assert one.clock.seconds >= 1030
        assert len(one.server.asked) == 3


async def test_a_pause_may_be_named_by_a_date() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    async with bench(error(503, headers={"retry-after": later}), completion()) as one:
        await one.client.ask(HELLO, max_tokens=50)

        assert 35 < sum(one.clock.slept) < 42


async def test_a_pause_beyond_the_bound_is_not_waited_for_and_not_cut_short() -> None:
    async with bench(error(429, headers={"retry-after": "3600"})) as one:
        with pytest.raises(ModelUnavailableError, match="429"):
            await one.client.ask(HELLO, max_tokens=50)
        with pytest.raises(ModelUnavailableError, match="silence"):
            await one.client.ask(HELLO, max_tokens=50)

        assert one.clock.slept == []
        assert len(one.server.asked) == 1


async def test_a_server_that_wants_no_second_try_gets_none() -> None:
    async with bench(error(503, headers={"x-should-retry": "false"})) as one:
        with pytest.raises(ModelUnavailableError):
            await one.client.ask(HELLO, max_tokens=50)

        assert len(one.server.asked) == 1


async def test_retries_end_with_the_deadline_of_the_call() -> None:
    async with bench(*[error(503, headers={"retry-after": "40"})] * 9, patience=Patience(call=100)) as one:
        with pytest.raises(ModelUnavailableError):
            await one.client.ask(HELLO, max_tokens=50)

        assert sum(one.clock.slept) < 100
        assert len(one.server.asked) == 3


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (DROP, "connection was lost"),
        (cut(completion()), "connection was lost"),
        (answer(200, '{"choices": [{"mess'), "not whole"),
        (answer(200, ""), "the answer is empty"),
        (HANG, "no answer within"),
        (DRIP, "no answer within"),
        (error(504, "upstream timed out"), "gateway gave up"),
        (answer(200, b"\x1f\x8b", content_encoding="gzip"), "packed"),
    ],
    ids=["reset", "cut", "cut-json", "nothing", "hang-first-byte", "hang-mid-stream", "504", "packed"],
)
async def test_an_answer_that_was_lost_may_have_been_paid_so_the_client_does_not_ask_again(
    fault: bytes, said: str
) -> None:
    async with bench(fault, patience=Patience(attempt=0.4)) as one:
        with pytest.raises(AnswerLostError, match=said) as caught:
            await one.client.ask(HELLO, max_tokens=50)

        assert len(one.server.asked) == 1
        assert caught.value.sent.encode() == one.server.asked[0].raw


async def test_fifty_megabytes_are_not_loaded() -> None:
    async with bench(FLOOD, patience=Patience(most_bytes=1 << 20)) as one:
        with pytest.raises(AnswerLostError, match="too large"):
            await one.client.ask(HELLO, max_tokens=50)

        assert one.server.flooded < 12 << 20  # what sockets hold comes on top


async def test_an_error_of_fifty_megabytes_is_not_loaded_either() -> None:
    async with bench(FLOOD, patience=Patience(most_bytes=1 << 20)) as one:
        one.server.flood_status = 500
        with pytest.raises(AnswerLostError, match="too large"):
            await one.client.ask(HELLO, max_tokens=50)


async def _unreachable(base_url: str, **patience: Any) -> tuple[ModelUnavailableError, Clock]:
    clock = Clock()
    server = Server(base_url, "m-1", KEY)
    async with Client(server, patience=Patience(**patience), sleep=clock.sleep, monotonic=clock.monotonic) as client:
        with pytest.raises(ModelUnavailableError) as caught:
            await client.ask(HELLO, max_tokens=50)
    return caught.value, clock


@pytest.mark.parametrize("base_url", ["http://no-such-host.invalid/v1", "http://127.0.0.1:1/v1"], ids=["DNS", "closed"])
async def test_a_server_that_cannot_be_reached_is_tried_again_and_costs_nothing(base_url: str) -> None:
    unreachable, clock = await _unreachable(base_url)

    assert "cannot be reached" in unreachable.what
    assert not isinstance(unreachable, AnswerLostError)
    assert len(clock.slept) == 3


async def test_a_hang_while_connecting_ends_and_costs_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel accepts, and nobody speaks TLS
        port = silent.getsockname()[1]
        unreachable, clock = await _unreachable(f"https://127.0.0.1:{port}/v1", connect=0.1)

    assert "cannot be reached" in unreachable.what
    assert not isinstance(unreachable, AnswerLostError)
    assert len(clock.slept) == 3


async def test_a_certificate_of_nobody_is_not_believed_and_ssl_cert_file_may_change_that(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    own = certificate(tmp_path / "own.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own)
    async with model_server(completion(), tls=context) as server:
        unreachable, clock = await _unreachable(server.url)
        assert ("certificate" in unreachable.what, clock.slept) == (True, [])
        assert server.asked == []
        monkeypatch.setenv("SSL_CERT_FILE", str(own))
        async with Client(Server(server.url, "m-1", KEY)) as client:
            assert (await client.ask(HELLO, max_tokens=50)).text == "Hello."


async def test_three_times_in_a_row_without_an_answer_stop_the_night() -> None:
    async with bench(*[HANG] * 9, patience=Patience(attempt=0.3)) as one:
        for _ in range(3):
            with pytest.raises(ModelUnavailableError):
                await one.client.ask(HELLO, max_tokens=50)
        with pytest.raises(ModelStoppedError, match=r"no answer 3 times in a row.*no answer within"):
            await one.client.ask(HELLO, max_tokens=50)

        assert len(one.server.asked) == 3
