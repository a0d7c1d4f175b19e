"""What the names of a foreign table tell: which column holds what we read, and which statuses mean failure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

from selfimprover.telemetry.layout import MANDATORY, OPTIONAL

# Most telling first, without the signs that `_plain` takes away. What counts something else has no place here:
# `attempts` counts the first try too, `message` is often no error.
_SYNONYMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "id": ("taskid", "jobid", "runid", "uuid", "guid", "taskuuid", "key", "pk"),
        "status": ("state", "taskstatus", "taskstate", "jobstatus", "outcome", "result"),
        "error": (
            *("errormessage", "errortext", "errormsg", "exception", "exceptionmessage", "err", "exc", "lasterror"),
            *("failure", "failurereason", "failuremessage", "errordetail", "errordetails"),
        ),
        "created_at": (
            *("created", "createdon", "createdtime", "creationtime", "createdate", "datecreated", "insertedat"),
            *("timestamp", "ts", "time", "datetime", "date", "enqueuedat", "queuedat", "submittedat", "loggedat"),
            *("startedat", "starttime", "startedon"),
        ),
        "traceback": (
            *("stacktrace", "stack", "trace", "backtrace", "tb", "errortraceback", "exceptiontraceback"),
            *("errorstack", "fulltraceback"),
        ),
        "agent": ("agentname", "agentid", "assistant", "bot", "component", "worker"),
        "kind": ("type", "tasktype", "taskkind", "jobtype", "taskname", "jobname", "name", "action", "operation"),
        "started_at": ("started", "starttime", "startedon", "begunat", "start"),
        "finished_at": (
            *("finished", "endedat", "endtime", "completedat", "completed", "finishtime", "finishedon", "doneat"),
            *("ended", "end"),
        ),
        "parent_id": ("parent", "parenttaskid", "parenttask", "parentjobid", "parentrunid", "parentuuid"),
        "retries": ("retrycount", "retry", "numretries", "nretries", "retriescount"),
        "input": ("inputs", "payload", "args", "arguments", "params", "parameters", "request", "prompt"),
        "version": ("codeversion", "appversion", "commit", "commitsha", "gitcommit", "gitsha", "revision", "release"),
    }
)
_FAILING = frozenset(
    {
        *("failed", "failure", "fail", "error", "errored", "exception", "crashed", "crash", "timeout", "timedout"),
        *("fatal", "panic", "panicked"),
    }
)
_TELLING_TABLES = ("tasks", "task", "jobs", "job", "runs", "run")


def map_columns(theirs: Sequence[str]) -> dict[str, str]:
    """Our name → their column. A column serves one name only, and the mandatory names choose first."""
    plain: dict[str, str] = {}
    for name in theirs:
        plain.setdefault(_plain(name), name)
    mapped: dict[str, str] = {}
    for group in (MANDATORY, OPTIONAL):
        free = set(theirs) - set(mapped.values())
        mapped |= {ours: name for ours in group for name in theirs if same_name(name, ours) and name in free}
        for ours in group:
            if ours not in mapped and (found := _synonym(ours, plain, set(mapped.values()))) is not None:
                mapped[ours] = found
    return {ours: mapped[ours] for ours in (*MANDATORY, *OPTIONAL) if ours in mapped}


def _synonym(ours: str, plain: Mapping[str, str], taken: Collection[str]) -> str | None:
    words = (_plain(ours), *_SYNONYMS[ours])
    return next((plain[word] for word in words if word in plain and plain[word] not in taken), None)


def same_name(theirs: str, ours: str) -> bool:
    """Whether SQLite takes the two for one name: it ignores the case of ASCII letters alone."""
    return theirs.isascii() and theirs.lower() == ours


def failing(statuses: Iterable[str]) -> tuple[str, ...]:
    """Those statuses that mean failure by their names, as they are written."""
    return tuple(sorted({status for status in statuses if _plain(status) in _FAILING}))


def rank(table: str) -> int:
    """How much the name of a table speaks of tasks; 0 says most."""
    plain = table.lower()
    if plain in _TELLING_TABLES:
        return _TELLING_TABLES.index(plain)
    return len(_TELLING_TABLES) + (not any(word in plain for word in ("task", "job", "run")))


def _plain(name: str) -> str:
    """``createdAt``, ``created_at`` and ``CREATED AT`` are one word."""
    return "".join(character for character in name.casefold() if character not in "_- ")
