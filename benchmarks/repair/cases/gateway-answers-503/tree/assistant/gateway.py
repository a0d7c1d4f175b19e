"""Asks the gateway in front of the language model."""


class GatewayError(Exception):
    """The gateway did not do what it was asked; the text has its status."""


def summarise(gateway, text):
    """A summary of a text; raises ``GatewayError``."""
    status, body = gateway.post("/v1/summaries", text)
    if status != 200:
        raise GatewayError(f"HTTP {status} {body}")
    return body
