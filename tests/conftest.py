"""Guards for every test: no network but loopback, no real home, no configuration of the machine."""

import ipaddress
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog


def _is_local(address: object) -> bool:
    if not isinstance(address, tuple):
        return True  # a unix socket
    host = str(address[0])
    if host in {"", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _LoopbackSocket(socket.socket):
    """A socket that refuses to leave the machine."""

    def connect(self, address: object) -> None:
        if not _is_local(address):
            raise AssertionError(f"a test tried to reach {address}")
        super().connect(address)  # type: ignore[arg-type]

    def connect_ex(self, address: object) -> int:
        if not _is_local(address):
            raise AssertionError(f"a test tried to reach {address}")
        return super().connect_ex(address)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _signals_unblocked() -> Iterator[None]:
    """What the daemon blocks as its first act stays blocked for every process that a later test starts."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    yield
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


@pytest.fixture(autouse=True)
def _shielded(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    home: Path = tmp_path_factory.mktemp("home")
    monkeypatch.setattr(socket, "socket", _LoopbackSocket)
    structlog.reset_defaults()
    for name in list(os.environ):
        if name.startswith(("SELFIMPROVER_", "GIT_", "XDG_")) or name in {"STATE_DIRECTORY", "CREDENTIALS_DIRECTORY"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
