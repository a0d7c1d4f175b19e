"""A place in each sandbox of this machine; skipped, with the reason, where it has none."""

import sys
from collections.abc import Iterator

import pytest

from selfimprover.verification.bare import Bare
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
