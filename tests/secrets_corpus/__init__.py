"""Realistic error lines with secrets in them, and lines that only look like it. Generated: no secret is real.

Tokens are put together at run time, so that no scanner takes this repository for a leak. The rules were written with
``positives`` and ``negatives`` in view; ``held_out`` is what they were never adjusted to.
"""

from tests.secrets_corpus import found_first, found_second, held_out
from tests.secrets_corpus.announced import announced
from tests.secrets_corpus.cases import Case, leaks
from tests.secrets_corpus.negatives import plain_negatives
from tests.secrets_corpus.tokens import tokens

__all__ = ["Case", "held_out", "leaks", "negatives", "positives", "tokens"]


def positives() -> list[Case]:
    """Every kind of secret in several lines."""
    return [*tokens(), *announced(), *found_first.positives(), *found_second.positives()]


def negatives() -> list[Case]:
    """Lines without a secret."""
    return [*plain_negatives(), *found_first.negatives(), *found_second.negatives()]
