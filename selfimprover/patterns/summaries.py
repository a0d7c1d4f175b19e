"""What of a message tells the cause: without the hints, the logs and the echoes of input that libraries add to it.

Every rule is about a format that a language or a library documents; where versions word one error differently, the
wordings are made one.
"""

import re

_MAX_CHARACTERS = 4_000

_ENDS = re.compile(
    r"\s*(?:"
    r"\. Did you (?:mean|forget)\b"  # suggestions of Python 3.10 and later
    r"|\n\s*\[SQL: |\n?\(Background on this error at: "  # SQLAlchemy
    r"|\n\s*(?:DETAIL|HINT|CONTEXT|STATEMENT|QUERY): "  # PostgreSQL
    r"|\n\s*(?:Stacktrace|Build info|Session info|\(Session info)\b"  # Selenium
    r"|\n\s*For further information visit https?://"  # pydantic
    r"|\n?\s*For more information (?:check|see): https?://"  # httpx
    r"|\n\s*note: run with `RUST_BACKTRACE"
    r").*",
    re.DOTALL,
)
_CALL_LOG = re.compile(r"\n=*\s*(?:Call log|logs)\s*:?=*\s*\n\s*-?\s*(?P<first>[^\n]{1,300}).*", re.DOTALL)
"""Of what Playwright waited for, the first entry names it."""
_PYDANTIC = re.compile(
    r"^\d{1,6} validation errors? for (?P<model>\S{1,200})\n(?P<field>[^\n]{1,300})\n\s+(?P<told>[^\n]{1,300}?)"
    r"(?: \(type=(?P<old>[\w.]{1,100})[^\n]{0,300}\)| \[type=(?P<kind>[\w.]{1,100}),[^\n]{0,2000}\])?(?:\n.*)?$",
    re.DOTALL,
)
_REWORDED = tuple(
    (re.compile(pattern, re.DOTALL), text)
    for pattern, text in (
        (
            (
                r"^(?:PHP )?Fatal error: {1,2}Uncaught |^panic: |^Exception in thread \"[^\"]{0,100}\" "
                r"|^Unhandled exception\. "
            ),
            "",
        ),
        (r"^(?:[^\n]{1,80}\n)?thread '[^']{0,100}'(?: \(\d{1,10}\))? panicked at ", "panicked at "),
        (r"^(?:\w{1,100}\.){1,8}(\w{1,100}\(\) (?:missing|takes|got) )", r"\1"),
        (r"^command:? [A-Z]{2,20} (=>|illegal in state)", r"command \1"),
        (r"\bnil:NilClass\b", "nil"),
        (
            r"^cannot access local variable ('\w{1,200}') where it is not associated with a value",
            r"local variable \1 referenced before assignment",
        ),
        (
            r"^(?:too many|not enough) values to unpack \(expected (?:at least )?\d{1,6}(?:, got \d{1,6})?\)",
            "values to unpack: another number was expected",
        ),
        (
            (
                r"^(invalid literal for int\(\) with base \d{1,2}|could not convert string to float"
                r"|Invalid isoformat string"
                r"|unconverted data remains): .*"
            ),
            r"\1",
        ),
        (r"(['\"])(?:details|param|code|metadata|cause)\1: (?:None|null)(?:, ?|(?=\}))", ""),
    )
)
_NO_VALUE = re.compile(r", input_value=.{0,2000}?, input_type=\w{1,100}(?=\])", re.DOTALL)
_SIGNS = frozenset(
    (
        *("Did", "(Background", "For", "None", "None,", "None}", "None}}", "null", "null,", "null}", "panic:"),
        *("thread", "Uncaught", "Unhandled", "isoformat", "unconverted", "literal", "convert", "values", "local"),
        *("missing", "takes", "got", "command", "command:", "nil:NilClass", "nil:NilClass:"),
    )
)
"""A message of one line without any of these words has nothing that a rule is about."""


def summary(message: str) -> str:
    """The telling part of a message, as a pure function of its text."""
    told = message[:_MAX_CHARACTERS]
    if "\n" not in told and _SIGNS.isdisjoint(told.split()):
        return told
    if "validation error" in told and (found := _PYDANTIC.match(told)):
        kind = found["kind"] or found["old"]
        return f"invalid {found['model']}: {found['field'].strip()}: {kind or found['told']}"
    told = _CALL_LOG.sub(r"\n\g<first>", told, count=1)
    told = _ENDS.sub("", _NO_VALUE.sub("", told), count=1)
    for pattern, text in _REWORDED:
        told = pattern.sub(text, told)
    return told
