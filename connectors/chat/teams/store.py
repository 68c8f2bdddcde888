"""What the Teams door must know after a restart: how to reach a conversation and a person, and what it posted where.

Own rows of plain JSON; the SDK's reference loses what it does not know.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.types import Principal, Room, RoomKind
from connectors.database import METADATA, writing

REFERENCES = sa.Table(
    "teams_references",
    METADATA,
    sa.Column("conversation", sa.Text, primary_key=True),
    sa.Column("room", sa.Text, nullable=False, index=True),
    sa.Column("team", sa.Text, nullable=False, index=True),
    sa.Column("reference", sa.JSON, nullable=False),
)
PEOPLE = sa.Table(
    "teams_people",
    METADATA,
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("contact", sa.JSON, nullable=False),
)
POSTS = sa.Table(
    "teams_posts",
    METADATA,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("posted", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False, index=True),
)
ANSWERS = sa.Table(
    "teams_answers",
    METADATA,
    sa.Column("conversation", sa.Text, primary_key=True),
    sa.Column("activity", sa.Text, primary_key=True),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False, index=True),
)
FILES = sa.Table(
    "teams_files",
    METADATA,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("conversation", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("at", sa.Float, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class Reference:
    """How to speak into a conversation. `conversation` is Teams' id, with ``;messageid=`` in a channel's thread."""

    conversation: str
    service: str
    tenant: str
    bot: str
    room: str
    kind: RoomKind
    person: str = ""
    team: str = ""

    @property
    def place(self) -> Room:
        """The room it is in."""
        return Room("teams", self.tenant, self.room, self.kind)


@dataclass(frozen=True, slots=True)
class Contact:
    """How to reach a person: their id as this bot knows it, where they were last seen, and their chat with us."""

    user: str
    service: str
    tenant: str
    bot: str
    seen: str
    chat: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that waits for the consent of the person it is for."""

    conversation: str
    name: str
    content: bytes


