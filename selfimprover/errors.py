"""The error tree. A class exists only where a caller acts differently on it.

Every message says what happened and where; ``mend`` says what a person can do about it.
"""


class SelfImproverError(Exception):
    """Anything that a person can mend; printed as one line, without a traceback."""

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.mend = mend

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head} ({self.mend})" if self.mend else head


class UsageError(SelfImproverError):
    """Wrong use or wrong configuration, or a state folder that cannot be used: nothing was begun."""

    exit_code = 2


class MemoryLostError(UsageError):
    """The memory cannot be read or written. What cannot be remembered must not be done: the night ends at once."""


class BusyError(SelfImproverError):
    """Another instance holds the state folder."""

    exit_code = 75


class TelemetryError(SelfImproverError):
    """A project's telemetry cannot be read; the other projects go on."""


class ForgeError(SelfImproverError):
    """The repository or the place of the pull requests cannot be used; the project's findings stay as they are."""


class RefusedError(SelfImproverError):
    """A drafter will not draft, a draft may not be applied, a forge will not take it: the reason is kept."""


class ModelError(SelfImproverError):
    """The language model gives no answer tonight; the finding waits as it is, and this is no attempt at it."""


class ModelUnavailableError(ModelError):
    """It could not be reached, or failed, after the retries of one call; another finding may be asked about."""


class ModelStoppedError(ModelError):
    """It will not answer whatever it is asked: nobody asks again tonight."""


class BudgetSpentError(ModelError):
    """The most that the next call may cost is more than is left of the night's budget."""


class NotCodeError(RefusedError):
    """Nothing in the project is wrong: this becomes a diagnosis, with its owner and what to watch."""

    def __init__(self, cause: str, *, owner: str, watch: str) -> None:
        told = [cause, f"owner: {owner}" if owner else "", f"watch: {watch}" if watch else ""]
        super().__init__("; ".join(part for part in told if part))


class ModelRefusedError(RefusedError):
    """The language model will not answer this question, today or tomorrow: the reason is kept."""


class ConflictError(SelfImproverError):
    """Something changed under us: a state, a branch. Nothing was written; the next night looks again."""


class StoppedError(Exception):
    """A stop was asked for between two steps of a night; what was done is kept, and the rest is taken up again."""
