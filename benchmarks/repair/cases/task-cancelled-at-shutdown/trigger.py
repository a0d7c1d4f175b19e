import asyncio

from assistant.workers import Workers


async def main():
    workers = Workers()
    workers.start("slow", asyncio.sleep(30))
    await workers.stop(patience=0.01)


asyncio.run(main())
