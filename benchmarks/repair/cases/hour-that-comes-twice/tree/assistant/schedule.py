"""When the digest is due."""

from datetime import UTC, timedelta


class Daily:
    """Once on every local date, at a local time given as HH:MM.

    Where clocks go back and the time comes twice, the first one counts. Where they go forward and it is left out, the
    digest is due as much later as they jump.
    """

    def __init__(self, at, zone):
        self._hour, self._minute = map(int, at.split(":"))
        self._zone = zone

    def next(self, after):
        """The next instant, in UTC, that lies after ``after`` (with a time zone)."""
        local = after.astimezone(self._zone)
        due = local.replace(hour=self._hour, minute=self._minute, second=0, microsecond=0)
        if due <= local:
            due += timedelta(days=1)
        return due.astimezone(UTC)

    def date_of(self, due):
        """The local date of an instant."""
        return due.astimezone(self._zone).date()
