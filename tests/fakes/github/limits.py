"""Primary and secondary rate limits."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.fakes.github.accounts import Token
from tests.fakes.github.answers import ApiError
from tests.fakes.github.clock import Clock

_ABOUT_SECONDARY = "https://docs.github.com/rest/using-the-rest-api/rate-limits#about-secondary-rate-limits"


@dataclass(slots=True)
class _Window:
    resets_at: datetime
    used: int = 0


@dataclass(slots=True)
class _Planned:
    status: int
    retry_after: str | None
    left: int


class Limits:
    """``limit`` counts per hour and account. ``min_write_gap`` (seconds) limits writes that come closer."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.limit = 5000
        self.anonymous = 60
        self.min_write_gap: float | None = None
        self.retry_after: int | str | None = 60
        """What the limit by ``min_write_gap`` asks for."""
        self.status = 403
        """The status of the primary limit, and of the one by ``min_write_gap``: 403 or 429."""
        self._windows: dict[int, _Window] = {}
        self._planned: list[_Planned] = []
        self._last_write: datetime | None = None
        self._exhausted_until: datetime | None = None

    def exhaust(self, status: int = 403) -> datetime:
        """Nothing is left of the primary limit, for everybody; returns when it is renewed."""
        self.status = status
        self._exhausted_until = self._clock.now().replace(microsecond=0) + timedelta(hours=1)
        return self._exhausted_until

    def secondary(self, status: int = 403, retry_after: int | str | None = 60, times: int = 1) -> None:
        """The next ``times`` requests meet a secondary limit; ``retry_after`` may be seconds, a date or nothing."""
        self._planned.append(_Planned(status, None if retry_after is None else str(retry_after), times))

    def check(self, token: Token | None, *, write: bool) -> None:
        """Refuses a request over a limit."""
        now = self._clock.now()
        if self._planned:
            planned = self._planned[0]
            planned.left -= 1
            if planned.left <= 0:
                self._planned.pop(0)
            raise _secondary(planned.status, planned.retry_after)
        if write:
            before, self._last_write = self._last_write, now
            if self.min_write_gap and before and (now - before).total_seconds() < self.min_write_gap:
                raise _secondary(self.status, None if self.retry_after is None else str(self.retry_after))
        if self._window(token).used >= self._limit(token):
            who = f"user ID {token.user.id}" if token else "127.0.0.1"
            raise ApiError(self.status, f"API rate limit exceeded for {who}.")

    def count(self, token: Token | None) -> None:
        self._window(token).used += 1

    def numbers(self, token: Token | None) -> dict[str, int]:
        """As in ``/rate_limit``."""
        window, limit = self._window(token), self._limit(token)
        used = min(window.used, limit)
        return {"limit": limit, "remaining": limit - used, "used": used, "reset": int(window.resets_at.timestamp())}

    def headers(self, token: Token | None) -> dict[str, str]:
        numbers = {f"X-RateLimit-{name.capitalize()}": str(value) for name, value in self.numbers(token).items()}
        return {**numbers, "X-RateLimit-Resource": "core"}

    def _limit(self, token: Token | None) -> int:
        return self.limit if token else self.anonymous

    def _window(self, token: Token | None) -> _Window:
        now = self._clock.now()
        if self._exhausted_until and now < self._exhausted_until:
            return _Window(self._exhausted_until, self._limit(token))
        key = token.user.id if token else 0
        window = self._windows.get(key)
        if window is None or window.resets_at <= now:
            window = self._windows[key] = _Window(now.replace(microsecond=0) + timedelta(hours=1))
        return window


def _secondary(status: int, retry_after: str | None) -> ApiError:
    what = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    refusal = ApiError(status, what, headers={"Retry-After": retry_after} if retry_after is not None else {})
    refusal.answer.body["documentation_url"] = _ABOUT_SECONDARY
    return refusal
