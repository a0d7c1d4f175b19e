"""A few connections that are used in turn."""


class PoolExhaustedError(Exception):
    """Every connection is in use."""


class Pool:
    """At most ``size`` connections, each made by ``connect()`` when it is first needed."""

    def __init__(self, connect, size=2):
        self._connect = connect
        self._size = size
        self._free = []
        self.used = 0

    def acquire(self):
        """A connection, to be given back by ``release``; raises ``PoolExhaustedError``."""
        if self.used >= self._size:
            raise PoolExhaustedError(f"all {self._size} connections are in use")
        self.used += 1
        return self._free.pop() if self._free else self._connect()

    def release(self, connection):
        """Takes a connection back."""
        self.used -= 1
        self._free.append(connection)
