"""Speaks to the gateway in front of the language model."""

import asyncio
import json
from http import HTTPStatus
from http.client import HTTPConnection
from urllib.parse import urlsplit


class GatewayError(Exception):
    """The gateway did not do what it was asked."""


class GatewayTimeout(GatewayError):
    """The model behind the gateway took too long."""


class GatewayClient:
    """Has texts summarised."""

    def __init__(self, url: str, *, timeout: float = 60.0) -> None:
        self._url = url.rstrip("/")
        self._timeout = timeout

    async def summarise(self, text: str, *, reference: str) -> str:
        """A summary of the text; ``reference`` names the request in the gateway's log."""
        url = f"{self._url}/v1/summaries"
        status, reason, body = await asyncio.to_thread(self._post, url, {"reference": reference, "text": text})
        if status == HTTPStatus.GATEWAY_TIMEOUT:
            raise GatewayTimeout(f"504 Gateway Timeout from {url}")
        if status != HTTPStatus.OK:
            raise GatewayError(f"{status} {reason} from {url}")
        return json.loads(body)["summary"]

    def _post(self, url: str, payload: dict[str, str]) -> tuple[int, str, bytes]:
        parts = urlsplit(url)
        connection = HTTPConnection(parts.hostname, parts.port, timeout=self._timeout)
        try:
            connection.request("POST", parts.path, json.dumps(payload), {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.reason, response.read()
        finally:
            connection.close()
