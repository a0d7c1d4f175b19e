"""Tries again what may fail now and then."""


class GaveUpError(Exception):
    """It failed as often as it may; the last error is its cause."""


def retried(action, tries=3):
    """What ``action()`` returns. A ``TimeoutError`` is tried again; after ``tries`` of them raises ``GaveUpError``."""
    for attempt in range(1, tries + 1):
        try:
            return action()
        except TimeoutError as error:
            if attempt == tries:
                raise GaveUpError(f"failed {tries} times") from error
