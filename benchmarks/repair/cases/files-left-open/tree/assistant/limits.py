"""What a mail may carry."""

MOST = 1_000_000


def too_large(attachments):
    """The names of the attachments that no server would take."""
    return [name for name, size in attachments.sizes().items() if size > MOST]
