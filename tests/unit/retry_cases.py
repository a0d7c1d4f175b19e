"""What the tests of the retry recipe share."""

from pathlib import Path

from selfimprover.domain import Draft
from selfimprover.drafting.recipes.retry_connect import RetryTransientConnect
from tests.unit.recipe_cases import failing, project

ERROR = "ConnectionResetError: [Errno 104] Connection reset by peer"
FEED = '''\
"""Reads a feed."""

import asyncio
import logging

log = logging.getLogger(__name__)


class Feed:
    def __init__(self, client, host):
        self.client = client
        self.host = host

    # the one door
    async def open(self, port, *, path="/"):
        log.info("opening")
        url = f"{self.host}:{port}"
        stream = await self.client.connect(url, path=path)  # may be slow
        return stream
        # nothing follows

    # closes
    async def close(self):
        pass
'''


def draft_of(tree: Path, text: str, snippet: str, function: str, error: str = ERROR, path: str = "feed.py") -> Draft:
    project(tree, {path: text})
    return RetryTransientConnect().apply(failing(tree, path, snippet, function, error), tree)
