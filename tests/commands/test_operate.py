"""Backup, restore and erase, as an admin runs them."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.ports import AuditEntry, Opinion, Quota, Remembered
from bot.types import Exchange, Message, Principal, Room
from connectors.backup import back_up, restore
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
    assert erased == {"messages": 1, "exchanges": 1, "opinions": 1}
    assert asyncio.run(left()) == (["q1"], ["hello"], [], True)
    shown = rolecall("--config", config, "audit", "show", "--person", FELIX.ref, "--json").lines
    assert shown[0]["event"] == "erased"
    assert rolecall("--config", config, "erase", "nobody at all").code == 2


async def test_a_changed_key_of_the_audit_is_told_apart_from_a_forged_row(tmp_path: Path) -> None:
    async with database("sqlite", tmp_path) as engine:
        entry = AuditEntry("answered", "a", FELIX.ref, ROOM.ref, 1.0)
        await SqlJournal(engine, b"old").record([entry])
        await SqlJournal(engine, b"new", [b"old"]).record([replace(entry, answer="b")])
        assert (await SqlJournal(engine, b"new", [b"old"]).verify()).problem == ""
        assert "row 1" in (await SqlJournal(engine, b"new").verify()).problem
