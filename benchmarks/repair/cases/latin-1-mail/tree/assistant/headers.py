"""Reads headers of mails."""


def parameter(value, name):
    """A parameter of a header's value, such as the charset, in lower case; ``None`` if it has none.

    Parameters may be quoted (RFC 2045, section 5.1).
    """
    for part in value.split(";")[1:]:
        key, _, given = part.partition("=")
        if key.strip().lower() == name:
            return given.strip().strip('"').lower()
    return None
