"""Rates of exchange."""


async def rate(cache, currency, load, log):
    """The rate of a currency."""
    return round(await cache.get_or_load(currency, load, log), 4)
