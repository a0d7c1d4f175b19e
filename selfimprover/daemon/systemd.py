"""Tells systemd how the service is: the protocol of sd_notify(3), which is one datagram.

https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
"""

import os
import socket
import time
from collections.abc import Mapping

_PATIENCE = 0.5
"""Seconds for which a full queue is waited for: a systemd that does not listen must not stop the service."""


def notify(*assignments: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Sends assignments such as ``READY=1``; whether there was anybody to tell. Never fails: it is only news."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.settimeout(_PATIENCE)
            channel.connect("\0" + address[1:] if address.startswith("@") else address)
            channel.send("\n".join(assignments).encode())
    except OSError:
        return False
    return True


def watchdog_seconds(environment: Mapping[str, str] = os.environ) -> float | None:
    """How long systemd waits for a sign of life before it kills this process; ``None`` if it does not watch."""
    pid, microseconds = environment.get("WATCHDOG_PID", ""), environment.get("WATCHDOG_USEC", "")
    meant_for_us = not pid or pid == str(os.getpid())
    return int(microseconds) / 1e6 if meant_for_us and microseconds.isdecimal() and int(microseconds) else None


def reloading() -> str:
    """What is sent when a reload begins, so that its end can be told apart from an earlier one's."""
    return f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}"
