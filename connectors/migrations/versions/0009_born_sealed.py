"""The seal of an audit that has no row yet, so that one that was emptied does not look like a new one.

A chain that has rows gets none here: replicas of before may still write to it, and `rolecall audit seal` is an admin's word.
"""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

HEAD = sa.table("audit_head", sa.column("number"), sa.column("hash"), sa.column("seal"))
AUDIT = sa.table("audit", sa.column("number"))


def upgrade() -> None:
    """Seal a head without rows, without a key."""
    nothing = sa.and_(HEAD.c.number == 0, HEAD.c.hash == "", HEAD.c.seal == "", ~sa.exists().select_from(AUDIT))
    op.execute(sa.update(HEAD).where(nothing).values(seal=hashlib.sha256(b"head\n0\n\n0").hexdigest()))


def downgrade() -> None:
    """Take that seal away."""
    op.execute(sa.update(HEAD).where(HEAD.c.number == 0).values(seal=""))
