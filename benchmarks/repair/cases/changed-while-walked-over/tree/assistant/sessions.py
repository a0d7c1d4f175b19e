"""Who is talking to the assistant."""


class Sessions:
    """Sessions end ``lasts`` seconds after they were last touched."""

    def __init__(self, lasts):
        self._lasts = lasts
        self._touched = {}
        self.ended = []

    def touch(self, user, now):
        """Begins the session of a user, or lets it go on."""
        self._touched[user] = now

    def is_open(self, user):
        """Whether a user has a session."""
        return user in self._touched

    def expire(self, now):
        """Ends what is over, in the order in which it was begun, and returns how many sessions are left."""
        for user, touched in self._touched.items():
            if now - touched > self._lasts:
                self._end(user)
        return len(self._touched)

    def _end(self, user):
        del self._touched[user]
        self.ended.append(user)
