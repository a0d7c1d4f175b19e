"""Faults of a model's server through whole nights: each ends in a retry, a parked finding, or a stopped night.

| fault | in the client | in a whole night |
|---|---|---|
| 429 with retry-after, 5xx, reset, cut off, malformed JSON, 50 MB | test_model_faults | asked again here |
| 429 without retry-after, 529, x-should-retry, dates | test_model_faults, test_model_traffic | |
| insufficient_quota, 401, 404, HTML with 200 | test_model_faults | stops here |
| DNS, TLS, hang at connect, at the first byte, mid-stream | test_model_faults, on a clock of its own | |
| length, content filter, refusal, empty choices, null content | test_model_memory | parks here |
| refusal as prose with 200 | test_model_memory | parks here |
| malformed JSON inside tool calls, unknown tool | test_model_traffic, test_model_answers | goes on here |
| no tool support, no usage | test_model_client, test_model_answers | goes on here |
"""

import json
import sys
from pathlib import Path

import pytest

from selfimprover.domain import NightReport, State
from tests.fakes.model import DROP, FLOOD, answer, calling, completion, cut, error, model_server, page
from tests.integration.test_model_night import PROPOSAL, Mails

GOOD = completion(PROPOSAL)
NO_CHOICES = answer(200, {"model": "m-1", "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 0}})
LIMITED = error(429, "Slow down.", headers={"retry-after": "0"})


async def held(folder: Path, *answers: bytes) -> tuple[Mails, NightReport, int]:
    """A night with these answers, and how often the server was asked."""
    async with model_server(*answers) as server:
        place = Mails(folder, server)
        place.configure(mode="ready", test=f"{sys.executable} -m unittest -q")
        return place, await place.held(), len(server.asked)


@pytest.mark.parametrize(
    "faults",
    [
        [LIMITED],
        [error(500, headers={"retry-after": "0"})],
        [DROP],
        [cut(GOOD)],
        [answer(200, '{"choices": [{"mess')],
        [FLOOD],
        [completion(PROPOSAL[:200], finish="length")],
        [error(400, "This model does not support tools.")],
        [calling("read_file", '{"path": "agent.')],
        [calling("run_shell", '{"command": "id"}')],
        [calling("read_file", json.dumps({"path": 7}))],
    ],
    ids=["429", "500", "reset", "cut off", "half JSON", "50 MB", "length", "no tools", "broken call", "unknown tool",
         "wrong type"],
)  # fmt: skip
async def test_what_passes_is_asked_again_and_the_fix_is_made(tmp_path: Path, faults: list[bytes]) -> None:
    place, report, asked = await held(tmp_path, *faults, GOOD)

    case = await place.case()
    assert case.state is State.OPEN, case.reason
    assert report.errors == ()
    assert asked == len(faults) + 1


async def test_an_answer_without_usage_is_counted_by_an_estimate(tmp_path: Path) -> None:
    place, report, _asked = await held(tmp_path, completion(PROPOSAL, usage=None))

    assert (await place.case()).state is State.OPEN
    assert report.usage.prompt_tokens > 500
    assert report.usage.completion_tokens > 100


@pytest.mark.parametrize(
    ("fault", "asked", "said"),
    [
        (NO_CHOICES, 1, "the answer has no content"),
        (completion(None), 1, "the answer has no content"),
        (completion("I will", finish="content_filter"), 1, "content filter stopped the answer"),
        (completion(None, refusal="I will not."), 1, "the model refused: I will not."),
        (completion(PROPOSAL[:200], finish="length"), 2, "does not fit into"),
        (error(400, "Too much.", code="context_length_exceeded"), 1, "the question is too long for the model"),
        (completion("I'm sorry, but I can't help with that."), 6, "the model gave no draft that will do"),
    ],
    ids=["empty choices", "null content", "filter", "refusal", "length twice", "too long", "refusal as prose"],
)
async def test_what_gives_no_answer_parks_the_finding_with_its_reason(
    tmp_path: Path, fault: bytes, asked: int, said: str
) -> None:
    place, report, times = await held(tmp_path, *[fault] * 9)

    case = await place.case()
    assert (case.state, report.errors) == (State.PARKED, ())
    assert said in case.reason
    assert "\n" not in case.reason
    assert times <= asked


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (error(401, "Incorrect API key provided."), "key for the model is not accepted"),
        (error(404, "The model `m-1` has been retired."), "no such model"),
        (error(429, "You exceeded your current quota.", code="insufficient_quota"), "nothing left"),
        (page(301), "points elsewhere"),
    ],
    ids=["revoked", "retired", "quota", "redirect"],
)
async def test_what_nobody_but_a_person_can_mend_stops_the_asking_with_one_clear_line(
    tmp_path: Path, fault: bytes, said: str
) -> None:
    place, report, asked = await held(tmp_path, *[fault] * 3)

    (problem,) = report.errors
    assert said in problem.what
    assert problem.mend
    assert "\n" not in problem.what
    assert asked == 1
    assert ((await place.case()).state, (await place.case()).attempts) == (State.FOUND, 0)
