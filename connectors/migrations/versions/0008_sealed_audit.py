"""The seal of the audit's head; that of an existing chain is missing until `rolecall audit seal` has gone through it."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("audit_head", sa.Column("unkeyed", sa.Integer, nullable=False, server_default="0"))
    op.add_column("audit_head", sa.Column("seal", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("audit_head", "seal")
    op.drop_column("audit_head", "unkeyed")
