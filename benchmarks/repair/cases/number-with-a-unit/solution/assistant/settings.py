"""Reads the settings."""

from assistant.errors import SettingsError

LANGUAGES = ("de", "en")


def read(data):
    """Language and timeout (whole seconds); raises ``SettingsError``."""
    return {"language": _language(data), "timeout": _timeout(data)}


def _language(data):
    language = data.get("language", "en")
    if language not in LANGUAGES:
        raise SettingsError("language", f"{language!r} is none of {', '.join(LANGUAGES)}")
    return language


def _timeout(data):
    given = data.get("timeout", 60)
    try:
        timeout = int(given)
    except (TypeError, ValueError) as error:
        raise SettingsError("timeout", f"{given!r} is no number of seconds") from error
    if timeout < 1:
        raise SettingsError("timeout", "it must be at least one second")
    return timeout
