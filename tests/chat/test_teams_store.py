"""What the Teams door keeps, on both kinds of database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.types import Principal
from connectors.chat.teams.store import Contact, Kept, Reference, TeamsStore
from tests.chat.faketeams.service import TENANT, oid
from tests.connectors.databases import ENGINES, database

FIONA = Principal("teams", TENANT, oid("fiona"))
REFERENCE = Reference("19:a@t;messageid=1", "https://s/", TENANT, "28:b", "19:a@t", "private", team="19:t")


@pytest.fixture(params=ENGINES)
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    async with database(request.param, tmp_path) as made:
        yield made


async def test_what_is_kept_is_there_for_another_process(engine: AsyncEngine) -> None:
    one, other = TeamsStore(engine, lambda: 100.0), TeamsStore(engine, lambda: 100.0)
    await one.keep(REFERENCE)
    await one.keep(replace(REFERENCE, service="https://t/"))
    assert await other.reference(REFERENCE.conversation) == replace(REFERENCE, service="https://t/")
    assert await other.rooms_of("19:t") == [REFERENCE.place.ref]
    contact = Contact("29:f", "https://s/", TENANT, "28:b", "19:a@t", "a:f")
    await one.meet(FIONA, contact)
    await one.meet(FIONA, replace(contact, chat="", seen="19:b@t"))
    assert await other.contact(FIONA.ref) == replace(contact, seen="19:b@t")
    await other.part(FIONA.ref)
    assert (await TeamsStore(engine).contact(FIONA.ref)) == replace(contact, seen="19:b@t", chat="")
    await one.drop(REFERENCE.place.ref)
    assert await TeamsStore(engine).reference(REFERENCE.conversation) is None


async def test_a_person_is_erased_with_their_chat_and_nobody_else(engine: AsyncEngine) -> None:
    store = TeamsStore(engine)
    for name in ("fiona", "oskar"):
        person, chat = Principal("teams", TENANT, oid(name)), f"a:{name}_1"
        await store.keep(Reference(chat, "https://s/", TENANT, "28:b", chat, "direct", person.ref))
        await store.meet(person, Contact(f"29:{name}", "https://s/", TENANT, "28:b", chat, chat))
        await store.note(f"teams:{name}", f"{chat}|1")
        await store.say(chat, "1", f"answer-{name}")
        await store.lay_by(f"file-{name}", Kept(chat, "mine.csv", b"1"))
    await store.note("teams:similar", "a:fionaX1|1")
    await store.keep(REFERENCE)
    assert await store.erase(FIONA.ref) == 5
    left = TeamsStore(engine)
    assert await left.contact(FIONA.ref) is None
    assert await left.reference("a:fiona_1") is None
    assert (await left.posted("teams:fiona"), await left.answer("a:fiona_1", "")) == (None, None)
    assert await left.laid_by("file-fiona", "a:fiona_1") is None
    assert await left.contact(Principal("teams", TENANT, oid("oskar")).ref) is not None
    assert await left.reference(REFERENCE.conversation) == REFERENCE
    assert (await left.posted("teams:oskar"), await left.posted("teams:similar")) == ("a:oskar_1|1", "a:fionaX1|1")
    assert await left.laid_by("file-oskar", "a:oskar_1") is not None
    assert await left.erase(FIONA.ref) == 0


async def test_posts_answers_and_files_are_kept_once_and_forgotten_in_time(engine: AsyncEngine) -> None:
    store = TeamsStore(engine, lambda: 100.0)
    assert await store.first("k", "c|1")
    assert not await store.first("k", "c|2")
    assert await store.posted("k") == "c|1"
    await store.note("k", "c|3")
    await store.say("c", "1", "a1")
    await store.say("c", "1", "a2")
    await store.lay_by("f", Kept("c", "x.csv", b"\0a"))
    assert await store.answer("c", "1") == "a2"
    assert await store.answer("c", "") == "a2"
    assert await store.answer("c", "2") is None
    assert await store.laid_by("f", "c") == Kept("c", "x.csv", b"\0a")
    assert await store.laid_by("f", "another") is None
    await store.purge(100.0)
    assert await store.posted("k") == "c|3"
    await store.purge(101.0)
    assert (await store.posted("k"), await store.answer("c", "1"), await store.laid_by("f", "c")) == (None, None, None)
