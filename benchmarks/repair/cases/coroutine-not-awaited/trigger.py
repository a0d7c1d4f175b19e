import asyncio

from assistant.greeting import greet
from assistant.store import ProfileStore

asyncio.run(greet(ProfileStore({"ada": {"name": "Ada", "language": "en"}}), "ada"))
