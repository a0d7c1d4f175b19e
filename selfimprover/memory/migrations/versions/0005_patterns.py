"""Every fingerprint that was seen, as evidence for what is one pattern, and those that a person took out of one."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "pattern",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("fingerprint", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("night", sa.String(16), nullable=False),
        sa.Column("data", sa.Text, nullable=False),
    )
    op.create_index("pattern_of_fingerprint", "pattern", ["fingerprint"])
    op.create_table(
        "apart",
        sa.Column("fingerprint", sa.String(16), primary_key=True),
        sa.Column("at", sa.String(32), nullable=False),
    )
