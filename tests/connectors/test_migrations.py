"""An upgrade from every earlier step: its rows are there afterwards, as they were, and the code of today works with them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from bot.ports import AuditEntry, Quota
from bot.types import Message, Principal, Room
from connectors import database
from connectors.database import SqlRecords, open_database, revision
from connectors.inbox import SqlInbox
from connectors.journal import SqlJournal
from tests.connectors.databases import ENGINES, database_url

STEPS = ScriptDirectory(str(Path(database.__file__).parent / "migrations"))
EARLIER = [step.revision for step in STEPS.walk_revisions() if step.revision != STEPS.get_current_head()]
OSKAR, ROOM = Principal("slack", "T0HOME", "U0OSKAR"), Room("slack", "T0HOME", "C0ALL", "public")
BODY = {
    "message": {
        "id": "m1",
        "sender": {"platform": "slack", "tenant": "T0HOME", "id": "U0OSKAR"},
        "room": {"platform": "slack", "tenant": "T0HOME", "id": "C0ALL", "kind": "public"},
        "text": "When does the canteen open?",
    }
}
ENTRY = json.dumps(asdict(AuditEntry("answered", "a1", OSKAR.ref, ROOM.ref, 1.0)))
FIRST = hashlib.sha256(f"\n1\n{ENTRY}".encode()).hexdigest()
SECOND = hashlib.sha256(f"{FIRST}\n2\n{ENTRY}".encode()).hexdigest()
SEAL = hashlib.sha256(f"head\n2\n{SECOND}\n0".encode()).hexdigest()
ROWS: dict[str, list[dict[str, Any]]] = {
    "documents": [
        {"id": "hb/a.md", "labels": ["hr"], "state": "indexed", "modified": datetime(2025, 4, 1, tzinfo=UTC)}
    ],
    "inbox": [
        {"event": "e1", "room": ROOM.ref, "message": "m1", "conversation": f"{ROOM.ref}#", "person": OSKAR.ref}
        | {"lane": OSKAR.ref, "body": json.dumps(BODY), "state": "waiting", "notice": "", "attempts": 0, "owner": ""}
        | {
            "fence": 0,
            "claimed": 0.0,
            "lease_until": 0.0,
            "not_before": 0.0,
            "finished": 0.0,
            "posted": "",
            "answer": "",
        }
    ],
    "exchanges": [{"conversation": "c", "only": "", "answer": "At 6:30.", "documents": ["hb/a.md"]}],
    "audit": [{"number": 1, "entry": ENTRY, "hash": FIRST}, {"number": 2, "entry": ENTRY, "hash": SECOND}],
}
"""What today's code is to read, by table. Columns that are not named here, and other tables, hold anything of their type."""


def anything(column: sa.Column[Any]) -> Any:
    kind = column.type.python_type
    return {str: "x", int: 1, float: 1.0, bool: True, bytes: b"x", object: {"x": "y"}}[kind]


def fill(connection: sa.Connection) -> dict[str, list[dict[str, Any]]]:
    """Write a row or two into every table that there is; returns what the tables hold then."""
    tables = sa.MetaData()
    tables.reflect(connection)
    for table in tables.sorted_tables:
        needed = {column.name: column for column in table.c if not column.nullable and column.server_default is None}
        for row in ROWS.get(table.name, [{}]) if table.name not in ("alembic_version", "audit_head") else ():
            connection.execute(table.insert().values({name: anything(needed[name]) for name in needed} | row))
    if "audit_head" in tables.tables:
        connection.execute(sa.text("UPDATE audit_head SET number = 2, hash = :hash").bindparams(hash=SECOND))
        if "seal" in tables.tables["audit_head"].c:
            connection.execute(sa.text("UPDATE audit_head SET seal = :seal").bindparams(seal=SEAL))
    return held(connection)


def held(connection: sa.Connection) -> dict[str, list[dict[str, Any]]]:
    tables = sa.MetaData()
    tables.reflect(connection)
    return {
        table.name: [dict(row) for row in connection.execute(sa.select(table)).mappings()]
        for table in tables.sorted_tables
        if table.name != "alembic_version"
    }


def test_there_are_earlier_steps() -> None:
    assert EARLIER[-1] == "0001"


@pytest.mark.parametrize("kind", ENGINES)
@pytest.mark.parametrize("step", EARLIER)
async def test_an_upgrade_keeps_every_row_and_todays_code_goes_on_with_them(
    step: str, kind: str, tmp_path: Path
) -> None:
    url = database_url(kind, tmp_path)
    async with open_database(url, step) as engine, engine.begin() as connection:
        before = await connection.run_sync(fill)
    async with open_database(url) as engine:
        async with engine.connect() as connection:
            assert await connection.run_sync(revision) == STEPS.get_current_head()
            after = await connection.run_sync(held)
        for table, rows in before.items():
            assert len(after[table]) == len(rows), table
            for old, new in zip(rows, after[table], strict=True):
                assert old.items() <= new.items(), table
        assert await SqlRecords(engine).labels_of(["hb/a.md"]) == {"hb/a.md": frozenset({"hr"})}
        inbox, journal = SqlInbox(engine), SqlJournal(engine)
        if "inbox" in before:
            claim = await inbox.claim("me", 2.0, 60.0)
            assert claim is not None
            assert (claim.message.text, claim.message.sender) == ("When does the canteen open?", OSKAR)
            again = Message("m1", OSKAR, ROOM, "When does the canteen open?")
            assert await inbox.add("e1", again, Quota(), 3.0) == "duplicate"
            assert [one.answer for one in await journal.recall("c", "", 5)] == ["At 6:30."]
            found = await journal.verify()
            assert found.rows == 2
            assert (found.problem == "") == (step >= "0008")
            assert found.problem == "" or "audit seal" in found.problem
        await journal.record([AuditEntry("answered", "a2", OSKAR.ref, ROOM.ref, 4.0)])
        assert [entry["answer"] async for _, entry in journal.entries(1)] == ["a2"]
        assert await inbox.add("e2", Message("m2", OSKAR, ROOM, "And when does it close?"), Quota(), 5.0) == "accepted"


async def test_an_audit_row_that_was_changed_before_an_upgrade_is_found_after_it(tmp_path: Path) -> None:
    url = database_url("sqlite", tmp_path)
    async with open_database(url, "0002") as engine, engine.begin() as connection:
        await connection.run_sync(fill)
        await connection.execute(
            sa.text("UPDATE audit SET entry = replace(entry, 'U0OSKAR', 'U0FIONA') WHERE number = 1")
        )
    async with open_database(url) as engine:
        assert "row 1 was changed" in (await SqlJournal(engine).verify()).problem
