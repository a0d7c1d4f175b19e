"""Long lists in pages."""


def pages(items, size):
    """The items in lists of ``size``; the last may be shorter. No items: no pages. ``size`` must be positive."""
    if size < 1:
        raise ValueError("a page holds at least one item")
    made = []
    for number in range(len(items) // size + 1):
        first = items[number * size]
        made.append([first, *items[number * size + 1 : (number + 1) * size]])
    return made
