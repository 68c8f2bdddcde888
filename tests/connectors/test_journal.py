"""The audit's chain and the memory of conversations, on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.ports import AuditEntry, Opinion, Remembered
from bot.types import Citation, Exchange
from connectors.chain import BORN, HEAD, Verified
from connectors.database import open_database
from connectors.journal import SqlJournal
from tests.connectors.databases import ENGINES, database

KEY = b"secret"


@pytest.fixture(params=ENGINES)
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    async with database(request.param, tmp_path) as opened:
        yield opened


@pytest.fixture(params=[None, KEY], ids=["hash", "hmac"])
async def journal(engine: AsyncEngine, request: pytest.FixtureRequest) -> SqlJournal:
    made = SqlJournal(engine, request.param)
    await made.record([entry(1), entry(2)])
    await made.record([entry(3), entry(4)])
    return made


def entry(number: int) -> AuditEntry:
    return AuditEntry(
        "answered", f"a{number}", "slack-user:T0HOME/U0FIONA", "slack:T0HOME/C0ALL", number / 3,
        readers=(("company", "日本"),), documents=(("d1", ("company",)),), ms={"total": 1 / 7},
    )  # fmt: skip


async def test_a_chain_that_nobody_touched_holds(journal: SqlJournal) -> None:
    assert await journal.verify() == (await journal.verify())
    assert ((await journal.verify()).rows, (await journal.verify()).problem) == (4, "")
    shown = [(number, row["answer"]) async for number, row in journal.entries(3)]
    assert shown == [(4, "a4"), (3, "a3"), (2, "a2")]


HARM = {
    "edited": ("UPDATE audit SET entry = replace(entry, 'a2', 'a9') WHERE number = 2", "row 2 was changed"),
    "deleted": ("DELETE FROM audit WHERE number = 2", "row 2 is missing: row 3 follows row 1"),
    "first deleted": ("DELETE FROM audit WHERE number = 1", "row 1 is missing: row 2 follows row 0"),
    "last deleted": ("DELETE FROM audit WHERE number = 4", "the chain ends at row 3, but 4 rows were written"),
    "all deleted": ("DELETE FROM audit", "the chain ends at row 0, but 4 rows were written"),
    "hash exchanged": ("UPDATE audit SET hash = 'f00' WHERE number = 3", "row 3 was changed"),
    "reordered": (
        "UPDATE audit SET number = CASE number WHEN 2 THEN -3 ELSE -2 END WHERE number IN (2, 3);"
        "UPDATE audit SET number = -number WHERE number < 0",
        "row 2 was changed, or the rows were put in another order",
    ),
    "deleted and renumbered": (
        "DELETE FROM audit WHERE number = 2; UPDATE audit SET number = 2 WHERE number = 3;"
        "UPDATE audit SET number = 3 WHERE number = 4",
        "row 2 was changed",
    ),
    "head deleted": ("DELETE FROM audit_head", "the head of the chain is missing, with 4 rows there"),
    "end deleted with care": (
        "DELETE FROM audit WHERE number > 2;"
        "UPDATE audit_head SET number = 2, hash = (SELECT hash FROM audit WHERE number = 2)",
        "the head of the chain was changed: rows may be missing after row 2",
    ),
    "end deleted and the seal": (
        "DELETE FROM audit WHERE number > 2;"
        "UPDATE audit_head SET number = 2, hash = (SELECT hash FROM audit WHERE number = 2), seal = ''",
        "the head of the chain is not sealed, so rows may be missing after row 2",
    ),
    "all deleted, head put back": (
        "DELETE FROM audit; UPDATE audit_head SET number = 0, hash = ''",
        "the head of the chain was changed: rows may be missing after row 0",
    ),
    "both tables emptied": ("DELETE FROM audit; DELETE FROM audit_head", "the head of the chain is missing"),
    "as if new": (
        "DELETE FROM audit; UPDATE audit_head SET number = 0, hash = '', seal = ''",
        "the head of the chain is not sealed, so rows may be missing after row 0",
    ),
    "more rows without a key": ("UPDATE audit_head SET unkeyed = 2", "the head of the chain was changed"),
}


@pytest.mark.parametrize("kind", HARM)
async def test_whatever_is_done_to_a_row_is_found_and_named(
    journal: SqlJournal, engine: AsyncEngine, kind: str
) -> None:
    statements, told = HARM[kind]
    async with engine.begin() as connection:
        for statement in statements.split(";"):
            await connection.exec_driver_sql(statement)
    assert told in (await journal.verify()).problem


@pytest.mark.parametrize("key", [None, KEY], ids=["hash", "hmac"])
async def test_a_new_database_holds_as_one_without_a_row_and_its_first_row_is_sealed(
    engine: AsyncEngine, key: bytes | None
) -> None:
    journal = SqlJournal(engine, key)
    assert await journal.verify() == Verified(0)
    await journal.record([entry(1)])
    found = await journal.verify()
    assert (found.rows, found.problem) == (1, "")


@pytest.mark.parametrize("kind", ["all deleted, head put back", "as if new"])
async def test_an_emptied_audit_does_not_become_good_with_the_next_row_nor_by_opening_the_database_again(
    journal: SqlJournal, engine: AsyncEngine, kind: str
) -> None:
    async with engine.begin() as connection:
        for statement in HARM[kind][0].split(";"):
            await connection.exec_driver_sql(statement)
    async with open_database(engine.url.render_as_string(hide_password=False)):
        pass
    assert "rows may be missing after row 0" in (await journal.verify()).problem
    await journal.record([entry(5)])
    assert "rows may be missing after row 1" in (await journal.verify()).problem


async def test_an_audit_put_back_to_that_of_a_new_database_lacks_the_row_that_was_noted(
    journal: SqlJournal, engine: AsyncEngine
) -> None:
    noted = await journal.verify()
    async with engine.begin() as connection:
        await connection.exec_driver_sql("DELETE FROM audit")
        await connection.execute(sa.update(HEAD).values(asdict(BORN)))
    assert await journal.verify() == Verified(0), "a state that was there once holds by itself"
    assert "row 4 is not the one that was noted" in (await journal.verify((noted.rows, noted.hash))).problem


@pytest.mark.parametrize("kind", ["end deleted with care", "end deleted and the seal"])
async def test_what_was_done_to_the_end_is_not_covered_by_the_next_row(
    journal: SqlJournal, engine: AsyncEngine, kind: str
) -> None:
    async with engine.begin() as connection:
        for statement in HARM[kind][0].split(";"):
            await connection.exec_driver_sql(statement)
    await journal.record([entry(5)])
    await journal.record([entry(6)])
    assert "rows may be missing after row 4" in (await journal.verify()).problem


async def test_while_processes_know_different_keys_nothing_is_sealed_and_afterwards_it_can_be(
    engine: AsyncEngine,
) -> None:
    before, after = SqlJournal(engine, b"old"), SqlJournal(engine, KEY, [b"old"])
    for number, one in enumerate((before, after, before, after)):
        await one.record([entry(number)])
    assert "is not sealed" in (await after.verify()).problem
    assert (await after.seal()).problem == ""
    await after.record([entry(5)])
    assert ((await after.verify()).rows, (await after.verify()).problem) == (5, "")


async def test_a_database_put_back_to_an_earlier_state_lacks_the_row_that_was_noted(
    journal: SqlJournal, engine: AsyncEngine
) -> None:
    noted = await journal.verify()
    async with engine.connect() as connection:
        head = (await connection.execute(sa.select(HEAD))).mappings().one()
    await journal.record([entry(5)])
    later = await journal.verify()
    assert (await journal.verify((noted.rows, noted.hash))).problem == ""
    assert (await journal.verify((later.rows, later.hash))).problem == ""
    async with engine.begin() as connection:
        await connection.exec_driver_sql("DELETE FROM audit WHERE number = 5")
        await connection.execute(sa.update(HEAD).values(dict(head)))
    assert (await journal.verify()).problem == "", "an earlier state holds by itself"
    assert (await journal.verify((noted.rows, noted.hash))).problem == ""
    assert "row 5 is not the one that was noted" in (await journal.verify((later.rows, later.hash))).problem
    await journal.record([entry(9)])
    assert "row 5 is not the one that was noted" in (await journal.verify((later.rows, later.hash))).problem


async def test_without_the_key_nobody_can_write_a_chain_that_holds(engine: AsyncEngine) -> None:
    await SqlJournal(engine, b"guessed").record([entry(1)])
    assert "row 1 was changed" in (await SqlJournal(engine, KEY).verify()).problem


async def test_a_chain_that_got_a_key_later_holds_once_it_is_sealed(engine: AsyncEngine) -> None:
    await SqlJournal(engine).record([entry(1), entry(2)])
    journal = SqlJournal(engine, KEY)
    assert "run `rolecall audit seal` once" in (await journal.verify()).problem
    await journal.record([entry(3)])
    assert "run `rolecall audit seal` once" in (await journal.verify()).problem
    assert (await journal.seal()).problem == ""
    await journal.record([entry(4)])
    found = await journal.verify()
    assert (found.rows, found.unkeyed, found.problem) == (4, 2, "")
    async with engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE audit SET entry = replace(entry, 'a1', 'a9') WHERE number = 1")
    assert "row 1 was changed" in (await journal.verify()).problem


async def test_a_sealed_chain_does_not_become_one_without_a_key(journal: SqlJournal, engine: AsyncEngine) -> None:
    """Who can write the database makes all of it anew without the key; the next row does not cover that."""
    async with engine.begin() as connection:
        await connection.exec_driver_sql("DELETE FROM audit")
        await connection.exec_driver_sql("UPDATE audit_head SET number = 0, hash = '', seal = ''")
    await SqlJournal(engine).record([entry(1), entry(2)])
    keyed = SqlJournal(engine, KEY)
    await keyed.record([entry(3)])
    assert "the head of the chain is not sealed" in (await keyed.verify()).problem


@pytest.mark.parametrize("key", [None, KEY], ids=["hash", "hmac"])
async def test_a_chain_of_before_there_were_seals_is_sealed_if_it_holds(engine: AsyncEngine, key: bytes | None) -> None:
    journal = SqlJournal(engine, key)
    await journal.record([entry(1), entry(2)])
    async with engine.begin() as connection:
        await connection.execute(sa.update(HEAD).values(seal=""))
    assert "run `rolecall audit seal` once" in (await journal.verify()).problem
    async with engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE audit SET entry = replace(entry, 'a2', 'a9') WHERE number = 2")
    assert "row 2 was changed" in (await journal.seal()).problem
    async with engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE audit SET entry = replace(entry, 'a9', 'a2') WHERE number = 2")
    assert (await journal.seal()).problem == ""
    await journal.record([entry(3)])
    assert ((await journal.verify()).rows, (await journal.verify()).problem) == (3, "")


async def test_writers_at_the_same_time_make_one_chain(engine: AsyncEngine) -> None:
    journals = [SqlJournal(engine) for _ in range(6)]
    await asyncio.gather(*(one.record([entry(number), entry(number)]) for one in journals for number in range(4)))
    assert ((await journals[0].verify()).rows, (await journals[0].verify()).problem) == (48, "")


def remembered(question: str, only: str = "", at: float = 1.0, conversation: str = "c") -> Remembered:
    sources = (Citation(1, "d1", "One", frozenset(), 7, "https://docs.example/d1"),)
    documents = frozenset({"d1", "d2"})
    return Remembered(conversation, Exchange(question, f"answer to {question}", documents, sources), at, only)


async def test_a_conversation_is_recalled_in_order_by_those_who_saw_it(engine: AsyncEngine) -> None:
    journal = SqlJournal(engine)
    told = [remembered("one"), remembered("two", "fiona"), remembered("three", "oskar"), remembered("four")]
    await journal.record([], [*told, remembered("five", conversation="other")])
    assert [one.question for one in await journal.recall("c", "", 9)] == ["one", "four"]
    assert [one.question for one in await journal.recall("c", "fiona", 9)] == ["one", "two", "four"]
    assert [one.question for one in await journal.recall("c", "fiona", 2)] == ["two", "four"]
    assert (await journal.recall("c", "", 1))[0] == told[3].exchange


async def test_what_is_forgotten_or_too_old_is_gone(engine: AsyncEngine) -> None:
    journal = SqlJournal(engine)
    await journal.record([], [remembered("one"), remembered("two", "fiona"), remembered("three", "oskar", at=9.0)])
    assert await journal.forget("c", "fiona") == 2
    assert [one.question for one in await journal.recall("c", "oskar", 9)] == ["three"]
    assert await journal.expire(9.0) == 0
    assert await journal.expire(9.1) == 1
    async with engine.connect() as connection:
        assert (await connection.execute(sa.text("SELECT count(*) FROM exchanges"))).scalar() == 0


async def test_the_last_opinion_of_a_reader_counts(journal: SqlJournal) -> None:
    await journal.opine(Opinion("a1", "slack-user:T0HOME/U0FIONA", True, 1.0))
    await journal.opine(Opinion("a1", "slack-user:T0HOME/U0OSKAR", True, 2.0))
    changed = Opinion("a1", "slack-user:T0HOME/U0FIONA", False, 3.0, "the figure is old")
    await journal.opine(changed)
    assert [one.good for one in await journal.opinions(5)] == [False, True]
    assert (await journal.opinions(1)) == [changed]
    await journal.expire(2.5)
    assert await journal.opinions(5) == [changed]


async def test_one_answer_is_unsaid_with_what_the_asker_saw_alone(journal: SqlJournal) -> None:
    both = [
        Remembered("c", Exchange("q", "room"), 1.0, answer="a1"),
        Remembered("c", Exchange("q", "alone"), 1.0, "slack-user:T0HOME/U0FIONA", "a1"),
        Remembered("c", Exchange("q", "other"), 1.0, answer="a2"),
    ]
    await journal.record((), both)
    assert await journal.unsay("a1") == 2
    assert await journal.unsay("") == 0
    assert [one.answer for one in await journal.recall("c", "slack-user:T0HOME/U0FIONA", 9)] == ["other"]
