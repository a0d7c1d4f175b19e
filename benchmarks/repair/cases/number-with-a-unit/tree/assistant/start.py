"""Begins."""

from assistant.errors import SettingsError
from assistant.settings import read


def start(data):
    """A line for the person."""
    try:
        settings = read(data)
    except SettingsError as error:
        return f"Please look at your settings: {error}"
    return f"Waiting {settings['timeout']} s"
