"""Masks the varying parts of an error message, so that messages of one cause become one template.

Numbers that carry meaning (status codes, errno, exit codes, signals) stay: a 404 and a 503 are two causes. Every rule
looks at one message only, so a template is a pure function of its text. Time is linear: a message is cut first, a word
is masked once and then remembered, and no rule can backtrack further than the caps in it.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

_MAX_CHARACTERS = 8_000
_MAX_WORDS = 40
"""How much of a message is looked at; whole words, for a cut within one would depend on the values before it."""
_MAX_WORD = 200
_PLACEHOLDER = re.compile(r"\[REDACTED:[a-z0-9-]+(?::[0-9a-f]+)?\]")

_HELD = {ord(digit): 0xE000 + int(digit) for digit in "0123456789"}
_FREED = {held: digit for digit, held in _HELD.items()}
_FORGED = dict.fromkeys((0, *_FREED), "\N{REPLACEMENT CHARACTER}")
"""Digits that carry meaning are held in the private use area while the others are masked."""

_MEANINGFUL = re.compile(
    r"(?i:\b(?:(?:error|exit|return|status|response|close|result)[ _-]?code|exit(?:ed)?(?: with)?(?: code| status)?"
    r"|status|errno|winerror|sqlstate|rc|code|signal|http(?:/[\d.]{1,3})?|mcp error|rpc error)"
    r"['\"]?(?: was| is| of)?[\s:=#(\[]{1,3}-?\d{1,5}\b(?!\.\d|[-/:]\d))"
    r"|\bSIG[A-Z]{2,6}: \d{1,2}"
    r"|\(\d{3,4}, (?=b?['\"])"
    r"|(?:(?<=b['\"])|(?<=[( ]))[245]\.\d\.\d{1,3}(?![\w.])"
    r"|(?<![\w.:/-])[1-5]\d\d(?=:?[ -]['\"(]?(?i:client|server|error|continue|ok|created|accepted|no|moved|found"
    r"|see|not"
    r"|temporary|permanent|bad|unauthorized|payment|forbidden|method|proxy|request|conflict|gone|length|precondition|payload"
    r"|content|uri|unsupported|range|expectation|misdirected|unprocessable|locked|failed|too|upgrade|unavailable|internal"
    r"|gateway|service|http|insufficient|loop|network|overloaded|rate|you|timeout|resource)\b)"
    r"|\b(?:ORA|TNS|PLS|MY|E|ERR|CS|TS)-?\d{3,5}(?=:)"
)
"""What makes a number before or after it one that tells causes apart."""

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_ENDINGS = (
    "com|net|org|edu|gov|io|dev|ai|app|co|cloud|local|localdomain|internal|intranet|lan|corp|home|test|example|invalid"
    "|info|biz|eu|us|uk|de|fr|es|it|nl|se|no|ch|at|pl|ru|cn|jp|kr|hk|tw|in|au|nz|ca|br|mx|za|tr|me|tv|xyz|sh|svc"
)
_RULES = (
    ("url", r"\b[A-Za-z][A-Za-z0-9+.-]{1,15}://[^\s'\"<>)\]},;]+"),
    ("url", rf"(?<![\w./@-])(?:\w{{1,32}}@)?{_LABEL}(?:\.{_LABEL}){{1,8}}:(?!\d)[\w./~-]{{1,200}}\.git\b"),
    ("n", r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}(?![0-9A-Fa-f])"),
    ("email", r"[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}\b"),
    ("host", rf"(?<![\w./@-])(?:localhost|{_LABEL}(?:\.{_LABEL}){{1,8}}):\d{{1,5}}(?!\w)"),
    ("host", rf"(?<![\w./@-])(?:{_LABEL}\.){{1,8}}(?:{_ENDINGS})(?![\w(])(?!\.\w)"),
    ("host", rf"(?<![\w./@-])(?=[A-Za-z.-]{{0,200}}\d)(?:{_LABEL}\.){{2,8}}[a-z]{{2}}(?![\w(])(?!\.\w)"),
    (
        "",
        (
            r"(?<![A-Za-z0-9])(?i:utf-?(?:8|16|32)(?:-sig)?|latin-?1|iso-8859-\d{1,2}|cp\d{3,4}|sha-?(?:1|256|384|512)|md5"
            r"|u?int(?:8|16|32|64)|float(?:16|32|64)|base(?:32|64)|x86_64|amd64|arm64|ipv[46]|inet6|http/?[123](?:\.\d)?"
            r"|tlsv?1(?:[._]\d)?|sslv[23]|socks[45]|oauth2?|imap4|pop3|s3|ec2|h2|k8s|python[23]|win32|web3|b2[bc]|mp[34])"
            r"(?![A-Za-z0-9])"
        ),
    ),
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
    ("n", r"(?<![0-9A-Za-z])0[xX][0-9a-fA-F]+"),
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
_NAMES = tuple(name for name, _ in _RULES)
_WORD = re.compile("|".join(f"({pattern})" for _, pattern in _RULES))
_VARIES = re.compile(r"[0-9/\\@=:.]")
_SHORT_NUMBER = re.compile(r"(?<!\d)\d{1,5}(?!\d)")
_FLAGS = frozenset(("true", "false", "null", "none", "nil", "yes", "no", "on", "off"))
_FLAG = re.compile(rf"(?<=[=:])(?i:{'|'.join(_FLAGS)})\b(?!:)")

_QUOTED = re.compile(
    r"b?(?:'(?P<single>[^']{0,300})'|\"(?P<double>[^\"]{0,300})\")(?!\w)|[‘“„«「『](?P<other>[^’”»」』]{0,300})[’”»」』]"
)
_QUOTES = frozenset("'\"‘“„«「『")
_FILE_OF = re.compile(r"(\[(?:Errno|WinError) [\ue000-\ue009]{1,5}\] [^:]{1,200}): <value>(?: -> <value>)?$")
"""Whether an ``OSError`` names its file depends on the call (https://docs.python.org/3/library/exceptions.html#OSError)."""
_SENTENCE = 3
_ENOUGH = 2
_NAME = re.compile(r"[A-Za-z_$][\w$.\-\ue000-\ue009]{0,80}(?:\(\))?")
_REQUEST = re.compile(r"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT) .*?( HTTP/[\ue000-\ue009.<n>]+)?")
_MASK = re.compile(r"<(?:url|email|time|host|path|n|value|secret)>")
_RUN = re.compile(r"(<(?:n|time|host|path|value)>)(?:[,;:/x*+_-]\1)+")
_REQUEST_LINE = re.compile(r'"(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) \S{1,300} HTTP/[\d.]{1,3}"')
"""The mark of an access log, in which every line has a status (https://en.wikipedia.org/wiki/Common_Log_Format)."""

_DAYS = frozenset(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"))
_MONTHS = frozenset(("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"))
_UNITS = frozenset(
    [
        "ms",
        "us",
        "ns",
        "s",
        "sec",
        "secs",
        "second",
        "seconds",
        "millisecond",
        "milliseconds",
        "microsecond",
        "microseconds",
        "minute",
        "minutes",
        "min",
        "mins",
        "hour",
        "hours",
        "hr",
        "hrs",
        "day",
        "days",
        "byte",
        "bytes",
        "b",
        "B",
        "kB",
        "KB",
        "MB",
        "GB",
        "TB",
        "KiB",
        "MiB",
        "GiB",
        "TiB",
    ]
)
_STOPS = ",;:.)]}"


def template(message: str) -> str:
    """The message with urls, paths, ids, hosts, times and plain numbers masked: a pure function of its text."""
    text = message[:_MAX_CHARACTERS]
    if "[REDACTED:" in text:
        text = mask_placeholders(text)  # before the cut: half a placeholder still has its digest
    if "\0" in text or not text.isascii():
        text = text.translate(_FORGED)
    masked = _folded(list(_masked(text.split(None, _MAX_WORDS)[:_MAX_WORDS])))
    if not _QUOTES.isdisjoint(masked):
        masked = _QUOTED.sub(_quoted, masked)
        if masked.endswith("<value>"):
            masked = _FILE_OF.sub(r"\1", masked)
    return masked if masked.isascii() else masked.translate(_FREED)


def mask_placeholders(text: str) -> str:
    """Reduces every redaction placeholder to one mask: their digests differ between installations."""
    return _PLACEHOLDER.sub("<secret>", text)


def without_masks(text: str) -> str:
    """What of a text was not masked."""
    return _MASK.sub("", text)


def says_something(masked: str) -> bool:
    """Whether a template has words enough to tell a cause."""
    found = 0
    for word in masked.split():
        if word.isalpha() or any(map(str.isalpha, without_masks(word))):
            found += 1
            if found == _ENOUGH:
                return True
    return False


def _masked(words: Sequence[str]) -> Iterator[str]:
    last = len(words) - 1
    every_line_has_one = _is_access_log(words)
    for place, word in enumerate(words):
        if word.isalpha():
            flag = place and word.lower() in _FLAGS and words[place - 1][-1:] in (":", "=")
            yield "<value>" if flag else word
        elif not every_line_has_one and _SHORT_NUMBER.search(word):
            before = " ".join(words[max(0, place - 2) : place])
            yield _mask_number(before, word, words[place + 1] if place < last else "")
        else:
            yield _mask_word(word)


def _is_access_log(words: Sequence[str]) -> bool:
    return any(word[:5] == "HTTP/" for word in words) and _REQUEST_LINE.search(" ".join(words)) is not None


def _folded(words: Sequence[str]) -> str:
    """The masked words as one text: written-out dates, units, and values that are said again make one mask."""
    told: list[str] = []
    for word in words:
        last = told[-1] if told else ""
        if word in _MONTHS or word in _DAYS:
            if last != "<time>":
                told.append("<time>")
        elif last == "<time>" and word.strip(_STOPS) in ("<n>", "<time>", "UTC", "GMT"):
            continue
        elif last.endswith(("<n>", "<time>")) and word.rstrip(_STOPS) in _UNITS:
            told[-1] += word[len(word.rstrip(_STOPS)) :]
        elif word[:1] == "(" and "<" in last and not without_masks(word).strip("()" + _STOPS):
            told[-1] += word[len(word.rstrip(_STOPS + "(")) :].replace(
                ")", ""
            )  # a value said once more in another unit
        elif "<" in word and word.strip(_STOPS) == last.strip(_STOPS):
            told[-1] = last.rstrip(_STOPS) + word[len(word.rstrip(_STOPS)) :]
        else:
            told.append(word)
    return " ".join(told)


@lru_cache(200_000)
def _mask_word(word: str) -> str:
    if not _VARIES.search(word):
        return word
    return _RUN.sub(r"\1", _FLAG.sub("<value>", _WORD.sub(_mask, word[:_MAX_WORD])))


@lru_cache(100_000)
def _mask_number(before: str, word: str, after: str) -> str:
    held = _MEANINGFUL.sub(_hold, f"{before} {word} {after}")
    start = len(before) + 1
    return _mask_word(held[start : start + len(word)])


def _hold(match: re.Match[str]) -> str:
    return match.group().translate(_HELD)


def _mask(match: re.Match[str]) -> str:
    name = _NAMES[(match.lastindex or 1) - 1]
    return f"<{name}>" if name else match.group().translate(_HELD)


def _quoted(match: re.Match[str]) -> str:
    """A quoted name or sentence stays, as it tells causes apart; any other quoted value is masked."""
    inside = next(group for group in match.groups() if group is not None)
    if request := _REQUEST.fullmatch(inside):
        return f"{request[1]} <value>"
    if _MASK.search(inside):
        return match.group() if len(re.findall(r"[^\W\d]{2,}", without_masks(inside))) >= _SENTENCE else "<value>"
    return match.group() if _NAME.fullmatch(inside) or " " in inside.strip() else "<value>"
