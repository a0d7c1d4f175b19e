"""Where a project's table keeps what we read: checked against the database, and quoted for SQL."""

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

import aiosqlite

from selfimprover.telemetry import queries
from selfimprover.telemetry.database import Database, quoted

MANDATORY = ("id", "status", "error", "created_at")
OPTIONAL = ("traceback", "agent", "kind", "started_at", "finished_at", "parent_id", "retries", "input", "version")

_TIMES = ("started_at", "finished_at")
_LABELS = ("id", "status", "agent", "kind", "parent_id", "version")
LONG = ("error", "traceback", "input")
_MOST_NAMES = 30
_MOST_LETTERS = 60


class Rows(Enum):
    """Which rows a statement looks at before it compares times exactly."""

    NEAR = "near"
    """Those whose time may be in the window, told by the bare column: what an index can find."""
    NUMBERED = "numbered"
    """Those from the row id ``:low`` to ``:high``."""
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Layout:
    """The SQL expressions of one table; in statements it is known as ``t``."""

    table: str
    columns: Mapping[str, str]
    """Our name → quoted column, ``NULL`` where the table has none."""
    present: tuple[str, ...]
    """Our names of the columns that are there."""
    rowid: str | None
    """What numbers the rows; views and tables without row ids have none."""
    is_view: bool = False

    @property
    def index(self) -> str | None:
        """The statement of the index that serves what we ask, for somebody else to run; a view can have none."""
        if self.is_view:
            return None
        name = _identifier(f"{_name(self.table)}_{_name(self._bare('created_at'))}_{_name(self._bare('status'))}")
        return f"CREATE INDEX {name} ON {self.table} ({self._bare('created_at')}, {self._bare('status')});"

    def _bare(self, ours: str) -> str:
        """The quoted name of a column without the table's."""
        return self.columns[ours].removeprefix("t.")

    @property
    def near(self) -> str:
        """The condition on the bare column, with the parameters of ``bounds.near``."""
        return queries.fragment("near", self.columns["created_at"])

    def statement(self, name: str, rows: Rows = Rows.NEAR) -> str:
        """The named statement with the names of this table filled in, over the given rows."""
        created_at = self.columns["created_at"]
        key = self.rowid or self.columns["id"]
        near = self.near
        numbered = f"{key} BETWEEN :low AND :high"
        asked = queries.named()["asked_by_number" if self.rowid else "asked_by_id"]
        words = {
            "table": self.table,
            "key": key,
            "newest": self.rowid or created_at,
            "moment": queries.fragment("moment", created_at),
            "local": queries.fragment("local", created_at),
            "instant": queries.instant(created_at),
            "rows": {Rows.NEAR: near, Rows.NUMBERED: numbered, Rows.BOTH: f"{numbered} AND {near}"}[rows],
            "asked": asked.format(table=self.table, key=key),
            "hour": queries.fragment("hour", created_at),
            "moment_of_hour": queries.fragment("moment", "hour"),
            "local_of_hour": queries.fragment("local", "hour"),
            "retries": self.columns["retries"],
            "created_at": created_at,
        }
        words |= {ours: queries.fragment("label", self.columns[ours]) for ours in _LABELS}
        words |= {ours: queries.fragment("capped", self.columns[ours]) for ours in LONG}
        words |= {ours: queries.instant(self.columns[ours]) for ours in _TIMES}
        return queries.named()[name].format_map(words)


async def examine(
    connection: aiosqlite.Connection, database: Database, table: str, columns: Mapping[str, str]
) -> Layout:
    """The layout of ``table``; raises ``TelemetryError`` if the table or a column is not there."""
    rows = await connection.execute_fetchall(queries.named()["relations"])
    relations = {str(row["name"]).lower(): str(row["type"]) for row in rows}
    names = [str(row["name"]) for row in rows]
    if table.lower() not in relations:
        raise _no_table(database, table, names)
    found = await connection.execute_fetchall(queries.named()["columns"], {"table": table})
    theirs = [str(row["name"]) for row in found]
    mapped = _mapped(database, table, columns, theirs)
    is_view = relations[table.lower()] == "view"
    rowid = None if is_view else await _rowid(connection, table, theirs)
    return Layout(
        table=_identifier(table),
        columns={ours: f"t.{_identifier(name)}" if name else "NULL" for ours, name in mapped.items()},
        present=tuple(ours for ours, name in mapped.items() if name),
        rowid=rowid,
        is_view=is_view,
    )


def _mapped(database: Database, table: str, columns: Mapping[str, str], theirs: list[str]) -> dict[str, str | None]:
    """Our name → their column; ``None`` for an optional one that is not there."""
    for ours in columns:
        if ours not in MANDATORY + OPTIONAL:
            known = _nearest(ours, MANDATORY + OPTIONAL) or "status"
            raise database.error(f"`columns` names {quoted(ours)!r}, which telemetry does not have", f"write {known}")
    there = {name.lower() for name in theirs}
    result: dict[str, str | None] = {}
    for ours in MANDATORY + OPTIONAL:
        name = columns.get(ours, ours)
        if name.lower() in there:
            result[ours] = name
        elif ours in columns or ours in MANDATORY:
            raise _no_column(database, table, ours, name, theirs)
        else:
            result[ours] = None
    return result


async def _rowid(connection: aiosqlite.Connection, table: str, theirs: list[str]) -> str | None:
    """The name under which SQLite numbers the rows, if it does and no column of theirs took it.

    https://www.sqlite.org/rowidtable.html
    """
    taken = {name.lower() for name in theirs}
    free = next((name for name in ("rowid", "_rowid_", "oid") if name not in taken), None)
    (found,) = await connection.execute_fetchall(queries.named()["without_rowid"], {"table": table})
    return f"t.{free}" if free and not found["tables"] else None


def _no_table(database: Database, table: str, names: list[str]) -> Exception:
    if not names:
        return database.error("the database has no tables", "let the assistant record a task first")
    likely = _nearest(table, names) or names[0]
    return database.error(
        f"there is no table {quoted(table)!r}; there are: {_listed(names)}", f"table = {_toml(likely)}"
    )


def _no_column(database: Database, table: str, ours: str, name: str, theirs: list[str]) -> Exception:
    likely = _nearest(name, theirs) or _nearest(ours, theirs) or "their_name"
    asked = f"{ours!r}" if name == ours else f"{quoted(name)!r}, which `columns` gives for {ours!r}"
    return database.error(
        f"table {quoted(table)!r} has no column {asked}; it has: {_listed(theirs)}",
        f"columns = {{ {ours} = {_toml(likely)} }}",
    )


def _nearest(name: str, candidates: Iterable[str]) -> str | None:
    by_lower = {candidate.lower(): candidate for candidate in candidates}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.4)
    return by_lower[near[0]] if near else None


def _listed(names: list[str]) -> str:
    shown = [quoted(name, _MOST_LETTERS) for name in names[:_MOST_NAMES]]
    return ", ".join([*shown, "…"] if len(names) > _MOST_NAMES else shown)


def _toml(name: str) -> str:
    return json.dumps(quoted(name, _MOST_LETTERS), ensure_ascii=False)


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _name(identifier: str) -> str:
    return identifier[1:-1].replace('""', '"')
