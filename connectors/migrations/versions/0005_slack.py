"""The workspaces that installed Rolecall in Slack."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "slack_installations",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("installed", sa.Float, nullable=False),
    )
    op.create_table(
        "slack_states",
        sa.Column("state", sa.Text, primary_key=True),
        sa.Column("expires", sa.Float, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("slack_states")
    op.drop_table("slack_installations")
