"""What a person sees of the model: ``check``, and ``findings show --prompt``."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest
from pydantic import ValidationError

from selfimprover.bootstrap import model, open_app
from selfimprover.checkup import examine
from selfimprover.domain import CallOutcome, Examined, ModelCall, TokenUsage
from selfimprover.drafting.llm.budget import Prices
from selfimprover.interfaces import ModelCalls
from selfimprover.memory.store import SqlMemory
from selfimprover.settings.model import Llm
from tests.builders import NIGHT
from tests.fakes.model import answer, completion, error, model_server
from tests.integration.model_bench import KEY
from tests.place import Place

NO_CALLS = cast("ModelCalls", None)
LISTED = answer(200, {"object": "list", "data": [{"id": "coder-large"}, {"id": "coder-small"}]})


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


async def looked(place: Place, *answers: bytes, name: str = "coder-large") -> tuple[Examined, Sequence[str]]:
    async with model_server(*answers) as server:
        place.configure(extra=f'[llm]\nmodel = "{name}"\nbase_url = "{server.url}"\napi_key = "{KEY}"')
        found = (await examine(place.config))[-1]
        return found, [f"{one.method} {one.path}" for one in server.asked]


async def test_check_asks_for_the_list_of_models_and_nothing_that_costs(place: Place) -> None:
    found, asked = await looked(place, LISTED, completion())

    assert (found.part, found.ok, found.what) == ("model", True, "coder-large at 127.0.0.1: listed there")
    assert asked == ["GET /v1/models"]


async def test_check_names_the_models_that_there_are(place: Place) -> None:
    found, _ = await looked(place, LISTED, name="coder-lrage")

    assert not found.ok
    assert "has no coder-lrage" in found.what
    assert found.mend.startswith("set llm.model to one that it has, such as coder-large")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (error(401, f"Incorrect API key: {KEY}"), "key for the model is not accepted"),
        (answer(200, "<html>", content_type="text/html"), "no list of models"),
        (answer(200, {"hello": "world"}), "no list of models"),
        (error(500), "failed"),
        (answer(302, "", location="http://192.0.2.1/"), "points elsewhere"),
    ],
    ids=["key", "page", "other", "failed", "redirect"],
)
async def test_check_says_what_is_wrong_and_how_to_mend_it_without_the_key(
    place: Place, fault: bytes, said: str
) -> None:
    found, asked = await looked(place, fault)

    assert (found.ok, said in found.what, len(asked)) == (False, True, 1)
    assert KEY not in found.what + found.mend


async def test_a_server_without_a_list_leaves_the_question_open(place: Place) -> None:
    found, _ = await looked(place, error(404))

    assert found.ok
    assert "only a night can tell" in found.what


@pytest.mark.parametrize(("name", "value"), [("ALL_PROXY", "nonsense://me:pw@proxy"), ("SSL_CERT_FILE", "/no/such")])
async def test_an_environment_that_cannot_be_used_is_told(
    place: Place, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    found, asked = await looked(place, LISTED)

    assert (found.ok, "cannot be used" in found.what, "pw" in found.what, asked) == (False, True, False, [])


async def test_a_look_at_the_model_does_not_load_what_only_a_night_needs(place: Place) -> None:
    place.configure(extra='[llm]\nmodel = "m"\nbase_url = "http://127.0.0.1:1/v1"')
    code = "import asyncio, sys; from pathlib import Path; from selfimprover.checkup import examine"
    code += f"\nprint(asyncio.run(examine(Path({str(place.config)!r})))[-1].what, *sys.modules)"
    command = [sys.executable, "-c", code]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)

    assert "cannot be reached" in done.stdout
    assert {"openai", "httpx2"} & set(done.stdout.split()) == set()


@pytest.mark.parametrize(
    ("extra", "said"),
    [("", "names no model"), ('[llm]\nenabled = false\nmodel = "coder-large"', "enabled = false")],
)
async def test_without_a_model_nobody_is_asked(place: Place, extra: str, said: str) -> None:
    place.configure(extra=extra)
    found = (await examine(place.config))[-1]

    assert (found.ok, said in found.what) == (True, True)


async def test_a_key_that_would_travel_unencrypted_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async with model_server(LISTED) as server:
        port = server.url.rpartition(":")[2]
        monkeypatch.setattr(model, "_is_here", lambda _host: False)
        llm = Llm.model_validate({"model": "coder-large", "base_url": f"http://127.0.0.1:{port}", "api_key": KEY})

        assert "unencrypted" in await model.look(llm, str)


def test_a_cap_of_the_settings_is_exact() -> None:
    prices = {"prompt": 0.1, "cached": 0.1, "completion": 0.1}
    llm = Llm.model_validate({"model": "m-1", "max_cost_per_night": 0.3, "price_per_million": prices})

    account = model.account(llm, NO_CALLS, "2026-02-16")

    assert account._caps.cost == Decimal("0.3")
    assert account._prices == Prices(Decimal("0.1"), Decimal("0.1"), Decimal("0.1"))


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1:8000/v1", "ftp://m.test/v1", "https://me:pw@m.test/v1", "https://m.test/v1?key=1", "https://m.test/#a"],
)
def test_an_address_that_is_none_or_more_than_one_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        Llm.model_validate({"base_url": address})


def test_show_prompt_prints_what_was_sent_to_the_letter(place: Place) -> None:
    finding = place.night()["findings"][0]["id"]
    requests = ['{"model": "m-1", "messages": [{"role": "user", "content": "a\\u202eb ü"}]}', '{"model": "m-1"}']
    asyncio.run(_keep(place, finding, requests))

    shown = place.run("findings", "show", finding[:6], "--prompt")
    document = json.loads(place.run("findings", "show", finding, "--prompt", "--json").stdout)

    lines = shown.stdout.splitlines()
    assert lines[1::2] == requests
    assert "answered, 100 + 20 tokens" in lines[0]
    assert [one["request"] for one in document] == requests
    assert document[0]["answer"] == "raw\x9b"


def test_show_prompt_says_if_nothing_was_sent(place: Place) -> None:
    finding = place.night()["findings"][0]["id"]

    shown = place.run("findings", "show", finding, "--prompt")

    assert (shown.exit_code, shown.stdout) == (0, "")
    assert "asked nothing about it" in shown.stderr


async def _keep(place: Place, finding_id: str, requests: list[str]) -> None:
    memory = SqlMemory(open_app(place.config).memory_url)
    for request in requests:
        call = ModelCall(
            request_hash="h",
            finding_id=finding_id,
            night="2026-02-16",
            at=NIGHT,
            request=request,
            outcome=CallOutcome.ANSWERED,
            usage=TokenUsage(100, 0, 20),
            answer="raw\x9b",
        )
        await memory.store_reply(await memory.note_call(call), call)
    await memory.close()
