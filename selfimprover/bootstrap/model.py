"""Builds what asks the language model: the only place that sees its key. Heavy parts are imported late."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from difflib import get_close_matches
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from selfimprover.domain import Usage
from selfimprover.errors import UsageError
from selfimprover.interfaces import LeakDetector, ModelCalls
from selfimprover.settings.model import Llm

if TYPE_CHECKING:
    from selfimprover.drafting.llm.account import Account
    from selfimprover.drafting.llm.chat import Chat
    from selfimprover.drafting.llm.client import Client
    from selfimprover.drafting.llm.server import Server

OPENAI = "https://api.openai.com/v1"
"""Where a model is if nothing else is said."""


def is_configured(llm: Llm) -> bool:
    """Whether there is a model to ask."""
    return llm.enabled and llm.model is not None


@asynccontextmanager
async def client(llm: Llm, redact: Callable[[str], str]) -> "AsyncIterator[Client]":
    """The model's server for one night; its connections end with it. There must be a model."""
    from selfimprover.drafting.llm.client import Client

    async with Client(_server(llm), redact=redact) as made:
        yield made


def account(llm: Llm, calls: ModelCalls, night: str) -> "Account":
    """The account of the night with this key, within the budgets of the settings."""
    from selfimprover.drafting.llm.account import Account
    from selfimprover.drafting.llm.budget import Caps, Prices

    price, most = llm.price_per_million, llm.max_cost_per_night
    prices = Prices.exact(price.prompt, price.cached, price.completion) if price else None
    caps = Caps(llm.max_tokens_per_night, None if most is None else Decimal(str(most)))
    return Account(calls, caps, prices, night=night)


async def look(llm: Llm, redact: Callable[[str], str]) -> str:
    """What can be told of the model without asking it anything, which would cost. Raises ``SelfImproverError``."""
    from selfimprover.drafting.llm.listing import models

    assert llm.model is not None
    listed = await models(_server(llm), redact)
    address = llm.base_url or OPENAI
    host = urlsplit(address).hostname or ""
    if listed is not None and llm.model not in listed:
        near = get_close_matches(llm.model, listed, n=3, cutoff=0.4) or listed[:3]
        mend = f"set llm.model to one that it has, such as {', '.join(near)}" if near else "let it load the model"
        raise UsageError(f"it has no {llm.model}", where=f"model at {host}", mend=redact(mend))
    found = (
        "listed there"
        if listed is not None
        else "careful: there is no list of models, so only a night can tell whether llm.base_url is right"
    )
    careful = address.startswith("http:") and llm.api_key is not None and not _is_here(host)
    return f"{llm.model} at {host}: {found}{'; careful: the key goes there unencrypted' if careful else ''}"


def _server(llm: Llm) -> "Server":
    from selfimprover.drafting.llm.server import Server

    assert llm.model is not None
    key = llm.api_key.get_secret_value() if llm.api_key else None
    return Server(llm.base_url or OPENAI, llm.model, key, concurrency=llm.concurrency)


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class ModelUse:
    """The model of one night: implements ``interfaces.Meter``, and gives the chat about each finding."""

    def __init__(self, llm: Llm, calls: ModelCalls, asked: "Client", leak: LeakDetector) -> None:
        self._llm = llm
        self._leak = leak
        self._calls = calls
        self._asked = asked
        self._account: Account | None = None

    def begin(self, night: str) -> None:
        """From now on everything is of the night with this key."""
        self._account = account(self._llm, self._calls, night)

    async def usage(self) -> Usage:
        """What the night came to so far."""
        return await self._account.usage() if self._account else Usage()

    def chat(self, finding_id: str) -> "Chat":
        """The chat about one finding."""
        from selfimprover.drafting.llm.asking import chat_for

        assert self._account is not None
        assert self._llm.model is not None
        server = self._llm.base_url or OPENAI
        return chat_for(finding_id, self._asked, self._account, server=server, model=self._llm.model, leak=self._leak)
