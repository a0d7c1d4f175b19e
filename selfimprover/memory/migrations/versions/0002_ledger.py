"""The ledger: which due night a run stood in for, and when it began."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("night", sa.Column("due", sa.String(10)))
    op.add_column("night", sa.Column("started", sa.String(32)))
    # the first run of a date was its night, whoever began it
    op.execute("UPDATE night SET due = day WHERE key = day")
    op.create_index("one_run_a_due_night", "night", ["due"], unique=True)
