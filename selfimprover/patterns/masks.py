"""Masks the varying parts of an error message, so that messages of one cause become one template.

Numbers that carry meaning (status codes, errno, exit codes, signals) stay: a 404 and a 503 are two causes. Every rule
looks at one message only, so a template is a pure function of its text. Time is linear: a message is cut first, a word
is masked once and then remembered, and no rule can backtrack further than the caps in it.
"""

import re
from collections.abc import Iterator, Sequence
from functools import reduce
from operator import eq, or_

from selfimprover.patterns.words import (
    CONTEXT,
    DAYS,
    FLAG,
    FOLDS,
    FORGED,
    FREED,
    MASKED,
    MONTHS,
    NUMBER,
    REQUEST,
    STOPS,
    UNITS,
    Vocabulary,
    has_mask,
    kept_between,
    may_keep,
    without_masks,
)

_MAX_CHARACTERS = 8_000
_MAX_WORDS = 40
"""How much of a message is looked at; whole words, for a cut within one would depend on the values before it."""
_PLACEHOLDER = re.compile(r"\[REDACTED:[a-z0-9-]+(?::[0-9a-f]+)?\]")

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
_WORDS_OF_SENTENCE = re.compile(r"[^\W\d]{2,}")
_REQUEST_LINE = re.compile(r'"(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) \S{1,300} HTTP/[\d.]{1,3}"')
"""The mark of an access log, in which every line has a status (https://en.wikipedia.org/wiki/Common_Log_Format)."""

_words = Vocabulary()


def template(message: str) -> str:
    """The message with urls, paths, ids, hosts, times and plain numbers masked: a pure function of its text."""
    text = message[:_MAX_CHARACTERS]
    if "[REDACTED:" in text:
        text = mask_placeholders(text)  # before the cut: half a placeholder still has its digest
    if "\0" in text or not text.isascii():
        text = text.translate(FORGED)
    words = text.split(None, _MAX_WORDS)[:_MAX_WORDS]
    masked = list(map(_words.masks.__getitem__, words))
    traits = reduce(or_, map(_words.traits.__getitem__, words), 0)
    if traits & FLAG:
        _mask_flags(words, masked)
    if traits & NUMBER and traits & CONTEXT and not (traits & REQUEST and _REQUEST_LINE.search(" ".join(words))):
        for place, kept in _meaningful(words):
            masked[place] = kept
    told = " ".join(masked)
    if traits & MASKED and (traits & FOLDS or "> <" in told or ">, <" in told or True in map(eq, masked, masked[1:])):
        told = _folded(masked)
    if not _QUOTES.isdisjoint(told):
        told = _QUOTED.sub(_quoted, told)
        if told.endswith("<value>"):
            told = _FILE_OF.sub(r"\1", told)
    return told if told.isascii() else told.translate(FREED)


def keeps_digits(shape: str) -> bool:
    """Whether a digit may stay in the template of a text of this shape: then not all of them have the same."""
    return may_keep(shape) or next(_meaningful(shape.split()), None) is not None


def mask_placeholders(text: str) -> str:
    """Reduces every redaction placeholder to one mask: their digests differ between installations."""
    return _PLACEHOLDER.sub("<secret>", text) if "[REDACTED:" in text else text


def says_something(masked: str) -> bool:
    """Whether a template has words enough to tell a cause."""
    found = 0
    for word in masked.split(" "):
        if word.isalpha() or any(map(str.isalpha, without_masks(word))):
            found += 1
            if found == _ENOUGH:
                return True
    return False


def _mask_flags(words: Sequence[str], masked: list[str]) -> None:
    """What is on or off after ``key:`` is a value."""
    for place, word in enumerate(words):
        if place and _words.traits[word] & FLAG and words[place - 1][-1:] in (":", "="):
            masked[place] = "<value>"


def _meaningful(words: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The places of words with numbers to which the words around them give a meaning, and what is masked of them."""
    traits = [0, 0, *map(_words.traits.__getitem__, words), 0]
    for place, word in enumerate(words):
        around = traits[place] | traits[place + 1] | traits[place + 2]
        if around & CONTEXT and traits[place + 2] & NUMBER:
            before = " ".join(words[max(0, place - 2) : place])
            after = words[place + 1] if place + 1 < len(words) else ""
            if (kept := kept_between(before, word, after)) is not None:
                yield place, kept


def _folded(words: Sequence[str]) -> str:
    """The masked words as one text: written-out dates, units, and values that are said again make one mask."""
    told: list[str] = []
    for word in words:
        last = told[-1] if told else ""
        if word in MONTHS or word in DAYS:
            if last != "<time>":
                told.append("<time>")
        elif last == "<time>" and word.strip(STOPS) in ("<n>", "<time>", "UTC", "GMT"):
            continue
        elif last.endswith(("<n>", "<time>")) and word.rstrip(STOPS) in UNITS:
            told[-1] += word[len(word.rstrip(STOPS)) :]
        elif word[:1] == "(" and "<" in last and not without_masks(word).strip("()" + STOPS):
            told[-1] += word[len(word.rstrip(STOPS + "(")) :].replace(")", "")  # the same in another unit
        elif "<" in word and word.strip(STOPS) == last.strip(STOPS):
            told[-1] = last.rstrip(STOPS) + word[len(word.rstrip(STOPS)) :]
        else:
            told.append(word)
    return " ".join(told)


def _quoted(match: re.Match[str]) -> str:
    """A quoted name or sentence stays, as it tells causes apart; any other quoted value is masked."""
    inside = next(group for group in match.groups() if group is not None)
    if request := _REQUEST.fullmatch(inside):
        return f"{request[1]} <value>"
    if has_mask(inside):
        return match.group() if len(_WORDS_OF_SENTENCE.findall(without_masks(inside))) >= _SENTENCE else "<value>"
    return match.group() if _NAME.fullmatch(inside) or " " in inside.strip() else "<value>"
