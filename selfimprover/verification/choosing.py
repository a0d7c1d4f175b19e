"""Which sandbox a night uses: the first that proves itself, and none rather than one that does not."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from selfimprover.errors import SelfImproverError
from selfimprover.verification import surroundings
from selfimprover.verification.bare import Bare
from selfimprover.verification.bubblewrap import Bubblewrap
from selfimprover.verification.container import Container
from selfimprover.verification.interpreters import exposed
from selfimprover.verification.probe import Probed, probe
from selfimprover.verification.sandbox import Kind, Sandbox

RUNNERS = ("podman", "docker")
_NO_IMAGE = 'no image is named for a container (set [projects.verify] image = "…", with what the tests need in it)'


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was found. Without a sandbox nothing may be run."""

    sandbox: Sandbox | None
    probed: tuple[Probed, ...] = ()
    """The proof of ``sandbox``, or of the one that came nearest."""
    problem: str = ""
    """Why there is none."""
    mend: str = ""


@dataclass(frozen=True, slots=True)
class _Candidate:
    name: str
    build: Callable[[], Sandbox]
    python: str
    """What runs the probe inside."""
    readable: tuple[Path, ...] = ()


async def choose(kind: Kind, *, image: str = "") -> Chosen:
    """The sandbox to use until the next look. Nothing is remembered: what held yesterday may not hold today."""
    if kind is Kind.NONE:
        return Chosen(Bare())
    problems: list[str] = []
    mends: list[str] = []
    probed: tuple[Probed, ...] = ()
    for candidate in _candidates(kind, image):
        try:
            sandbox = await asyncio.to_thread(candidate.build)
        except SelfImproverError as error:
            problems.append(f"{candidate.name}: {error.what}")
            mends.append(error.mend)
            continue
        probed = await probe(sandbox, candidate.python, candidate.readable)
        broken = [line for line in probed if not line.held]
        if not broken:
            return Chosen(sandbox, probed)
        problems.append(f"{candidate.name} does not hold: " + ", ".join(f"{one.name} ({one.detail})" for one in broken))
    if kind is not Kind.BWRAP and not image:
        problems.append(f"container: {_NO_IMAGE}")
    if kind is not Kind.CONTAINER:
        mends.append(surroundings.mend())
    known = [mend for mend in mends if mend]
    return Chosen(None, probed, "; ".join(problems), "; ".join(dict.fromkeys(known)))


def _candidates(kind: Kind, image: str) -> list[_Candidate]:
    found = []
    if kind in {Kind.AUTO, Kind.BWRAP}:
        found.append(_Candidate("bubblewrap", Bubblewrap, sys.executable, exposed([Path(sys.prefix)])))
    if kind in {Kind.AUTO, Kind.CONTAINER} and image:
        found += [_Candidate(name, _Runner(name, image), "python3") for name in RUNNERS]
    return found


@dataclass(frozen=True, slots=True)
class _Runner:
    name: str
    image: str

    def __call__(self) -> Sandbox:
        return Container(self.name, self.image)
