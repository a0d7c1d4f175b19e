"""A place in each sandbox of this machine; skipped, with the reason, where it has none."""

import asyncio
import sys
from collections.abc import Iterator

import pytest

from selfimprover.errors import SelfImproverError
from selfimprover.verification.bare import Bare
from selfimprover.verification.bubblewrap import Bubblewrap
from selfimprover.verification.sandbox import Job, Limits
from tests.integration.backends import BACKENDS, Backend
from tests.integration.escapes import Place, place


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Backend:
    found = BACKENDS[request.param]()
    if isinstance(found, str):
        pytest.skip(found)
    return found


@pytest.fixture
def held(backend: Backend) -> Iterator[Place]:
    with place(*backend) as made:
        yield made


@pytest.fixture
def bare() -> Iterator[Place]:
    with place(Bare(), sys.executable, ()) as made:
        yield made


@pytest.fixture(scope="module")
def bubblewrap(tmp_path_factory: pytest.TempPathFactory) -> Bubblewrap:
    folder = tmp_path_factory.mktemp("trial")
    (folder / "work").mkdir()
    job = Job(command="true", folder=folder / "work", env={}, output=folder / "output", writable=(folder / "work",))
    try:
        sandbox = Bubblewrap()
        ending = asyncio.run(sandbox.run(job, Limits(timeout=30)))
    except SelfImproverError as error:
        pytest.skip(f"no bubblewrap on this machine: {error}")
    if ending.status != 0:
        pytest.skip(f"bubblewrap does not work here: {(folder / 'output').read_text(errors='replace')[-200:]}")
    return sandbox
