"""Open pull requests that are drafted again, that were answered, and that a person took over."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    with op.batch_alter_table("pull_request") as batch:
        batch.add_column(sa.Column("revises", sa.String(64)))
        batch.add_column(sa.Column("answered", sa.Text, nullable=False, server_default="[]"))
        batch.alter_column("head_commit", existing_type=sa.String(64), nullable=True)
