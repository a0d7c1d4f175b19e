"""Errors of the assistant."""


class AnswerError(Exception):
    """A service answered something that its documentation does not know."""
