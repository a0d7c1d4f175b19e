"""Speaks to the mail server.

It accepts each mail id once. If the receipt gets lost, the mail is out all the same: trying again with the same id is
safe, and "duplicate" then is as good as a receipt. An id that is refused at the first try belongs to another mail: that
is an error of ours and must be seen.
"""


class AlreadySentError(Exception):
    """A mail with this id went out before."""


class Server:
    """The server at the other end of a line."""

    def __init__(self, line):
        self._line = line

    def submit(self, mail_id, text):
        """Hands a mail over; raises ``AlreadySentError``, and ``TimeoutError`` if no receipt comes."""
        if self._line.request("SUBMIT", mail_id, text) == "duplicate":
            raise AlreadySentError(mail_id)
