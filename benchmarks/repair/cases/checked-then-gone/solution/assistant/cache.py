"""Values that are costly to load."""


class Cache:
    """Keeps values by key; several tasks use it at once."""

    def __init__(self):
        self._values = {}

    def put(self, key, value):
        """Keeps a value, which may be ``None``."""
        self._values[key] = value

    def drop(self, key):
        """Forgets a value; it need not be there."""
        self._values.pop(key, None)

    async def get_or_load(self, key, load, log):
        """The value that was kept when this was called, else what ``await load(key)`` gives, which is kept.

        Each use of a kept value is told to ``await log(key)``, which may take its time; others go on meanwhile.
        """
        if key in self._values:
            value = self._values[key]
            await log(key)
            return value
        value = await load(key)
        self._values[key] = value
        return value
