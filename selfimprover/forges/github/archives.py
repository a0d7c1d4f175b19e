"""The downloaded trees of commits, kept for a while: a base seldom moves between two nights."""

import asyncio
import hashlib
import threading
from pathlib import Path

from selfimprover.errors import ForgeError
from selfimprover.forges.github.addresses import path
from selfimprover.forges.github.client import GitHub
from selfimprover.forges.github.errors import BadArchiveError
from selfimprover.forges.github.exact import make_exact
from selfimprover.forges.github.tar_stream import Limits
from selfimprover.forges.github.tarball import unpack

_KEPT = 4
_MOST_BYTES = 512 << 20
_LIMITS = Limits()


class Archives:
    """A folder of tarballs by repository and commit. ``most_bytes`` is the size of one, ``limits`` what it unpacks to.

    A commit whose archive is no good is not fetched again as long as this object lives, which is one night.
    """

    def __init__(self, folder: Path, *, most_bytes: int = _MOST_BYTES, limits: Limits = _LIMITS) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._limits = limits
        self._bad: dict[Path, BadArchiveError] = {}

    async def export(self, client: GitHub, repository: str, commit: str, into: Path) -> None:
        """Writes the plain files of ``commit`` beneath the empty folder ``into``; raises ``ForgeError``."""
        archive = self._folder / f"{hashlib.sha256(f'{repository}@{commit}'.encode()).hexdigest()[:32]}.tar.gz"
        if archive in self._bad:
            raise self._bad[archive]
        try:
            if not archive.exists():
                await self._fetch(client, path("/repos/{+repo}/tarball/{sha}", repo=repository, sha=commit), archive)
            await self._unpack(archive, into)
        except BadArchiveError as error:
            archive.unlink(missing_ok=True)  # it may have come incomplete: the next night fetches it anew
            where = f"{repository} at {commit[:7]}"
            self._bad[archive] = BadArchiveError(error.what, where=where, mend=error.mend)
            raise self._bad[archive] from error
        await make_exact(client, repository, commit, into)

    async def _unpack(self, archive: Path, into: Path) -> None:
        stop = threading.Event()
        unpacking = asyncio.ensure_future(asyncio.to_thread(unpack, archive, into, limits=self._limits, stop=stop))
        try:
            await asyncio.shield(unpacking)
        except asyncio.CancelledError:
            stop.set()
            await asyncio.wait({unpacking})
            raise

    async def _fetch(self, client: GitHub, place: str, archive: Path) -> None:
        partial = archive.with_suffix(".partial")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            await client.download(place, partial, most_bytes=self._most_bytes)
            partial.replace(archive)
            for old in sorted(self._folder.glob("*.tar.gz"), key=lambda one: one.stat().st_mtime)[:-_KEPT]:
                old.unlink(missing_ok=True)
        except OSError as error:
            mend = "make room there"
            what = f"the files cannot be kept: {error.strerror}"
            raise ForgeError(what, where=str(self._folder), mend=mend) from error
        finally:
            partial.unlink(missing_ok=True)
