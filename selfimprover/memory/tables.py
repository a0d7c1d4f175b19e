"""The tables of the memory, for any SQL database that SQLAlchemy knows.

Instants are ISO 8601 text in UTC. Columns named ``data`` hold one class of ``domain`` as JSON.
"""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, MetaData, String, Table, Text, UniqueConstraint

metadata = MetaData()

night = Table(
    "night",
    metadata,
    Column("key", String(16), primary_key=True),
    Column("day", String(10), nullable=False),
    Column("at", String(32), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("ended", String(32)),
    Column("report", Text),
    Column("due", String(10)),
    Column("started", String(32)),
    Index("one_run_a_due_night", "due", unique=True),
)

finding = Table(
    "finding",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("project", String(200), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("attempt_key", String(64), nullable=False),
    Column("occurrences", Integer, nullable=False),
    Column("triage", Text),
    Column("first_night", String(16), nullable=False),
    Column("last_night", String(16), nullable=False),
    Column("data", Text, nullable=False),
)

alias = Table(
    "alias",
    metadata,
    Column("fingerprint", String(16), primary_key=True),
    Column("finding_id", String(12), ForeignKey("finding.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("why", Text, nullable=False),
    Index("alias_of_finding", "finding_id", "position"),
)

pattern = Table(
    "pattern",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("fingerprint", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("night", String(16), nullable=False),
    Column("data", Text, nullable=False),
    Index("pattern_of_fingerprint", "fingerprint"),
)

apart = Table(
    "apart",
    metadata,
    Column("fingerprint", String(16), primary_key=True),
    Column("at", String(32), nullable=False),
)

draft = Table(
    "draft",
    metadata,
    Column("finding_id", String(12), ForeignKey("finding.id"), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("at", String(32), nullable=False),
    Column("data", Text, nullable=False),
    Column("verdict", Text),
    Column("confidence", Text),
)

pull_request = Table(
    "pull_request",
    metadata,
    Column("finding_id", String(12), ForeignKey("finding.id"), primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("project", String(200), nullable=False),
    Column("head_commit", String(64)),
    Column("baseline", Text),
    Column("number", Integer),
    Column("data", Text),
    Column("revises", String(64)),
    Column("answered", Text, nullable=False, server_default="[]"),
    UniqueConstraint("project", "number", name="one_number_one_pull_request"),
)

outcome = Table(
    "outcome",
    metadata,
    Column("finding_id", String(12), ForeignKey("finding.id"), primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("night", String(16), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("data", Text, nullable=False),
)

journal = Table(
    "journal",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("at", String(32), nullable=False),
    Column("night", String(16), nullable=False),
    Column("finding_id", String(12), ForeignKey("finding.id"), nullable=False),
    Column("before", String(16)),
    Column("after", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Index("journal_of_finding", "finding_id", "seq"),
)

evidence = Table(
    "evidence",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("line", Text, nullable=False),
)

model_call = Table(
    "model_call",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("request_hash", String(64), nullable=False),
    Column("finding_id", String(12), ForeignKey("finding.id"), nullable=False),
    Column("night", String(16), nullable=False),
    Column("at", String(32), nullable=False),
    Column("request", Text, nullable=False),
    Column("answer", Text),
    Column("prompt_tokens", Integer, nullable=False),
    Column("cached_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("estimated", Boolean, nullable=False),
    Column("cost", String(40)),
    Column("outcome", String(16), nullable=False),
    Index("model_call_of_request", "request_hash", "outcome"),
    Index("model_call_of_finding", "finding_id", "number"),
    Index("model_call_of_night", "night"),
)
"""``cost`` is a decimal number as text: no database must round it."""
