"""The sources that a remembered answer named, so that a follow-up can name them again."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    with op.batch_alter_table("exchanges") as table:
        table.add_column(sa.Column("sources", sa.JSON, nullable=False, server_default="[]"))


def downgrade() -> None:
    """Drop it."""
    with op.batch_alter_table("exchanges") as table:
        table.drop_column("sources")
