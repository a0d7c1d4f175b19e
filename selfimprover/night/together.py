"""Several pieces of work at once, within the cores of the machine."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence


async def together(work: Sequence[Callable[[], Awaitable[None]]], at_once: int) -> None:
    """Does all of it, in order as far as there is room; the first error ends the rest before it is raised."""
    room = asyncio.Semaphore(at_once)

    async def one(piece: Callable[[], Awaitable[None]]) -> None:
        async with room:
            await piece()

    tasks = [asyncio.create_task(one(piece)) for piece in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
