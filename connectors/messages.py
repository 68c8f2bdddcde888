"""The rows of the inbox: what they hold, and how what was said goes out of them again."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.types import Answer, Message
from connectors.database import METADATA

OPEN = ("waiting", "running")
FORGOTTEN = "forgotten"
"""In the place of why it was withdrawn: what was asked and answered was forgotten, and the row remains."""

INBOX = sa.Table(
    "inbox",
    METADATA,
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("event", sa.Text, nullable=False, unique=True),
    sa.Column("room", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("conversation", sa.Text, nullable=False),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("lane", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("notice", sa.Text, nullable=False),
    sa.Column("received", sa.Float, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("fence", sa.Integer, nullable=False),
    sa.Column("claimed", sa.Float, nullable=False),
    sa.Column("lease_until", sa.Float, nullable=False),
    sa.Column("not_before", sa.Float, nullable=False),
    sa.Column("finished", sa.Float, nullable=False),
    sa.Column("posted", sa.Text, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("withdrawn", sa.Text, nullable=False, server_default=""),
    sa.UniqueConstraint("room", "message", name="inbox_message"),
    sa.Index("inbox_conversation", "conversation", "state"),
    sa.Index("inbox_lane", "lane", "claimed"),
    sa.Index("inbox_person", "person", "received"),
    sa.Index("inbox_state", "state", "finished"),
)
KEPT = INBOX.c.body != sa.literal_column("''")
"""Rows whose text is still there, few beside those that were emptied. A literal, so that any planner sees their index."""
sa.Index("inbox_kept", INBOX.c.finished, sqlite_where=KEPT, postgresql_where=KEPT)


class Stored(BaseModel):
    """What a row holds as JSON; the bytes of files as base64."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")


class Body(Stored):
    """What came in."""

    message: Message


class Answered(Stored):
    """What was recorded as the answer."""

    answer: Answer


async def unsay(connection: AsyncConnection, conversation: str, person: str) -> None:
    """Blank what a person asked and was answered in a conversation, where that is over, with its files.

    Where and when it was asked stays, so that a question that is deleted later still takes its answer away.
    """
    here = sa.or_(INBOX.c.conversation == conversation, INBOX.c.notice != "")  # a notice is a conversation of its own
    closed = sa.and_(INBOX.c.person == person, here, INBOX.c.state.not_in(OPEN), INBOX.c.body != "")
    for row, body in (await connection.execute(sa.select(INBOX.c.row, INBOX.c.body).where(closed))).all():
        asked = Body.model_validate_json(body).message
        if asked.conversation != conversation:
            continue
        emptied = replace(asked, text="", files=(), excerpts=())
        change = sa.update(INBOX).where(INBOX.c.row == row)
        blank = {"body": Body(message=emptied).model_dump_json(), "answer": "", "withdrawn": FORGOTTEN}
        await connection.execute(change.values(**blank))
