"""What went wrong with a request, and what follows from it. Pure."""

import json
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from selfimprover.drafting.llm.pauses import wait_of
from selfimprover.errors import ModelRefusedError, ModelStoppedError, ModelUnavailableError, SelfImproverError

BASE_URL = "correct llm.base_url, and see whether a proxy or a login page is between us"
_LONGEST = 300


class Follows(Enum):
    """What follows when it is not repeated, or not any more."""

    STOPS = auto()
    """The whole night asks no more."""
    REFUSES = auto()
    """This question gets no answer."""
    WAITS = auto()
    """No answer tonight, and nothing was paid."""
    LOST = auto()
    """No answer, and it may have been paid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What went wrong. Texts of the server are in it only cleaned and cut."""

    follows: Follows
    what: str
    mend: str = ""
    again: bool = False
    """Asking once more may help, and costs nothing."""
    wait: float | None = None
    """Seconds that the server asks to wait."""
    status: int = 0
    complaint: str = ""
    """All that the server said, for finding out what it does not understand; never shown."""
    raw: str = ""
    """An answer that could not be used, as it came."""


class AnswerLostError(ModelUnavailableError):
    """No answer arrived, but the server may have made one: whoever keeps the budget decides about asking again."""

    def __init__(self, what: str, *, where: str = "", mend: str = "", sent: str = "", raw: str = "") -> None:
        super().__init__(what, where=where, mend=mend)
        self.sent = sent
        self.raw = raw


def error_of(fault: Fault, *, where: str, sent: str) -> SelfImproverError:
    """The exception that a caller acts on."""
    if fault.follows is Follows.LOST:
        return AnswerLostError(fault.what, where=where, mend=fault.mend, sent=sent, raw=fault.raw)
    kinds: dict[Follows, type[SelfImproverError]] = {
        Follows.STOPS: ModelStoppedError,
        Follows.REFUSES: ModelRefusedError,
        Follows.WAITS: ModelUnavailableError,
    }
    return kinds[fault.follows](fault.what, where=where, mend=fault.mend)


@dataclass(frozen=True, slots=True)
class _Told:
    """What an error's body says, as far as it is JSON of one of the usual forms."""

    message: str
    everything: str

    @classmethod
    def of(cls, body: bytes) -> "_Told":
        text = body[:20_000].decode("utf-8", "replace")
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            return cls("" if "<" in text[:200] else plain(text), text)
        inner = data.get("error", data) if isinstance(data, dict) else data
        if isinstance(inner, dict):
            inner = inner.get("message") or inner.get("detail") or inner.get("msg") or inner
        return cls(plain(inner if isinstance(inner, str) else json.dumps(inner)), text)


def refused_request(status: int, headers: Mapping[str, str], body: bytes) -> Fault:
    """What follows from a status that is no success."""
    told = _Told.of(body)
    fault = _meaning(status, told.everything)
    what = f"{fault.what} (status {status})"
    return Fault(
        follows=fault.follows,
        what=f"{what}: {told.message}" if told.message else what,
        mend=fault.mend,
        again=fault.again and headers.get("x-should-retry") != "false",
        wait=wait_of(headers),
        status=status,
        complaint=told.everything,
    )


def _meaning(status: int, said: str) -> Fault:
    """The first rule that fits."""
    for statuses, pattern, fault in _RULES:
        if status in statuses and (pattern is None or pattern.search(said)):
            return fault
    return Fault(follows=Follows.REFUSES, what="the model's server did not take the question")


_ANY = range(300, 600)
_LIMITED = Fault(follows=Follows.WAITS, what="the model's server takes no more requests now", again=True)
_FAILED = Fault(follows=Follows.WAITS, what="the model's server failed", again=True)
_GATEWAY = Fault(follows=Follows.LOST, what="a gateway gave up waiting for a model that may have worked on")
_FILTER = Fault(follows=Follows.REFUSES, what="the server's content filter stopped the question")
_LONG = Fault(follows=Follows.REFUSES, what="the question is too long for the model")
_ELSEWHERE = Fault(follows=Follows.STOPS, what="the server points elsewhere, where our key must not go", mend=BASE_URL)
_QUOTA = Fault(
    follows=Follows.STOPS, what="the account at the model's server has nothing left", mend="pay, or raise its limit"
)
_KEY = Fault(
    follows=Follows.STOPS, what="the key for the model is not accepted", mend="put a valid one into llm__api_key"
)
_MODEL = Fault(
    follows=Follows.STOPS, what="there is no such model at this address", mend="correct llm.model or llm.base_url"
)


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_FILTERED = _words(r"content[_ ](filter|policy|management)|moderation|flagged|safety")
_RULES: tuple[tuple[Container[int], re.Pattern[str] | None, Fault], ...] = (
    (range(300, 400), None, _ELSEWHERE),
    ({402}, None, _QUOTA),
    ({403, 429}, _words(r"insufficient[_ ](quota|balance|funds|credit)|exceeded your current quota|billing"), _QUOTA),
    ({403}, _FILTERED, _FILTER),
    ({401, 403}, None, _KEY),
    ({504, 524}, None, _GATEWAY),
    ({429}, None, _LIMITED),
    ({408, 409, 425, 500, *range(502, 600)}, None, _FAILED),
    ({413}, None, _LONG),
    (
        _ANY,
        _words(r"context[_ ](length|window|size)|(prompt|input|request)\b.{0,40}\b(too long|too large|exceeds?)"),
        _LONG,
    ),
    ({404, 405, 410, 501}, None, _MODEL),
    (
        _ANY,
        _words(
            r"model[_ ]not[_ ]found|(invalid|unknown|unsupported|no such) model\b"
            r"|\bmodel\b.{0,80}\b(not found|not exist|been (retired|deprecated|decommissioned|shut down))"
        ),
        _MODEL,
    ),
    (_ANY, _FILTERED, _FILTER),
    (_ANY, _words(r"api[ _-]?key|credentials?\b"), _KEY),
)
"""Which answers mean what: statuses, words in the answer if the status alone does not tell, and what follows."""


def astray(what: str) -> Fault:
    """Success was claimed by something that is no model's server; a page in between may go away."""
    return Fault(follows=Follows.STOPS, what=what, mend=BASE_URL, again=True)


def unreachable(what: str, mend: str = "check the network and llm.base_url", *, again: bool = True) -> Fault:
    """The request did not get there."""
    return Fault(follows=Follows.WAITS, what=what, mend=mend, again=again)


def lost(what: str, raw: str = "") -> Fault:
    """The request was sent, and no whole answer came."""
    return Fault(follows=Follows.LOST, what=what, raw=raw)


def plain(text: Any) -> str:
    """One line of foreign text, cut, with nothing in it that could act on a terminal."""
    words = "".join(one if one.isprintable() else " " for one in str(text)[: 4 * _LONGEST])
    line = " ".join(words.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
