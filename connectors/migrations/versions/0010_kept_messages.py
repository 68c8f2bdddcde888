"""An index of the messages whose text is still there, so that retention need not go through those that were emptied long ago."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make it."""
    kept = sa.text("body != ''")
    op.create_index("inbox_kept", "inbox", ["finished"], sqlite_where=kept, postgresql_where=kept)


def downgrade() -> None:
    """Drop it."""
    op.drop_index("inbox_kept", "inbox")
