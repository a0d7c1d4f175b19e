"""Writes values as TOML. Names from databases and folders are foreign text and must not become lines of a file."""

from collections.abc import Iterable
from pathlib import Path

from selfimprover.errors import UsageError

_LAST_SHORT = 0xFFFF


def toml(value: str | Path | Iterable[str | Path]) -> str:
    """A basic string, or an array of them, on one line; whatever cannot be seen is escaped.

    Raises ``UsageError`` for text that is no Unicode, such as a path of undecodable bytes: TOML cannot say it.
    """
    if isinstance(value, str | Path):
        return _string(str(value))
    return f"[{', '.join(_string(str(item)) for item in value)}]"


def _string(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        what = f"a configuration cannot name {text!a}, which is no Unicode text"
        raise UsageError(what, mend="give it another name") from error
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    number = ord(character)
    return f"\\U{number:08X}" if number > _LAST_SHORT else f"\\u{number:04X}"
