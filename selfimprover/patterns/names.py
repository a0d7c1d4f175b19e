"""Reads how an exception is named: ``Type: message``, as a traceback ends, and ``Type('message')``, its repr."""

import re

_EXCEPTION = re.compile(
    r"(?P<type>[A-Za-z_][\w.$]{0,200})(?: \[(?P<code>[A-Z][A-Z0-9_]{2,60})\])?(?:: (?P<message>.*)|:?\s*)", re.DOTALL
)
_REPRESENTED = re.compile(r"(?P<type>[A-Za-z_][\w.]{0,200})\((?P<arguments>.*)\)", re.DOTALL)
_ANNOUNCED = re.compile(
    r"[^\n'\"(){}:]{1,80}?(?::? |\n)(?P<rest>(?:[A-Za-z_]\w{0,60}\.){0,8}_?(?:[A-Z]\w{0,80})?"
    r"(?:Error|Exception|Timeout|Interrupt|Violation|Warning|Failure)(?:: .*|$)"
    r"|(?<=\n)(?:(?:[A-Za-z_]\w{0,60}\.){1,8}_?[A-Z]\w{0,80}|(?:[A-Z][a-z]+){2,6})(?:: .*|$))",
    re.DOTALL,
)
"""An error behind a few words of whoever reported it."""
_SIGNS = ("Error", "Exception", "Timeout", "Interrupt", "Violation", "Warning", "Failure")
_HUMPS = re.compile(r"(?:[A-Z][a-z]+){2,6}")
_ONE_TEXT = re.compile(r"(['\"])(?P<text>(?:(?!\1)[^\\]|\\.)*)\1,?", re.DOTALL)
_UNCAUGHT = re.compile(r"(?:Uncaught |Unhandled )(?:\(in promise\) )?")
_ENDINGS = ("error", "exception", "timeout", "warning", "interrupt", "exit", "failure", "fault", "abort")
_KEEPS_QUOTES = frozenset(("KeyError",))


def exception(text: str) -> tuple[str | None, str]:
    """``(type, message)`` of an error text; the type is ``None`` where the text names none."""
    text = _UNCAUGHT.sub("", text, count=1) if text.startswith("Un") else text
    match = _EXCEPTION.fullmatch(text)
    if match is None or not looks_like_class(match["type"]):
        announced = _ANNOUNCED.match(text) if "\n" in text or any(sign in text for sign in _SIGNS) else None
        return exception(announced["rest"]) if announced else _represented(text)
    name, message = match["type"], match["message"]
    code = f"[{match['code']}] " if match["code"] else ""
    return name, code + (message or "")


def looks_like_class(name: str) -> bool:
    """Whether the name could be that of an exception class."""
    last = name.rpartition(".")[2]
    return last[:1].isupper() or last.lower().endswith(_ENDINGS)


def _represented(text: str) -> tuple[str | None, str]:
    match = _REPRESENTED.fullmatch(text) if text.endswith(")") else None
    if match is None or not (match["type"].lower().endswith(_ENDINGS) or _HUMPS.fullmatch(match["type"])):
        return None, text
    one = _ONE_TEXT.fullmatch(match["arguments"])
    plain = one["text"] if one and match["type"] not in _KEEPS_QUOTES else match["arguments"]
    return match["type"], plain
