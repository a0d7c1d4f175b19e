"""Tasks as plain dicts: ``title`` and ``due_at`` (seconds)."""


def new_task(title, due):
    """A task that is due at a time."""
    return {"title": title, "due_at": due}
