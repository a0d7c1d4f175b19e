import asyncio

from assistant.feeds import collect


async def load(name):
    if name == "news":
        raise TimeoutError(name)
    return {"items": [name]}


asyncio.run(collect(load, ["mail", "news"]))
