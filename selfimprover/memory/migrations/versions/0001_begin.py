"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "night",
        sa.Column("key", sa.String(16), primary_key=True),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("ended", sa.String(32)),
        sa.Column("report", sa.Text),
    )
    op.create_table(
        "finding",
        sa.Column("id", sa.String(12), primary_key=True),
        sa.Column("project", sa.String(200), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("attempt_key", sa.String(64), nullable=False),
        sa.Column("occurrences", sa.Integer, nullable=False),
        sa.Column("triage", sa.Text),
        sa.Column("first_night", sa.String(16), nullable=False),
        sa.Column("last_night", sa.String(16), nullable=False),
        sa.Column("data", sa.Text, nullable=False),
    )
    op.create_table(
        "alias",
        sa.Column("fingerprint", sa.String(16), primary_key=True),
        sa.Column("finding_id", sa.String(12), sa.ForeignKey("finding.id"), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
    )
    op.create_index("alias_of_finding", "alias", ["finding_id", "position"])
    op.create_table(
        "draft",
        sa.Column("finding_id", sa.String(12), sa.ForeignKey("finding.id"), primary_key=True),
        sa.Column("attempt", sa.Integer, primary_key=True),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("verdict", sa.Text),
        sa.Column("confidence", sa.Text),
    )
    op.create_table(
        "pull_request",
        sa.Column("finding_id", sa.String(12), sa.ForeignKey("finding.id"), primary_key=True),
        sa.Column("generation", sa.Integer, primary_key=True),
        sa.Column("project", sa.String(200), nullable=False),
        sa.Column("head_commit", sa.String(64), nullable=False),
        sa.Column("baseline", sa.Text),
        sa.Column("number", sa.Integer),
        sa.Column("data", sa.Text),
        sa.UniqueConstraint("project", "number", name="one_number_one_pull_request"),
    )
    op.create_table(
        "outcome",
        sa.Column("finding_id", sa.String(12), sa.ForeignKey("finding.id"), primary_key=True),
        sa.Column("generation", sa.Integer, primary_key=True),
        sa.Column("night", sa.String(16), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("data", sa.Text, nullable=False),
    )
    op.create_table(
        "journal",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("night", sa.String(16), nullable=False),
        sa.Column("finding_id", sa.String(12), sa.ForeignKey("finding.id"), nullable=False),
        sa.Column("before", sa.String(16)),
        sa.Column("after", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_index("journal_of_finding", "journal", ["finding_id", "seq"])
    op.create_table(
        "evidence",
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("line", sa.Text, nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite":
        for table in ("evidence", "journal"):
            for verb in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
                    f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )
