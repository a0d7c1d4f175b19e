"""Reads what GitHub says, and makes what it says of a refusal fit for a message."""

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Any, NoReturn

_LONGEST = 300
_SECRETS = re.compile(
    r"\b(?:gh[pousr]_|github_pat_|v1\.)[\w.-]{16,}|\beyJ[\w-]{8,}\.[\w.-]+|(?<=://)[^/\s@]+(?=@)|(?<=\?)[^\s'\"]+"
)
_SURROGATE = re.compile(rb"(?i)\\ud[89a-f]")


@dataclass(frozen=True, slots=True)
class Complaint:
    """The body of a refusal: its sentence, the codes of its ``errors[]``, and all it says, the sentence first.

    https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#validation-failed
    """

    message: str
    codes: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()

    @property
    def whole(self) -> str:
        """Everything it says, as one sentence of a message."""
        return plain("; ".join(self.messages or (self.message,)))


def whole_json(body: bytes) -> dict[str, Any] | list[Any]:
    """The object or list in the body of an answer; raises ``ValueError`` for anything else, and for a part of one."""
    try:
        data = json.loads(body, parse_constant=_no_constant)
        if _SURROGATE.search(body):  # half a pair is JSON but no text: neither SQLite nor a terminal takes it
            data = json.loads(json.dumps(data, ensure_ascii=False).encode("utf-8", "replace"))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(data, dict | list):
        raise ValueError("neither an object nor a list")
    return data


def complaint(body: bytes) -> Complaint:
    """What the body of a refusal says; a body that is not GitHub's says only that."""
    try:
        said = whole_json(body)
    except ValueError:
        said = []
    if not isinstance(said, dict):
        return Complaint("no reason is given")
    message = plain(said.get("message")) or "no reason is given"
    errors = said.get("errors")
    each = [_one_error(error) for error in errors[:10]] if isinstance(errors, list) else [("", plain(errors))]
    codes = tuple(code for code, _ in each if code)
    return Complaint(message, codes, (message, *(text for _, text in each if text)))


def plain(text: Any) -> str:
    """Foreign text on one line: no control or hidden characters, nothing that looks like a token, cut."""
    if not isinstance(text, str):
        return ""
    cut = text[: 4 * _LONGEST]
    line = "".join(" " if one.isspace() else one for one in cut if one.isspace() or unicodedata.category(one)[0] != "C")
    line = _SECRETS.sub("***", " ".join(line.split()))
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def _one_error(error: Any) -> tuple[str, str]:
    """The code and the sentence of one of ``errors[]``, which may be a plain string."""
    if not isinstance(error, dict):
        return "", plain(error)
    code = plain(error.get("code"))
    named = " ".join(word for word in (plain(error.get("field")), code.replace("_", " ")) if word)
    return code, plain(error.get("message")) or named


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
