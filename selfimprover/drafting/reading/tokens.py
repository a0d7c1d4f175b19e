"""How many tokens a text costs, without a tokenizer.

The rule: one token for 3.5 ASCII characters, and one for every two bytes of all others. Tokenizers of today need about
one for 4 characters of English or code, one or two for a Chinese character, two for an emoji; so prose and code come
out 10 to 20 % too high, which is the side to be wrong on. Only dense text (base64, hex dumps) can cost more than this.
"""

import math

_ASCII_PER_TOKEN = 3.5
_BYTES_PER_TOKEN = 2


def estimate(text: str) -> int:
    """The estimated number of tokens, rounded up."""
    if text.isascii():
        return math.ceil(len(text) / _ASCII_PER_TOKEN)
    plain = sum(character < "\x80" for character in text)
    others = len(text.encode("utf-8", "replace")) - plain
    return math.ceil(plain / _ASCII_PER_TOKEN + others / _BYTES_PER_TOKEN)


def characters(tokens: int) -> int:
    """How many ASCII characters surely fit into so many tokens."""
    return max(0, int(tokens * _ASCII_PER_TOKEN))
