"""What the Teams door must know after a restart."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "teams_references",
        sa.Column("conversation", sa.Text, primary_key=True),
        sa.Column("room", sa.Text, nullable=False, index=True),
        sa.Column("team", sa.Text, nullable=False, index=True),
        sa.Column("reference", sa.JSON, nullable=False),
    )
    op.create_table(
        "teams_people",
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("contact", sa.JSON, nullable=False),
    )
    op.create_table(
        "teams_posts",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("posted", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False, index=True),
    )
    op.create_table(
        "teams_answers",
        sa.Column("conversation", sa.Text, primary_key=True),
        sa.Column("activity", sa.Text, primary_key=True),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False, index=True),
    )
    op.create_table(
        "teams_files",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("conversation", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("at", sa.Float, nullable=False, index=True),
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in ("teams_files", "teams_answers", "teams_posts", "teams_people", "teams_references"):
        op.drop_table(table)
