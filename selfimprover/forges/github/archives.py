"""The downloaded trees of commits, kept for a while: a base seldom moves between two nights."""

import asyncio
import hashlib
import threading
from pathlib import Path

from selfimprover.errors import ForgeError
from selfimprover.forges.github.client import GitHub
from selfimprover.forges.github.tarball import unpack

_KEPT = 4
_MOST_BYTES = 512 << 20


class Archives:
    """A folder of tarballs by repository and commit."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def export(self, client: GitHub, repository: str, commit: str, into: Path) -> None:
        """Writes the plain files of ``commit`` beneath the empty folder ``into``; raises ``ForgeError``."""
        archive = self._folder / f"{hashlib.sha256(f'{repository}@{commit}'.encode()).hexdigest()[:32]}.tar.gz"
        if not archive.exists():
            await self._fetch(client, f"/repos/{repository}/tarball/{commit}", archive)
        stop = threading.Event()
        unpacking = asyncio.ensure_future(asyncio.to_thread(unpack, archive, into, stop=stop))
        try:
            await asyncio.shield(unpacking)
        except asyncio.CancelledError:
            stop.set()
            await asyncio.wait({unpacking})
            raise
        except ForgeError:
            archive.unlink(missing_ok=True)  # it may have come incomplete: the next night fetches it anew
            raise

    async def _fetch(self, client: GitHub, path: str, archive: Path) -> None:
        partial = archive.with_suffix(".partial")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            await client.download(path, partial, most_bytes=_MOST_BYTES)
            partial.replace(archive)
            for old in sorted(self._folder.glob("*.tar.gz"), key=lambda one: one.stat().st_mtime)[:-_KEPT]:
                old.unlink(missing_ok=True)
        except OSError as error:
            mend = "make room there"
            what = f"the files cannot be kept: {error.strerror}"
            raise ForgeError(what, where=str(self._folder), mend=mend) from error
        finally:
            partial.unlink(missing_ok=True)
