"""Lists for the screen."""

from assistant.paging import pages


def screens(titles, size=5):
    """One text a screen, with its number."""
    return [f"{number}: {', '.join(page)}" for number, page in enumerate(pages(titles, size), 1)]
