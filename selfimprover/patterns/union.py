"""Disjoint sets of texts."""


class Union:
    """Texts that are one with others; the smallest text of each set is its root."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def root(self, text: str) -> str:
        """The smallest text of its set."""
        passed = []
        while (parent := self._parent.get(text, text)) != text:
            passed.append(text)
            text = parent
        for each in passed:
            self._parent[each] = text
        return text

    def unite(self, one: str, other: str) -> bool:
        """Makes two sets one; ``False`` if they were already."""
        first, second = sorted((self.root(one), self.root(other)))
        if first == second:
            return False
        self._parent[second] = first
        return True
