"""The bare process: imports what any such service stands on, says that it is ready, and idles in an event loop."""

import asyncio
import os
import socket

import aiosqlite  # noqa: F401
import httpx  # noqa: F401
import pydantic_settings  # noqa: F401
import structlog  # noqa: F401
from apscheduler.schedulers.asyncio import AsyncIOScheduler


async def main() -> None:
    """Waits for ever."""
    AsyncIOScheduler().start()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
    await asyncio.Event().wait()


asyncio.run(main())
