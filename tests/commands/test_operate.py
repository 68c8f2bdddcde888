"""Backup, restore and erase, as an admin runs them."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.ports import AuditEntry, Opinion, Quota, Remembered
from bot.types import Answer, Exchange, Message, Principal, Room
from connectors.backup import back_up, restore
from connectors.chat.teams.store import Contact, Kept, Reference, TeamsStore
from connectors.database import SqlRecords, open_database
from connectors.inbox import SqlInbox
from connectors.journal import SqlJournal
from connectors.qdrant.edge import held
from tests.conftest import Ran
from tests.connectors.databases import database, database_url
from tests.connectors.test_database import RECORD

Command = Callable[..., Ran]
FELIX = Principal("slack", "T0HOME", "U0FELIX")
OSKAR = Principal("slack", "T0HOME", "U0OSKAR")
ROOM = Room("slack", "T0HOME", "C0ALL", "public")


@pytest.fixture
def config(company: Path, tmp_path: Path) -> Path:
    """A copy of the small company, synced."""
    shutil.copytree(company.parent, tmp_path / "acme", symlinks=True)
    return tmp_path / "acme" / company.name


async def fill(engine: AsyncEngine) -> None:
    """Something in every table that delivery and sync write."""
    await SqlRecords(engine).save(RECORD)
    inbox, journal = SqlInbox(engine), SqlJournal(engine)
    for number, sender in enumerate((FELIX, OSKAR)):
        await inbox.add(f"e{number}", Message(f"m{number}", sender, ROOM, "hello"), Quota(), 1.0)
        await journal.record(
            [AuditEntry("answered", f"a{number}", sender.ref, ROOM.ref, 1.0)],
            [Remembered("c", Exchange(f"q{number}", "yes"), 1.0, answer=f"a{number}")],
        )
    await journal.opine(Opinion("a0", FELIX.ref, True, 1.0))


@pytest.mark.parametrize(
    ("source", "target"), [("sqlite", "postgresql"), ("postgresql", "sqlite"), ("sqlite", "sqlite")]
)
async def test_a_backup_moves_between_databases_and_the_audit_still_holds(
    source: str, target: str, tmp_path: Path
) -> None:
    file = tmp_path / "backup.tar.gz"
    (tmp_path / "to").mkdir()
    async with database(source, tmp_path) as engine:
        await fill(engine)
        written = await back_up(engine, None, file)
    url = database_url(target, tmp_path / "to")
    assert await restore(file, url, None) == written
    assert written["inbox"] == 2
    async with open_database(url) as engine:
        assert await SqlRecords(engine).all() == {RECORD.id: RECORD}
        journal, inbox = SqlJournal(engine), SqlInbox(engine)
        await journal.record([AuditEntry("answered", "a9", FELIX.ref, ROOM.ref, 2.0)])
        assert (await journal.verify()).problem == ""
        assert await inbox.add("e0", Message("m0", FELIX, ROOM, "hello"), Quota(), 3.0) == "duplicate"
        assert await inbox.add("e9", Message("m9", FELIX, ROOM, "hello"), Quota(), 3.0) == "accepted"


def test_the_command_line_backs_up_restores_and_finds_the_same(rolecall: Command, config: Path) -> None:
    file = config.parent / "backup.tar.gz"
    assert rolecall("--config", config, "backup", file, "--json").json["documents"] == 5
    assert file.stat().st_mode & 0o077 == 0, "it holds what people said"
    fresh = rolecall("--config", config, "restore", file)
    assert fresh.code == 2
    assert "there is an index already" in fresh.err
    data = config.parent / ".rolecall"
    (data / "rolecall.db").unlink()
    shutil.rmtree(data / "index")
    for leftover in data.glob("rolecall.db-*"):
        leftover.unlink()
    assert rolecall("--config", config, "restore", file).code == 0
    found = rolecall("--config", config, "search", "canteen opens", "--as", "oskar", "--json")
    assert "6:30" in found.out
    assert "not empty" in rolecall("--config", config, "restore", file, "--without-index").err


def test_a_backup_waits_for_nobody_who_holds_the_index(rolecall: Command, config: Path) -> None:
    with held(config.parent / ".rolecall" / "index"):
        refused = rolecall("--config", config, "backup", config.parent / "b.tar.gz")
        assert refused.code == 1
        assert "held by another rolecall process" in refused.err
        assert rolecall("--config", config, "backup", config.parent / "b.tar.gz", "--without-index").code == 0


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b broken"])
def test_what_is_no_backup_is_refused(rolecall: Command, config: Path, content: bytes) -> None:
    file = config.parent / "other.tar.gz"
    file.write_bytes(content)
    ran = rolecall("--config", config, "restore", file, "--without-index")
    assert ran.code == 2
    assert "is no backup" in ran.err


def test_a_person_is_erased_and_the_audit_still_holds(rolecall: Command, config: Path) -> None:
    url = f"sqlite+aiosqlite:///{config.parent / '.rolecall' / 'rolecall.db'}"

    async def prepare() -> None:
        async with open_database(url) as engine:
            await fill(engine)

    async def left() -> tuple[list[str], list[str], list[Opinion], bool]:
        async with open_database(url) as engine:
            journal, inbox = SqlJournal(engine), SqlInbox(engine)
            kept = [one.question for one in await journal.recall("c", "", 9)]
            claim = await inbox.claim("w", 9e9, 10.0)
            gone = claim is not None and claim.withdrawn == "deleted"
            return kept, await inbox.questions(OSKAR.ref, 9), await journal.opinions(9), gone

    asyncio.run(prepare())
    erased = rolecall("--config", config, "erase", FELIX.ref, "--json").json
    assert erased == {"messages": 1, "contacts": 0, "exchanges": 1, "opinions": 1}
    assert asyncio.run(left()) == (["q1"], ["hello"], [], True)
    shown = rolecall("--config", config, "audit", "show", "--person", FELIX.ref, "--json").lines
    assert shown[0]["event"] == "erased"
    assert rolecall("--config", config, "erase", "nobody at all").code == 2


SAYS = "my salary is too low"
TESSA = Principal("teams", "0d0c2f6e-5b1a-4c3d-9e8f-001122334455", "7f1c0000-0000-4000-8000-000000000001")
NOT_OF_PEOPLE = {"documents", "sync_runs", "slack_installations", "slack_states", "audit_head"}
"""Tables that hold nothing of who asks: a new table has to be put here, or into what `erase` goes through."""


async def live(engine: AsyncEngine) -> None:
    """Somebody asks in Teams, is answered with a file, and says what they think of it; it is all over."""
    inbox, journal, store = SqlInbox(engine), SqlJournal(engine), TeamsStore(engine)
    room = Room("teams", TESSA.tenant, "a:tessa", "direct")
    await inbox.add("teams:e1", Message("m1", TESSA, room, SAYS), Quota(), 1.0)
    claim = await inbox.claim("w", 1.0, 60.0)
    assert claim is not None
    remembered = Remembered("c", Exchange(SAYS, SAYS), 1.0, answer="t1")
    entries = [AuditEntry("answered", "t1", TESSA.ref, room.ref, 1.0)]
    assert await inbox.answered(claim, Answer(SAYS, id="t1"), entries, [remembered])
    assert await inbox.finish(claim)
    await journal.opine(Opinion("t1", TESSA.ref, False, 1.0, SAYS))
    await store.keep(Reference("a:tessa", "https://s/", TESSA.tenant, "28:b", "a:tessa", "direct", TESSA.ref))
    await store.meet(TESSA, Contact("29:tessa", "https://s/", TESSA.tenant, "28:b", "a:tessa", "a:tessa"))
    await store.note("teams:e1", "a:tessa|1")
    await store.say("a:tessa", "1", "t1")
    await store.lay_by("k", Kept("a:tessa", "mine.txt", SAYS.encode()))


async def tables_with(url: str, *words: str) -> set[str]:
    """The tables in which one of these words stands anywhere."""
    async with open_database(url) as engine, engine.connect() as connection:
        names = await connection.run_sync(lambda one: sa.inspect(one).get_table_names())
        content = {name: repr((await connection.execute(sa.text(f"SELECT * FROM {name}"))).all()) for name in names}
    return {name for name, text in content.items() if any(word in text for word in words)}


def test_of_an_erased_person_nothing_is_left_in_any_table_but_who_asked_where_and_when(
    rolecall: Command, config: Path
) -> None:
    url = f"sqlite+aiosqlite:///{config.parent / '.rolecall' / 'rolecall.db'}"

    async def prepare() -> set[str]:
        async with open_database(url) as engine:
            await live(engine)
            async with engine.connect() as connection:
                return set(await connection.run_sync(lambda one: sa.inspect(one).get_table_names()))

    tables = asyncio.run(prepare())
    theirs = (SAYS, TESSA.ref, "a:tessa", "29:tessa")
    assert asyncio.run(tables_with(url, *theirs)) == tables - NOT_OF_PEOPLE - {"alembic_version"}
    erased = rolecall("--config", config, "erase", TESSA.ref, "--json").json
    assert erased == {"messages": 1, "contacts": 5, "exchanges": 1, "opinions": 1}
    assert asyncio.run(tables_with(url, SAYS)) == set()
    assert asyncio.run(tables_with(url, *theirs)) == {"audit", "inbox"}
    again = rolecall("--config", config, "erase", TESSA.ref, "--json").json
    assert set(again.values()) == {0}
    assert rolecall("--config", config, "audit", "verify").code == 0


async def test_a_changed_key_of_the_audit_is_told_apart_from_a_forged_row(tmp_path: Path) -> None:
    async with database("sqlite", tmp_path) as engine:
        entry = AuditEntry("answered", "a", FELIX.ref, ROOM.ref, 1.0)
        await SqlJournal(engine, b"old").record([entry])
        await SqlJournal(engine, b"new", [b"old"]).record([replace(entry, answer="b")])
        assert (await SqlJournal(engine, b"new", [b"old"]).verify()).problem == ""
        assert "row 1" in (await SqlJournal(engine, b"new").verify()).problem
