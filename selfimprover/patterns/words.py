"""Masks one word of a message, and says what else has to be looked at because of it.

A word is masked once and then remembered. Which digits a word has makes no difference to most masks, so words that
differ in digits only are masked once as well.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

MASKED = 1
"""The word has a mask."""
NUMBER = 2
"""The word has a short number, which may carry meaning beside certain words."""
CONTEXT = 4
"""The word may be one of those, or a number that the words after it can give a meaning."""
FOLDS = 8
"""The word may become part of the mask before it: a unit, a month, a value in brackets."""
REQUEST = 16
"""The word may end the request line of an access log."""
FLAG = 32
"""The word may be a value that is on or off."""

HELD = {ord(digit): 0xE000 + int(digit) for digit in "0123456789"}
FREED = {held: digit for digit, held in HELD.items()}
FORGED = dict.fromkeys((0, *FREED), "\N{REPLACEMENT CHARACTER}")
"""Digits that carry meaning are held in the private use area while the others are masked."""

DAYS = frozenset(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"))
MONTHS = frozenset(("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"))
UNITS = frozenset(
    (
        *("ms", "us", "ns", "s", "sec", "secs", "second", "seconds", "millisecond", "milliseconds", "microsecond"),
        *("microseconds", "minute", "minutes", "min", "mins", "hour", "hours", "hr", "hrs", "day", "days"),
        *("byte", "bytes", "b", "B", "kB", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB"),
    )
)
STOPS = ",;:.)]}"

_Value = TypeVar("_Value")

_MOST_WORDS = 200_000
_MAX_WORD = 200
_SHAPE = str.maketrans("012356789", "444444444")
"""Words of one shape differ in digits only. What may carry meaning with other digits does so with a 4."""
_UUID = "a4a4a4a4-a4a4-a4a4-a4a4-a4a4a4a4a4a4"
_ID = "a4" * 32
_HEX = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"
    r"|(?=[a-fA-F]{0,63}\d)(?=\d{0,63}[a-fA-F])[0-9a-fA-F]{7,64})(?![0-9A-Za-z])"
)
"""Ids that every rule takes for one, whatever their letters are."""


_MEANINGFUL = re.compile(
    r"(?i:\b(?:(?:error|exit|return|status|response|close|result)[ _-]?code|exit(?:ed)?(?: with)?(?: code| status)?"
    r"|status|errno|winerror|sqlstate|rc|code|signal|http(?:/[\d.]{1,3})?|mcp error|rpc error)"
    r"['\"]?(?: was| is| of)?[\s:=#(\[]{1,3}-?\d{1,5}\b(?!\.\d|[-/:]\d))"
    r"|\bSIG[A-Z]{2,6}: \d{1,2}"
    r"|\(\d{3,4}, (?=b?['\"])"
    r"|(?:(?<=b['\"])|(?<=[1-5]\d\d[ -]))[245]\.\d\.\d{1,3}(?![\w.-])"
    r"|(?<![\w.:/-])[1-5]\d\d(?=:?[ -]['\"(]?(?i:client|server|error|continue|ok|created|accepted|no|moved|found"
    r"|see|not"
    r"|temporary|permanent|bad|unauthorized|payment|forbidden|method|proxy|request|conflict|gone|length|precondition|payload"
    r"|content|uri|unsupported|range|expectation|misdirected|unprocessable|locked|failed|too|upgrade|unavailable|internal"
    r"|gateway|service|http|insufficient|loop|network|overloaded|rate|you|timeout|resource)\b)"
    r"|\b(?:ORA|TNS|PLS|MY|E|ERR|CS|TS)-?\d{3,5}(?=:)"
)
"""What makes a number before or after it one that tells causes apart."""


_CONTEXT = re.compile(
    r"(?i:code|status|errno|winerror|sqlstate|\brc\b|signal|http|exit|mcp|rpc)|\bSIG[A-Z]|\(\d{3,4},$"
    r"|(?<!\d)[1-5]\d\d(?!\d)|(?<!\d)[245]\.\d\."
)
"""Words without which nothing of ``_MEANINGFUL`` can be."""

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_ENDINGS = (
    "com|net|org|edu|gov|io|dev|ai|app|co|cloud|local|localdomain|internal|intranet|lan|corp|home|test|example|invalid"
    "|info|biz|eu|us|uk|de|fr|es|it|nl|se|no|ch|at|pl|ru|cn|jp|kr|hk|tw|in|au|nz|ca|br|mx|za|tr|me|tv|xyz|sh|svc"
)
_KEPT_NAME = ""
_KEPT = (
    r"(?<![A-Za-z0-9])(?i:utf-?(?:8|16|32)(?:-sig)?|latin-?1|iso-8859-\d{1,2}|cp\d{3,4}|sha-?(?:1|256|384|512)|md5"
    r"|u?int(?:8|16|32|64)|float(?:16|32|64)|base(?:32|64)|x86_64|amd64|arm64|ipv[46]|inet6|http/?[123](?:\.\d)?"
    r"|tlsv?1(?:[._]\d)?|sslv[23]|socks[45]|oauth2?|imap4|pop3|s3|ec2|h2|k8s|python[23]|win32|web3|b2[bc]|mp[34])"
    r"(?![A-Za-z0-9])"
)
RULES = (
    ("url", r"\b[A-Za-z][A-Za-z0-9+.-]{1,15}://[^\s'\"<>)\]},;]+"),
    ("url", rf"(?<![\w./@-])(?:\w{{1,32}}@)?{_LABEL}(?:\.{_LABEL}){{1,8}}:(?!\d)[\w./~-]{{1,200}}\.git\b"),
    ("n", r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}(?![0-9A-Fa-f])"),
    ("email", r"[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}\b"),
    ("host", rf"(?<![\w./@-])(?:localhost|{_LABEL}(?:\.{_LABEL}){{1,8}}):\d{{1,5}}(?!\w)"),
    ("host", rf"(?<![\w./@-])(?:{_LABEL}\.){{1,8}}(?:{_ENDINGS})(?![\w(])(?!\.\w)"),
    ("host", rf"(?<![\w./@-])(?=[A-Za-z.-]{{0,200}}\d)(?:{_LABEL}\.){{2,8}}[a-z]{{2}}(?![\w(])(?!\.\w)"),
    (_KEPT_NAME, _KEPT),
    (
        "time",
        (
            r"(?<![\w.])\d{4}[-/.]\d\d[-/.]\d\d(?:[T_-]?\d\d[:.-]?\d\d(?:[:.-]?\d\d)?(?:[.,]\d{1,9})?)?"
            r"(?:Z|[+-]\d\d:?\d\d)?\b"
            r"|(?<![\w.:])\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?(?![\w:])"
            r"|(?<![\w./])\d{1,2}[/.]\d{1,2}[/.]\d{4}\b"
        ),
    ),
    ("host", r"(?<![0-9A-Fa-f:])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![0-9A-Fa-f:])"),
    (
        "host",
        r"(?<![0-9A-Za-z:])(?=[0-9A-Fa-f:]*[0-9A-Fa-f]:[0-9A-Fa-f:]*:)(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])",
    ),
    ("host", r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?:[:/]\d{1,5})?(?!\w|\.\d)"),
    ("path", r"(?<![\w<])[A-Za-z]:[\\/][^\s'\"<>|:;,]{0,180}"),
    ("path", r"(?<![\w.<>~/)\]])(?:~[\w-]{0,32}|\.{1,2})?/[\w.+@%~#=-]+(?:/[\w.+@%~#=:-]*)*"),
    ("path", r"(?<![\w<>/])(?:[\w.+@%~-]{1,80}/){2,40}[\w.+@%~-]{0,80}"),
    ("n", r"(?<![0-9A-Za-z])\d[xX][0-9a-fA-F]+"),
    ("n", r"(?<![0-9A-Za-z])(?=[0-9a-fA-F]{0,63}\d)(?=[0-9a-fA-F]{0,63}[a-fA-F])[0-9a-fA-F]{7,64}(?![0-9A-Za-z])"),
    ("n", r"(?<![0-9A-Za-z])[a-z]{2,10}[_-](?=[A-Za-z_-]{0,60}\d)[A-Za-z0-9_-]{8,}(?![0-9A-Za-z])"),
    (
        "n",
        (
            r"(?<![0-9A-Za-z])(?=[A-Za-z]{0,40}\d)(?=[0-9]{0,40}[A-Za-z])(?=\w{0,60}\d\w{0,60}\d)[A-Za-z0-9]{10,}"
            r"(?![0-9A-Za-z])"
        ),
    ),
    (
        "n",
        (
            r"(?<![\w.])[-+]?\d(?:[\d_,]*\d)?(?:\.\d+)*(?:[eE][-+]?\d+)?"
            r"(?:[KMGTkmgt]i?[Bb]?|ms|us|ns|s|m|h|d|secs?|[Bb]|%|x)?(?!\w)"
        ),
    ),
    ("n", r"\d+(?:[.,]\d+)*"),
)
"""Name of the mask and what it masks; the first that matches counts. What has no name stays."""

_NAMES = tuple(name for name, _ in RULES)
_WORD = re.compile("|".join(f"({pattern})" for _, pattern in RULES))
_MAY_BE_KEPT = re.compile(
    r"(?i)(?<![a-z0-9])(?:(?:utf|latin|iso|sha)-?\d|iso-\d{4}|x\d\d_|(?:s|h|md|mp|ec)\d(?![a-z0-9])|b\d[bc](?![a-z0-9])|k\ds"
    r"|(?:u?int|float|base|cp|amd|arm|ipv|inet|http/?|tlsv?|sslv|socks|oauth|imap|pop|python|win|web)\d)"
)
"""Shapes without which no word is kept, whatever its digits."""
_VARIES = re.compile(r"[0-9/\\@=:.]")
_SHORT_NUMBER = re.compile(r"(?<!\d)\d{1,5}(?!\d)")
_FLAGS = frozenset(("true", "false", "null", "none", "nil"))
_FLAG = re.compile(r"(?<=[=:])(?i:true|false|null|none|nil|yes|no|on|off)\b(?!:)")
_RUN = re.compile(r"(<(?:n|time|host|path|value)>)(?:[,;:/x*+_-]\1)+")
_MASK = re.compile(r"<(?:url|email|time|host|path|n|value|secret)>")


def shape_of(text: str) -> str:
    """The text with other digits and hexadecimal ids: what is masked in one text of a shape is masked in all of them.

    Unless a number stays in it, or ``may_keep`` says that one could.
    """
    return _HEX.sub(_same_length, text).translate(_SHAPE)


def _same_length(match: re.Match[str]) -> str:
    found = match.group()
    return _UUID if "-" in found else _ID[: len(found)]


def may_keep(shape: str) -> bool:
    """Whether a text of this shape may have a word with digits that is never masked."""
    return any(_of_shape(word)[2] for word in shape.split() if not word.isalpha())


def without_masks(text: str) -> str:
    """What of a text was not masked."""
    return _MASK.sub("", text) if "<" in text else text


def has_mask(text: str) -> bool:
    """Whether a part of a text was masked."""
    return "<" in text and _MASK.search(text) is not None


class Vocabulary:
    """Every word that was met, within bounded memory: it makes nothing but speed."""

    def __init__(self) -> None:
        self.masks = _Learned(lambda word: self.learn(word)[0])
        """Word → the word masked as far as it tells by itself."""
        self.traits = _Learned(lambda word: self.learn(word)[1])
        """Word → the sum of what has to be looked at because of it."""

    def learn(self, word: str) -> tuple[str, int]:
        """Looks at a word that was not met before."""
        if len(self.masks) >= _MOST_WORDS:
            self.masks.clear()
            self.traits.clear()
        if word.isalpha():
            masked, traits = word, _traits(word, word)
        else:
            masked, traits, depends_on_digits = _of_shape(shape_of(word))
            masked = _masked_anew(word[:_MAX_WORD]) if depends_on_digits else masked
        if traits & CONTEXT and not _CONTEXT.search(word):
            traits ^= CONTEXT
        self.masks[word] = masked
        self.traits[word] = traits
        return masked, traits


class _Learned(dict[str, _Value]):
    """Asks for what it does not hold; a lookup of what it does is as quick as any."""

    def __init__(self, learn: Callable[[str], _Value]) -> None:
        super().__init__()
        self._learn = learn

    def __missing__(self, word: str) -> _Value:
        return self._learn(word)


def kept_between(before: str, word: str, after: str) -> str | None:
    """A word masked, but for numbers to which the words around it give a meaning; ``None`` if they give none."""
    shapes = shape_of(f"{before} {word} {after}")
    if not _may_mean(shapes, len(before) + 1, len(word)):
        return None
    held = _MEANINGFUL.sub(_hold, f"{before} {word} {after}")
    start = len(before) + 1
    return _masked_anew(held[start : start + len(word)])


@lru_cache(100_000)
def _may_mean(shapes: str, start: int, length: int) -> bool:
    """Whether a number in a part of a text can carry meaning, whatever its digits are."""
    return not _MEANINGFUL.sub(_hold, shapes)[start : start + length].isascii()


@lru_cache(50_000)
def _of_shape(shape: str) -> tuple[str, int, bool]:
    """The mask and the traits of all words of a shape, and whether the mask may depend on their digits."""
    masked = _masked_anew(shape[:_MAX_WORD])
    return masked, _traits(shape, masked), _MAY_BE_KEPT.search(shape) is not None


def _masked_anew(word: str) -> str:
    if not _VARIES.search(word):
        return word
    masked = _WORD.sub(_mask, word)
    if "=" in masked or ":" in masked:
        masked = _FLAG.sub("<value>", masked)
    return _RUN.sub(r"\1", masked) if masked.count("<") > 1 else masked


def _traits(word: str, masked: str) -> int:
    """Of a word or a shape; says rather too much than too little."""
    found = CONTEXT * (_CONTEXT.search(word) is not None)
    if word.isalpha():
        return found | FLAG * (word.lower() in _FLAGS) | FOLDS * (word in DAYS or word in MONTHS or word in UNITS)
    found |= MASKED * ("<" in masked) | NUMBER * (_SHORT_NUMBER.search(word) is not None)
    is_value = word[0] == "(" and not without_masks(masked).strip("()" + STOPS)
    return found | FOLDS * (is_value or word.strip(STOPS) in UNITS) | REQUEST * (word[:5] == "HTTP/")


def _hold(match: re.Match[str]) -> str:
    return match.group().translate(HELD)


def _mask(match: re.Match[str]) -> str:
    name = _NAMES[(match.lastindex or 1) - 1]
    return f"<{name}>" if name else match.group().translate(HELD)
