"""The end of the day."""


async def shut_down(workers):
    """A line for the log."""
    results = await workers.stop(patience=0.05)
    return f"done: {', '.join(sorted(results)) or 'nothing'}"
