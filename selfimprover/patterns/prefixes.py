"""Takes off what a log puts before each message: time, level, logger, process, host, container."""

import re

_MAX_LINES = 4_000
_BEGINS = frozenset("0123456789[(<")
_FIRST = frozenset(
    (
        *("DEB", "INF", "NOT", "WAR", "ERR", "CRI", "FAT", "SEV", "EME", "ALE", "TRA"),
        *("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    )
)
_SHAPE = str.maketrans("123456789", "000000000")
_TIME = (
    r"\[?(?:\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d{1,9})?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?"
    r"|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})?(?: [\w.-]{1,63}(?= [\w./@-]{1,63}(?:\[\d{1,7}\])?:))?"
    r"|\d\d:\d\d:\d\d(?:[.,]\d{1,9})?)\]?"
)
_LEVEL = (
    r"(?:\[ ?|<|\()?(?:DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|ERR|CRITICAL|CRIT|FATAL|SEVERE|EMERG|ALERT|TRACE"
    r"|(?<=\[)(?:debug|info|warn(?:ing)?|error|critical|fatal)(?=\s{0,3}\]))\s{0,3}(?:\]|>|\))?"
)
_BRACKETED = r"(?:\[[^\[\]\n]{1,60}\]|\([^()\n]{1,60}\))"
_NAMED = (
    r"(?!\w{0,80}(?:Error|Exception|Timeout|Warning)\b)[a-z_][\w./@$-]{0,80}(?:\[\d{1,7}\])?(?::[\w<>]{1,60}:\d{1,5}|:\d{1,5})?"
    r"(?=:| - | \|)"
)
_SOURCE = rf"(?:{_BRACKETED}|{_NAMED})"
_BETWEEN = r"(?:\s{0,4}(?:[-–|:]{1,2}(?=\s|\w)|—)\s{0,4}|\s{1,4})"
_CONTAINER = r"(?:[\w.-]{1,60}-\d{1,3}\s{0,40}\| ?)"
_PREFIX = re.compile(
    rf"{_CONTAINER}?(?:"
    rf"(?:{_TIME}(?:{_BETWEEN}{_SOURCE}){{0,2}}{_BETWEEN})?{_LEVEL}(?:{_BETWEEN}{_BRACKETED}){{0,2}}(?:{_BETWEEN}{_SOURCE})?"
    rf"|{_TIME}(?:{_BETWEEN}{_BRACKETED}){{0,2}}(?:{_BETWEEN}{_SOURCE})?"
    rf")(?:{_BETWEEN}|:\s?|(?=\n|$))"
    rf"|{_CONTAINER}"
)


def _may_have_prefix(text: str) -> bool:
    """Cheap, for nearly no text has one: what a prefix begins with."""
    return text[:1] in _BEGINS or text[:3] in _FIRST or "|" in text[:101]


def without_prefixes(text: str) -> str:
    """The text without the log prefix of its first line, and of every other line that has the same."""
    found = _PREFIX.match(text) if _may_have_prefix(text) else None
    if found is None:
        return text
    first, newline, rest = text[found.end() :].partition("\n")
    if not newline:
        return first
    shape = found.group().translate(_SHAPE)
    return "\n".join([first, *(_cut(line, shape) for line in rest.split("\n", _MAX_LINES))])


def _cut(line: str, shape: str) -> str:
    """The line without a prefix of this shape; one that has nothing else may have lost its last blank."""
    if line[: len(shape)].translate(_SHAPE) == shape:
        return line[len(shape) :]
    return "" if line.translate(_SHAPE).rstrip() == shape.rstrip() else line
