"""The kinds of values in the configuration, each with a sentence for what is wrong."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, SecretStr

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST = 3650 * 86400
_SIZES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def _duration(value: object) -> object:
    match = re.fullmatch(r"(\d+)\s*([smhd])", value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError('write a number and a unit, such as "30s", "10m", "20h" or "2d"')
    seconds = int(match[1]) * _UNITS[match[2]]
    if not 1 <= seconds <= _LONGEST:
        raise ValueError("it must be from 1 second to 10 years")
    return timedelta(seconds=seconds)


def _size(value: object) -> object:
    match = re.fullmatch(r"(\d+)\s*([KMG]?)B?", value.strip().upper()) if isinstance(value, str) else None
    if match is None:
        raise ValueError('write a number and a unit, such as "512M" or "2G"')
    return int(match[1]) * _SIZES[match[2]]


def _timezone(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError('write a name such as "Europe/Berlin" or "UTC"')
    try:
        return ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError(f'there is no time zone {value!r}; write a name such as "Europe/Berlin" or "UTC"') from None


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Size = Annotated[int, BeforeValidator(_size)]
Timezone = Annotated[ZoneInfo, BeforeValidator(_timezone)]
Count = Annotated[int, Field(ge=0)]


def _address(value: object) -> object:
    try:
        parts = urlsplit(value) if isinstance(value, str) else None
        usable = parts is not None and parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not str(value).isascii() or not str(value).isprintable() or " " in str(value):
        raise ValueError('write an address such as "https://example.org/ping/123", percent-encoded where needed')
    return value


def command(value: object) -> object:
    """A blank command is none."""
    return None if isinstance(value, str) and not value.strip() else _no_nul(value)


def _no_nul(value: object) -> object:
    if "\0" in str(value):
        raise ValueError("there is a NUL character in it")
    return value


Address = Annotated[str, BeforeValidator(_address)]
File = Annotated[Path, BeforeValidator(_no_nul)]
Secret = Annotated[SecretStr, Field(min_length=1)]
