"""Small statistics. Of no values at all there is none of them: each says ``None`` then, never a number."""


def highest(values):
    """The highest value."""
    return max(values, default=None)


def lowest(values):
    """The lowest value."""
    return min(values, default=None)


def mean(values):
    """The arithmetic mean."""
    return sum(values) / len(values)
