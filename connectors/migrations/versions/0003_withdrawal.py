"""Messages that are stopped or deleted, answers that are unsaid, and what readers said of answers."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what withdrawing needs, and the opinions."""
    op.add_column("inbox", sa.Column("withdrawn", sa.Text, nullable=False, server_default=""))
    op.add_column("exchanges", sa.Column("answer_id", sa.Text, nullable=False, server_default=""))
    op.create_index("ix_exchanges_answer_id", "exchanges", ["answer_id"])
    op.create_table(
        "opinions",
        sa.Column("answer", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("good", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False, index=True),
    )


def downgrade() -> None:
    """Take it out again."""
    op.drop_table("opinions")
    op.drop_index("ix_exchanges_answer_id", "exchanges")
    op.drop_column("exchanges", "answer_id")
    op.drop_column("inbox", "withdrawn")
