"""Takes out of foreign text what its reader would not see: strangers write it, for people and for models."""

import re
import unicodedata

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_TAGS = range(0xE0000, 0xE0080)
_CONTROLS = {code: None for code in (*range(0x20), 0x7F) if chr(code) not in "\n\t"}
_BLANK = re.compile("[\u034f\u115f\u1160\u2028\u2029\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""Characters of visible categories that show nothing, or that only end a line for some readers."""
_HTML_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


def visible(text: str) -> str:
    """The text without escape sequences, control, bidirectional, zero-width and tag characters; lines and tabs stay."""
    text = _ANSI.sub("", text)
    if text.isascii():
        return text.translate(_CONTROLS)
    text = _BLANK.sub("", text)
    return "".join(character for character in text if character in "\n\t" or not _hidden(character))


def without_comments(text: str) -> str:
    """The visible text without HTML comments, which whoever reads rendered Markdown does not see."""
    return _HTML_COMMENT.sub("", visible(text))


def _hidden(character: str) -> bool:
    if character.isprintable():
        return False
    return ord(character) in _TAGS or unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co"}
