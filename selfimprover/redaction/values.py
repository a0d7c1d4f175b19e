"""Whether the value beside a telling name is a secret: not a placeholder, not code, not a sentence."""

import re

from selfimprover.redaction.rules import Narrow

_LOOKED_AT = 256
_AFTER = 40
_SHORTEST = 3
_SHORTEST_WORD = 6
_SHORTEST_RANDOM = 8
_LONG = 20
_RANDOM_LENGTH = 16
_RANDOM_CHANGES = 0.3
"""Changes for each character: 0.4 and more in random hexadecimal digits, under 0.2 in most names with digits."""
_MANY_TURNS = 4

_STAND_INS = re.compile(
    r"(?i)^(?:[*xX.•·\-_#?]+|<[^<>]*>?|\[[^\]]*\]?|\(.*|\$\{?\(?[a-z_][\w.:-]*[)}]?|\{\{?[^{}]*\}?\}?"
    r"|%[\w.-]+%|%\(?\w*\)?[srd]?|your[ _-]?[\w-]+|my[-_][\w-]+[-_]here|[\w-]*[-_]here|\$\(.*|`.*|\.\.\.+"
    r"|n/a|![a-z]+)$"
)
"""What is written in place of a secret: stars, variables, templates, "your-key-here"."""
_WORDS = frozenset(
    """
    a accepted alphanumeric an and any are argument at authentication await bad be bearer blank bool boolean bytes
    can cannot changed characters check contains could default denied description did disabled does empty encrypted
    env error expected expired failed failure false field flag for found from given has header hidden id in
    incorrect input int integer invalid is it length masked match mismatch missing more must needed new nil no none
    not null nullable object of ok option optional or pair pass passed passwd password prompt protected provided pwd
    qualifier read redacted removed required reset rotated secret secretstr set should str string success text that
    the this to token tokens too true type undefined unexpected unknown unset unsupported use user username value
    verification was were when which will with without wrong yes you
    """.split()  # noqa: SIM905  (a list of one word a line would fill two screens)
)
_SENTENCE_WORDS = re.compile(
    r"(?i)\b(?:is|are|was|be|must|should|may|cannot|can't|not|no|required|invalid|incorrect|missing|too|least|expired"
    r"|please|field|enter|does|didn't|doesn't|has|have|this|your)\b"
)
_CODE = re.compile(
    r"^(?:[A-Z][A-Za-z]+\[.*|[a-z_]\w*(?:\.[A-Za-z_]\w*)*(?:\(.*|\[.*)"
    r"|(?:self|cls|settings|config|os|request|args|kwargs|ctx|app|options|opts|params|payload|data|env|process|conf|cfg)"
    r"(?:\.[A-Za-z_]\w*)+[)\]}]*)$"
)
_IDENTIFIER = re.compile(r"^[A-Za-z]*(?:_[A-Za-z]+)+$")
_NAMES_SECRET = re.compile(r"(?i)pass|pwd|pw$|token|secret|key|auth|cred|value|env|param")
_REST_OF_CODE = re.compile(r"[,)\]}+](?:[\s,)\]}+]|$)")
"""Behind a quote that closed a string: ``"password=" + x`` or ``['password'], 'x'``."""
_NUMBER = re.compile(r"^[\d.,:]*$")
_DATE = re.compile(r"^\d{4}-\d\d-\d\d")
_NOT_RANDOM = re.compile(r"\s|://|^arn:|^\d{4}-\d\d-\d\d|^v?\d+(?:\.\d+)+")
_NO_WORD = re.compile(r"\s|^\W*$|://")
_TURN = re.compile(r"[a-z][A-Z]|[A-Z]{2}[a-z]")
_CHANGE = re.compile(r"[a-z][A-Z0-9]|[A-Z][a-z0-9]|[0-9][A-Za-z]")
_NEXT_WORD = re.compile(rb"^ +[a-z]+(?:[ .,:;)]|$)")
_CLOSERS = b")]}>"
_OPENERS = {b")": b"(", b"]": b"[", b"}": b"{", b">": b"<"}


def given_value(text: bytes, start: int, end: int) -> tuple[int, int] | None:
    """The value at a place that is made for one: everything but stand-ins, code, types and sentences."""
    end = _without_closers(text, start, end)
    value = _value(text, start, end)
    if len(value) < _SHORTEST or _stands_in(value) or _DATE.match(value):
        return None
    if _quoted(text, start):
        return None if _sentence(value) or value[0].isspace() or _REST_OF_CODE.match(value) else (start, end)
    code = _CODE.match(value) or (_IDENTIFIER.match(value) and _NAMES_SECRET.search(value))
    return None if code or text[end : end + 1] in (b"(", b"[") else (start, end)


