"""What the language model was asked, what it answered, and what that came to."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "model_call",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("finding_id", sa.String(12), sa.ForeignKey("finding.id"), nullable=False),
        sa.Column("night", sa.String(16), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("answer", sa.Text),
        sa.Column("prompt_tokens", sa.Integer, nullable=False),
        sa.Column("cached_tokens", sa.Integer, nullable=False),
        sa.Column("completion_tokens", sa.Integer, nullable=False),
        sa.Column("estimated", sa.Boolean, nullable=False),
        sa.Column("cost", sa.String(40)),
        sa.Column("outcome", sa.String(16), nullable=False),
    )
    op.create_index("model_call_of_request", "model_call", ["request_hash", "outcome"])
    op.create_index("model_call_of_finding", "model_call", ["finding_id", "number"])
    op.create_index("model_call_of_night", "model_call", ["night"])
