"""Asks all sources at once."""

import asyncio

from assistant.briefing import Briefing


async def collect(load, names):
    """A ``Briefing`` of all sources; ``load(name)`` asks one.

    A source that fails goes into ``Briefing.failed`` with its error, and the others still count.
    """
    results = await asyncio.gather(*(load(name) for name in names), return_exceptions=True)
    briefing = Briefing()
    for name, result in zip(names, results):
        if isinstance(result, BaseException):
            briefing.failed[name] = result
        else:
            briefing.items += result["items"]
    return briefing
