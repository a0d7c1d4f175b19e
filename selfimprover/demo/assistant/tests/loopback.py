"""Small servers for the tests."""

import asyncio
from collections.abc import Awaitable, Callable
from unittest import IsolatedAsyncioTestCase

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def serve(case: IsolatedAsyncioTestCase, handle: Handler) -> int:
    """Serves connections until the test ends, each closed after ``handle``; returns the port."""

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handle(reader, writer)
            await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(connection, "127.0.0.1", 0)
    case.addAsyncCleanup(server.wait_closed)
    case.addCleanup(server.close)
    return server.sockets[0].getsockname()[1]
