"""Fills the holes of a template: ``«uuid»``, ``«a|b|c»``, ``«1..500»``, ``«name=a|b»`` and then ``«name»``.

A pool keeps its value throughout a row; ``«uuid#2»`` is a second one. A choice may draw from a pool with ``$uuid``.
"""

import re
import string
from collections.abc import Callable
from random import Random
from uuid import UUID

HOLE = re.compile(r"«([^»]*)»")
ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"


def text(alphabet: str, length: int) -> Callable[[Random], str]:
    """Draws so many characters."""
    return lambda random: "".join(random.choices(alphabet, k=length))


def opaque(prefix: str, length: int) -> Callable[[Random], str]:
    """Draws an id such as ``req_…``."""
    return lambda random: prefix + "".join(random.choices(ALNUM, k=length))


def whole(low: int, high: int) -> Callable[[Random], str]:
    """Draws a number."""
    return lambda random: str(random.randint(low, high))


def among(*choices: str) -> Callable[[Random], str]:
    """Draws one of them."""
    return lambda random: random.choice(choices)


def moment(random: Random) -> str:
    """Draws a time of the year 2026."""
    month, day, hour, minute, second = (random.randint(1, top) for top in (12, 28, 23, 59, 59))
    return f"2026-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"


POOLS: dict[str, Callable[[Random], str]] = {
    "uuid": lambda random: str(UUID(int=random.getrandbits(128), version=4)),
    "hex8": text(HEX, 8),
    "hex12": text(HEX, 12),
    "hex32": text(HEX, 32),
    "hex40": text(HEX, 40),
    "hex64": text(HEX, 64),
    "address": lambda random: f"0x7f{random.getrandbits(40):010x}",
    "req": opaque("req_", 24),
    "call": opaque("call_", 24),
    "toolu": opaque("toolu_01", 22),
    "org": opaque("org-", 24),
    "session": text(HEX, 32),
    "int": whole(2, 999_999),
    "small": whole(2, 60),
    "ms": whole(1_000, 59_999),
    "pid": whole(300, 65_000),
    "port": whole(1_024, 65_000),
    "ip": lambda random: f"10.{random.randint(0, 255)}.{random.randint(0, 255)}.{random.randint(2, 254)}",
    "time": moment,
    "date": lambda random: moment(random)[:10],
    "user": among("deploy", "ubuntu", "runner", "app", "svc-agent"),
    "email": lambda random: f"user{random.randint(1, 9_999)}@{random.choice(('example.com', 'mail.example.org'))}",
    "word": among("alpha", "budget", "calendar", "delivery", "export", "forecast", "garden", "harbour", "invoice"),
    "file": lambda random: (
        random.choice(("report", "invoice", "notes", "scan", "export")) + f"-{random.randint(1, 9_999)}"
    ),
    "site_host": lambda random: (
        random.choice(("shop", "news", "docs", "portal")) + f"{random.randint(1, 99)}.example.com"
    ),
    "host": lambda random: (
        random.choice(("web", "db", "worker", "gpu")) + f"-{random.randint(1, 40)}.internal.example.net"
    ),
    "col": whole(5, 90),
}


class Values:
    """Draws for one row; a name keeps its value throughout the row."""

    def __init__(self, random: Random, known: dict[str, str]) -> None:
        self.random = random
        self.known = dict(known)
        self.drift = random.choice((0, 0, 3, 11, 27, 42))

    def fill(self, template: str) -> str:
        """The template with every hole filled."""
        return HOLE.sub(lambda match: self.value(match[1]), template)

    def value(self, hole: str) -> str:
        """What stands for one hole."""
        if hole in self.known:
            return self.known[hole]
        name, named, choices = hole.partition("=")
        if named and name.isidentifier():
            return self.known.setdefault(name, self.drawn(choices))
        if hole.startswith("line:"):
            return str(int(hole[5:]) + self.drift)
        if (pool := hole.partition("#")[0]) in POOLS:
            return self.known.setdefault(hole, POOLS[pool](self.random))
        return self.drawn(hole)

    def drawn(self, choices: str) -> str:
        """One of ``a|b``, or a number of ``1..9``."""
        if span := re.fullmatch(r"(\d+)\.\.(\d+)", choices):
            return str(self.random.randint(int(span[1]), int(span[2])))
        if "|" not in choices:
            return POOLS[choices](self.random)
        return self.fill_inner(self.random.choice(choices.split("|")))

    def fill_inner(self, choice: str) -> str:
        """A choice may name a pool with ``$``."""
        return re.sub(r"\$(\w+)", lambda match: POOLS[match[1]](self.random), choice)
