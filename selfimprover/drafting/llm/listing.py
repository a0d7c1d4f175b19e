"""The list of a server's models: asked without openai, whose import an idle daemon that looks once can do without."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import httpx

from selfimprover.drafting.llm.answers import names
from selfimprover.drafting.llm.faults import Fault, astray, error_of, refused_request, unreachable
from selfimprover.drafting.llm.server import Server

_NO_LIST = {404, 405, 501}
_SECONDS = 20.0
_MOST_BYTES = 8 << 20


async def models(server: Server, redact: Callable[[str], str]) -> tuple[str, ...] | None:
    """The models that the server lists; ``None`` if it has no such list. It costs nothing. Raises ``ModelError``."""
    answer = await _got(server)
    fault = answer if isinstance(answer, Fault) else None
    if fault is not None and fault.status in _NO_LIST:
        return None
    listed = names(answer) if isinstance(answer, bytes) else None
    if listed is None:
        fault = fault or astray("no list of models came")
        raise error_of(replace(fault, what=redact(fault.what)), where=server.place, sent="")
    return listed


async def _got(server: Server) -> bytes | Fault:
    """The body of a success; everything else as a value, so that no request hangs on an error."""
    headers = {"User-Agent": "selfimprover", "Accept-Encoding": "identity"}
    if server.key:
        headers["Authorization"] = f"Bearer {server.key}"
    address, body = f"{server.base_url.rstrip('/')}/models", bytearray()
    try:
        async with (
            asyncio.timeout(_SECONDS),
            httpx.AsyncClient(timeout=_SECONDS, follow_redirects=False) as client,
            client.stream("GET", address, headers=headers) as response,
        ):
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > _MOST_BYTES:
                    return astray("the list of models is too large")
            if response.is_success:
                return bytes(body)
            told = {name.lower(): value for name, value in response.headers.items()}
            return refused_request(response.status_code, told, bytes(body))
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            mend = "name the file of its authorities in SSL_CERT_FILE"
            return unreachable("the certificate of the model's server is not trusted", mend)
        return unreachable("the model's server cannot be reached")
    except (ValueError, ImportError, OSError):
        return unreachable("SSL_CERT_FILE or the environment's proxy cannot be used", "correct it")
