"""Tells the outside world over HTTP that a night ended, and what is new."""

import httpx
import stamina
import structlog

_ATTEMPTS = 3
_TIMEOUT = 10.0
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})

log = structlog.get_logger()


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
        async with httpx.AsyncClient(timeout=_TIMEOUT) as client:
            if self._heartbeat_url:
                await _deliver("heartbeat", client, client.build_request("GET", self._heartbeat_url))
            if self._webhook and news:
                await _deliver("webhook", client, client.build_request("POST", self._webhook, json={"text": news}))


async def _deliver(what: str, client: httpx.AsyncClient, request: httpx.Request) -> None:
    try:
        await _send(client, request)
    except httpx.HTTPStatusError as error:
        log.warning("notify.failed", what=what, status=error.response.status_code)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        log.warning("notify.failed", what=what, error=type(error).__name__)
    else:
        log.info("notify.sent", what=what)


def _worth_another_try(error: Exception) -> bool:
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in _AGAIN
    return isinstance(error, httpx.TransportError) and not isinstance(error, httpx.UnsupportedProtocol)


@stamina.retry(on=_worth_another_try, attempts=_ATTEMPTS, timeout=60.0)
async def _send(client: httpx.AsyncClient, request: httpx.Request) -> None:
    (await client.send(request)).raise_for_status()
