import asyncio

from assistant.cache import Cache


async def main():
    cache = Cache()
    cache.put("rates", 1.1)

    async def log(key):
        cache.drop(key)

    await cache.get_or_load("rates", load=None, log=log)


asyncio.run(main())
