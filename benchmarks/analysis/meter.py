"""Measures wall time, CPU time, the peak of memory and the longest stall of the event loop."""

import asyncio
import resource
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

TICK = 0.001

Result = dict[str, float]


class Meter:
    """Measures wall time, CPU time and the longest stall of the loop while something runs."""

    def __init__(self) -> None:
        self._began = (time.perf_counter(), time.process_time())
        self.stall = 0.0

    def result(self, **more: float) -> Result:
        """What it came to; the peak of memory is that of the whole process."""
        wall, cpu = time.perf_counter() - self._began[0], time.process_time() - self._began[1]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {"wall": wall, "cpu": cpu, "rss": peak, "stall": self.stall, **more}

    async def watch(self) -> None:
        """Ticks until it is cancelled."""
        while True:
            asked = time.perf_counter()
            await asyncio.sleep(TICK)
            self.stall = max(self.stall, time.perf_counter() - asked - TICK)


@asynccontextmanager
async def metered() -> AsyncIterator[Meter]:
    """A meter whose ticking begins now."""
    meter = Meter()
    ticking = asyncio.create_task(meter.watch())
    try:
        yield meter
    finally:
        ticking.cancel()