class TeamsStore:
    """The door's own tables. `clock` is in seconds since 1970."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], float] = time.time):
        self._engine = engine
        self._writing = writing(engine)
        self._clock = clock
        self._references: dict[str, Reference] = {}
        self._contacts: dict[str, Contact] = {}

    async def keep(self, reference: Reference) -> None:
        """Remember how to reach a conversation, if that is news."""
        if self._references.get(reference.conversation) != reference:
            values = {"room": reference.place.ref, "team": reference.team, "reference": asdict(reference)}
            await self._upsert(REFERENCES, {"conversation": reference.conversation}, values)
            self._references[reference.conversation] = reference

    async def reference(self, conversation: str) -> Reference | None:
        """How to reach a conversation; a new thread of a known room is reached like the room."""
        found = self._references.get(conversation)
        if found is None:
            found = await self._one(REFERENCES.c.reference, REFERENCES.c.conversation == conversation, Reference)
        if found is not None:
            self._references[conversation] = found
        return found

    async def somewhere(self, room: str) -> Reference | None:
        """How some conversation of a room is reached, by the room's reference."""
        found: Reference | None = await self._one(REFERENCES.c.reference, REFERENCES.c.room == room, Reference)
        return found

    async def rooms_of(self, team: str) -> list[str]:
        """The rooms of a team that we have seen, by reference."""
        query = sa.select(REFERENCES.c.room).where(REFERENCES.c.team == team).distinct()
        async with self._engine.connect() as connection:
            return list((await connection.execute(query)).scalars())

    async def drop(self, room: str) -> None:
        """Forget a room that Rolecall was removed from."""
        async with self._writing.begin() as connection:
            await connection.execute(sa.delete(REFERENCES).where(REFERENCES.c.room == room))
        self._references = {key: one for key, one in self._references.items() if one.place.ref != room}

    async def meet(self, person: Principal, contact: Contact) -> None:
        """Remember how to reach a person, if that is news; their chat with us stays known."""
        known = await self.contact(person.ref)
        if known and not contact.chat:
            contact = Contact(**{**asdict(contact), "chat": known.chat})
        if contact != known:
            await self._upsert(PEOPLE, {"person": person.ref}, {"contact": asdict(contact)})
            self._contacts[person.ref] = contact

    async def contact(self, person: str) -> Contact | None:
        """How to reach a person, by reference."""
        found = self._contacts.get(person)
        if found is None:
            found = await self._one(PEOPLE.c.contact, PEOPLE.c.person == person, Contact)
        if found is not None:
            self._contacts[person] = found
        return found

    async def part(self, person: str) -> None:
        """A person removed us from their chat: it must be opened anew."""
        known = await self.contact(person)
        if known:
            self._contacts[person] = Contact(**{**asdict(known), "chat": ""})
            await self._upsert(PEOPLE, {"person": person}, {"contact": asdict(self._contacts[person])})

    async def posted(self, key: str) -> str | None:
        """What was posted under a key."""
        async with self._engine.connect() as connection:
            found = await connection.execute(sa.select(POSTS.c.posted).where(POSTS.c.key == key))
            return found.scalar_one_or_none()

    async def note(self, key: str, posted: str) -> None:
        """Remember what was posted under a key."""
        await self._upsert(POSTS, {"key": key}, {"posted": posted, "at": self._clock()})

    async def first(self, key: str, posted: str) -> bool:
        """Note a key, unless it is noted: whether this call did."""
        insert = (postgresql if self._engine.dialect.name == "postgresql" else sqlite).insert(POSTS)
        statement = insert.values(key=key, posted=posted, at=self._clock()).on_conflict_do_nothing()
        async with self._writing.begin() as connection:
            return bool((await connection.execute(statement)).rowcount)

    async def unnote(self, posted: str) -> None:
        """What was posted is gone."""
        async with self._writing.begin() as connection:
            await connection.execute(sa.delete(POSTS).where(POSTS.c.posted == posted))

    async def say(self, conversation: str, activity: str, answer: str) -> None:
        """Remember which answer a message shows."""
        key = {"conversation": conversation, "activity": activity}
        await self._upsert(ANSWERS, key, {"answer": answer, "at": self._clock()})

    async def answer(self, conversation: str, activity: str) -> str | None:
        """The answer that a message shows; without a message, the latest of the conversation."""
        query = sa.select(ANSWERS.c.answer).where(ANSWERS.c.conversation == conversation)
        if activity:
            query = query.where(ANSWERS.c.activity == activity)
        async with self._engine.connect() as connection:
            found = await connection.execute(query.order_by(ANSWERS.c.at.desc()).limit(1))
            return found.scalar_one_or_none()

    async def lay_by(self, key: str, kept: Kept) -> None:
        """Keep a file until somebody takes it."""
        await self._upsert(FILES, {"key": key}, {**asdict(kept), "at": self._clock()})

    async def laid_by(self, key: str, conversation: str) -> Kept | None:
        """A file that waits in this very conversation."""
        query = sa.select(FILES.c.conversation, FILES.c.name, FILES.c.content).where(
            FILES.c.key == key, FILES.c.conversation == conversation
        )
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).one_or_none()
        return Kept(*row) if row else None

    async def hand_over(self, key: str) -> None:
        """A file was taken or declined."""
        async with self._writing.begin() as connection:
            await connection.execute(sa.delete(FILES).where(FILES.c.key == key))

    async def purge(self, before: float) -> None:
        """Forget what was posted, answered and laid by before a time."""
        async with self._writing.begin() as connection:
            for table in (POSTS, ANSWERS, FILES):
                await connection.execute(sa.delete(table).where(table.c.at < before))

    async def erase(self, person: str) -> int:
        """Forget how to reach a person and their chat with us, what was posted there and lies by; returns how many rows."""
        theirs = REFERENCES.c.reference["person"].as_string() == person
        async with self._writing.begin() as connection:
            chats = list(await connection.scalars(sa.select(REFERENCES.c.conversation).where(theirs)))
            gone = [
                PEOPLE.c.person == person,
                *(table.c.conversation.in_(chats) for table in (REFERENCES, ANSWERS, FILES)),
                sa.or_(sa.false(), *(POSTS.c.posted.startswith(f"{chat}|", autoescape=True) for chat in chats)),
            ]
            tables = (PEOPLE, REFERENCES, ANSWERS, FILES, POSTS)
            statements = [sa.delete(table).where(which) for table, which in zip(tables, gone, strict=True)]
            return sum([int((await connection.execute(statement)).rowcount) for statement in statements])

    async def _one(self, column: Any, where: Any, kind: type[Any]) -> Any:
        async with self._engine.connect() as connection:
            found = (await connection.execute(sa.select(column).where(where).limit(1))).scalar_one_or_none()
        return kind(**found) if found is not None else None

    async def _upsert(self, table: sa.Table, key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        insert = (postgresql if self._engine.dialect.name == "postgresql" else sqlite).insert(table)
        statement = insert.values({**key, **values}).on_conflict_do_update(index_elements=list(key), set_=dict(values))
        async with self._writing.begin() as connection:
            await connection.execute(statement)
