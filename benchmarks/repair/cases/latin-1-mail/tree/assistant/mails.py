"""Reads mails."""

from assistant.headers import parameter


def body_text(headers, body):
    """The text of a mail's body (bytes). Without a charset it is UTF-8."""
    return body.decode("utf-8").replace("\r\n", "\n")


def is_html(headers):
    """Whether the body is HTML."""
    return headers.get("Content-Type", "text/plain").split(";")[0].strip().lower() == "text/html"


def is_flowed(headers):
    """Whether lines may be joined (RFC 3676)."""
    return parameter(headers.get("Content-Type", ""), "format") == "flowed"
