"""Long lists in pages."""


def pages(items, size):
    """The items in lists of ``size``; the last may be shorter. No items: no pages. ``size`` must be positive."""
    if size < 1:
        raise ValueError("a page holds at least one item")
    return [list(items[start : start + size]) for start in range(0, len(items), size)]
