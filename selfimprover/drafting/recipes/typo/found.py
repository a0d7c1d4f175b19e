"""What a misspelt name was shown to be."""

from dataclasses import dataclass

import libcst as cst

from selfimprover.drafting.recipes.syntax import Place


@dataclass(frozen=True)
class Typo:
    """A name on the failing line, and the one that is really there."""

    place: Place
    use: cst.Name
    right: str
    meaning: str
    """What the right name means, with the place of its definition: ``the method `total` of `Cart` (cart.py:7)``."""

    @property
    def wrong(self) -> str:
        """The name as it is written."""
        return self.use.value