def any_value(text: bytes, start: int, end: int) -> tuple[int, int] | None:
    """The value of a name like *password*, which is also a word of speech ("password: must have …")."""
    found = given_value(text, start, end)
    if found is None or _quoted(text, start) or _assigned(text, start):
        return found
    value = text[start : found[1]]
    spoken = value.isalpha() and value.islower() and _NEXT_WORD.match(text[found[1] : found[1] + _AFTER])
    return None if spoken else found


def worded_value(text: bytes, start: int, end: int) -> tuple[int, int] | None:
    """As ``any_value``, where numbers alone are counts ("pass=12")."""
    found = any_value(text, start, end)
    return None if found is None or _NUMBER.match(_value(text, *found)) else found


def account_value(text: bytes, start: int, end: int) -> tuple[int, int] | None:
    """The password of ``user:password``; ``1000:1000`` are the ids of a user and a group."""
    found = given_value(text, start, end)
    return None if found is None or _NUMBER.match(_value(text, *found)) else found


def varied_value(text: bytes, start: int, end: int) -> tuple[int, int] | None:
    """The value of a name that is also used for other things (*token*, *key*): it has to look random."""
    found = any_value(text, start, end)
    return found if found is not None and _varied(_value(text, *found)) else None


def mixed_value(text: bytes, start: int, end: int) -> tuple[int, int] | None:
    """What stands behind a word that is rarely a secret's (*key*): it needs digits and both cases."""
    found = varied_value(text, start, end)
    value = _value(text, start, end)
    return found if any(map(str.isdigit, value)) and value != value.lower() and value != value.upper() else None


def token_value(text: bytes, start: int, end: int) -> tuple[int, int] | None:
    """The value of *token* or *secret*: assigned, random, or a quoted word."""
    found = any_value(text, start, end)
    if found is None:
        return None
    value = _value(text, *found)
    if _NUMBER.match(value):
        return found if len(value) >= _SHORTEST_RANDOM and value.isdigit() else None
    word = _quoted(text, start) and len(value) >= _SHORTEST_WORD and not _NO_WORD.search(value)
    return found if word or _assigned(text, start) or _varied(value) else None


def random_list(text: bytes, start: int, end: int) -> tuple[int, int] | None:
    """What a list of quoted values contains, if its first value looks random."""
    first = _value(text, start, end).strip("\\'\" ")
    return (start, end) if _varied(re.split(r"['\"\\]", first)[0]) else None


def in_code(narrow: Narrow | None) -> Narrow:
    """The same for the files of a project, where names and places of secrets are everyday: only what looks random."""

    def narrowed(text: bytes, start: int, end: int) -> tuple[int, int] | None:
        found = narrow(text, start, end) if narrow else (start, end)
        return found if found is not None and _random(_value(text, *found)) else None

    return narrowed


def _assigned(text: bytes, start: int) -> bool:
    return text[start - 1 : start] == b"=" or text[max(0, start - 2) : start] == b"= "


def _value(text: bytes, start: int, end: int) -> str:
    return text[start : min(end, start + _LOOKED_AT)].decode("utf-8", "ignore")


def _quoted(text: bytes, start: int) -> bool:
    return text[start - 1 : start] in (b"'", b'"', b"`")


def _without_closers(text: bytes, start: int, end: int) -> int:
    """The end without brackets that were opened before the value, and without the end of the sentence."""
    if _quoted(text, start):
        return end
    while end > start:
        last = text[end - 1 : end]
        unopened = last in _OPENERS and _OPENERS[last] not in text[start:end]
        if not unopened and last not in (b":", b"."):
            break
        end -= 1
    return end


def _stands_in(value: str) -> bool:
    return bool(_STAND_INS.match(value)) or value.strip("'\".,:;!?()[]{}").casefold() in _WORDS


def _sentence(value: str) -> bool:
    return " " in value and bool(_SENTENCE_WORDS.search(value))


def _random(value: str) -> bool:
    """Long, with a digit, and changing between digits and cases as no word, no number and no name does."""
    changes = sum(bool(_CHANGE.fullmatch(value[at : at + 2])) for at in range(len(value) - 1))
    return (
        len(value) >= _RANDOM_LENGTH
        and any(map(str.isdigit, value))
        and not _NOT_RANDOM.search(value)
        and changes >= _RANDOM_CHANGES * len(value)
    )


def _varied(value: str) -> bool:
    """Digits among letters, or cases that change as no word's do."""
    if len(value) < _SHORTEST_RANDOM or _NOT_RANDOM.search(value):
        return False
    if any(map(str.isdigit, value)) and any(map(str.isalpha, value)):
        return True
    return len(value) >= _LONG and len(_TURN.findall(value)) >= _MANY_TURNS
