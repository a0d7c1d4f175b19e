"""Sends mails."""

TRIES = 3


def send(server, mail_id, text):
    """Sends a mail once, and returns after how many tries it is known to be out.

    Raises ``TimeoutError`` if no try was answered, and what ``assistant.server`` says of ids.
    """
    for attempt in range(1, TRIES + 1):
        try:
            server.submit(mail_id, text)
        except TimeoutError:
            if attempt == TRIES:
                raise
        else:
            return attempt
