"""Errors of the assistant."""


class SettingsError(Exception):
    """A value in the settings is wrong: which key, and what is wrong with it."""

    def __init__(self, key, what):
        super().__init__(f"{key}: {what}")
        self.key = key
