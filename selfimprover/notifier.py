"""Tells the outside world over HTTP that a night ended, and what is new."""

import asyncio
from collections.abc import Mapping

import httpx
import stamina
import structlog

_ATTEMPTS = 3
_TIMEOUT = 10.0
_LONGEST = 30.0
"""Seconds for one message with all its attempts."""
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})

log = structlog.get_logger()
stamina.instrumentation.set_on_retry_hooks([])  # they would log the arguments, and so the address


class HttpNotifier:
    """A heartbeat that is called after every finished night, and a webhook that is called when there is news.

    The webhook gets a POST of ``{"text": …}``, which Slack, Mattermost, Rocket.Chat and Google Chat show as it is.
    Both addresses are secrets, and never logged.
    """

    def __init__(self, *, heartbeat_url: str | None, webhook: str | None) -> None:
        self._heartbeat_url = heartbeat_url
        self._webhook = webhook

    async def night_ended(self, news: str | None) -> None:
        """A night came to its end; ``news`` is what there is to say of it, ``None`` if nothing is."""
        if self._heartbeat_url:
            await _deliver("heartbeat", self._heartbeat_url, None)
        if self._webhook and news:
            await _deliver("webhook", self._webhook, {"text": news})


async def _deliver(what: str, url: str, document: Mapping[str, str] | None) -> None:
    """Whatever the address and the other side are like, it costs no more than a while."""
    try:
        async with asyncio.timeout(_LONGEST):
            await _send(url, document)
    except httpx.HTTPStatusError as error:
        log.warning("notify.failed", what=what, status=error.response.status_code)
    except (
        httpx.HTTPError,
        httpx.InvalidURL,
        ValueError,
        OSError,
    ) as error:  # never what it says: the address is in it
        log.warning("notify.failed", what=what, error=type(error).__name__)
    else:
        log.info("notify.sent", what=what)


def _worth_another_try(error: Exception) -> bool:
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in _AGAIN
    return isinstance(error, httpx.TransportError) and not isinstance(error, httpx.UnsupportedProtocol)


@stamina.retry(on=_worth_another_try, attempts=_ATTEMPTS, timeout=_LONGEST)
async def _send(url: str, document: Mapping[str, str] | None) -> None:
    method = "GET" if document is None else "POST"
    async with (
        httpx.AsyncClient(timeout=_TIMEOUT) as client,
        client.stream(method, url, json=document) as response,  # the answer is not read: it may have no end
    ):
        response.raise_for_status()
