"""A line with a secret in it, and random values of given alphabets."""

import string
from dataclasses import dataclass
from random import Random

LOWER = string.ascii_lowercase
UPPER = string.ascii_uppercase
DIGITS = string.digits
ALNUM = string.ascii_letters + DIGITS
HEX = DIGITS + "abcdef"
BASE32 = UPPER + "234567"
BASE64 = ALNUM + "+/"
URLSAFE = ALNUM + "-_"


@dataclass(frozen=True)
class Case:
    """A text and the secret in it."""

    kind: str
    text: str
    secret: str


class Values:
    """Random values, the same in every run."""

    def __init__(self, seed: str) -> None:
        self.random = Random(seed)

    def of(self, alphabet: str, length: int) -> str:
        """So many characters of the alphabet, with a digit among them wherever it has digits."""
        drawn = [self.random.choice(alphabet) for _ in range(length)]
        if length > 8:
            drawn[length // 2] = next((one for one in "47" if one in alphabet), drawn[length // 2])
            drawn[0], drawn[-1] = (next(one for one in alphabet if one.isalnum()) for _ in range(2))
            drawn[1] = self.random.choice([one for one in alphabet if one.isalnum()])
        return "".join(drawn)

    def pick(self, *choices: str) -> str:
        """One of them."""
        return self.random.choice(choices)


def leaks(secret: str, shown: str) -> bool:
    """Whether the secret, or half of it, is still in the text."""
    half = max(4, len(secret) // 2)
    return secret[:half] in shown or secret[-half:] in shown
