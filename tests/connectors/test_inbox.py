"""The inbox on SQLite and PostgreSQL: one conformance suite."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.delivery.leases import SUSPECT
from bot.ports import AuditEntry, Claim, Quota, Remembered
from bot.types import Access, Answer, Attachment, Citation, Exchange, Message, Plan, Principal, Room
from connectors.inbox import NOTICED, SqlInbox
from connectors.journal import SqlJournal
from tests.connectors.databases import ENGINES, database

ALL = Room("slack", "T0HOME", "C0ALL", "public")
FIONA = Principal("slack", "T0HOME", "U0FIONA", groups=frozenset({"slack-group:S0FIN"}))
OSKAR = Principal("slack", "T0HOME", "U0OSKAR")
FREE = Quota()
LEASE = 10.0


@pytest.fixture(params=ENGINES)
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    async with database(request.param, tmp_path) as opened:
        yield opened


@pytest.fixture
def inbox(engine: AsyncEngine) -> SqlInbox:
    return SqlInbox(engine)


def message(number: int, sender: Principal = FIONA, thread: str = "t", room: Room = ALL) -> Message:
    return Message(f"m{number}", sender, room, f"question {number}", thread)


async def fill(inbox: SqlInbox, *messages: Message, now: float = 0.0) -> None:
    for one in messages:
        assert await inbox.add(f"e-{one.room.id}-{one.id}", one, FREE, now) == "accepted"


async def taken(inbox: SqlInbox, now: float = 1.0, owner: str = "w") -> Claim:
    claim = await inbox.claim(owner, now, LEASE)
    assert claim is not None
    return claim


async def test_a_message_comes_out_as_it_went_in(inbox: SqlInbox) -> None:
    whole = replace(message(1), files=(Attachment("plan.pdf", b"\x00\xff%PDF"),), text="こんにちは\u200b")
    assert await inbox.add("e1", whole, FREE, 5.0) == "accepted"
    claim = await taken(inbox, 6.0)
    assert (claim.message, claim.event, claim.received) == (whole, "e1", 5.0)
    assert (claim.attempts, claim.fence, claim.notice, claim.posted, claim.answer) == (1, 1, "", "", None)
    assert await inbox.claim("w", 6.0, LEASE) is None


async def test_the_same_event_and_the_same_message_are_taken_in_once_for_ever(inbox: SqlInbox) -> None:
    await fill(inbox, message(1))
    assert await inbox.add("e-C0ALL-m1", message(9), FREE, 1.0) == "duplicate"
    assert await inbox.add("other", message(1), FREE, 1.0) == "duplicate"
    await inbox.finish(await taken(inbox))
    await inbox.purge(100.0)
    assert await inbox.add("e-C0ALL-m1", message(1), FREE, 200.0) == "duplicate"
    assert await inbox.add("other", message(1, room=replace(ALL, id="C0OTHER")), FREE, 1.0) == "accepted"


async def test_a_conversation_is_answered_in_order_and_others_do_not_wait_for_it(inbox: SqlInbox) -> None:
    await fill(inbox, message(1), message(2), message(3, OSKAR, "other"))
    first, other = await taken(inbox), await taken(inbox)
    assert (first.message.id, other.message.id) == ("m1", "m3")
    assert await inbox.claim("w", 1.0, LEASE) is None
    await inbox.finish(first)
    assert (await taken(inbox)).message.id == "m2"


async def test_a_dead_message_blocks_nobody(inbox: SqlInbox) -> None:
    await fill(inbox, message(1), message(2))
    await inbox.finish(await taken(inbox), dead=True)
    assert (await taken(inbox)).message.id == "m2"
    assert (await inbox.queue(2.0)).dead == 1


async def test_a_lease_that_is_over_is_taken_over_and_the_zombie_writes_nothing(inbox: SqlInbox) -> None:
    await fill(inbox, message(1))
    zombie = await taken(inbox, 0.0)
    assert await inbox.extend(zombie, 5.0, LEASE)
    assert await inbox.claim("other", 14.9, LEASE) is None
    heir = await taken(inbox, 15.0, "other")
    assert (heir.attempts, heir.fence, heir.owner) == (2, 2, "other")
    assert not await inbox.extend(zombie, 16.0, LEASE)
    assert not await inbox.placed(zombie, "p-zombie")
    assert not await inbox.answered(zombie, Answer("zombie"), [entry("zombie")], [])
    assert not await inbox.release(zombie, 0.0, counted=True)
    assert not await inbox.finish(zombie, [entry("zombie")])
    assert await inbox.placed(heir, "p-heir")
    assert await inbox.finish(heir)
    assert not await inbox.finish(heir)


async def test_what_an_attempt_left_is_handed_to_the_next(inbox: SqlInbox) -> None:
    private = Answer("Exactly 91.4.", id="a1", rests_on=frozenset({"d2"}))
    source = Citation(1, "d1", "Report", frozenset({"filings"}), 4, "https://x.example/d1")
    access = Access(frozenset({frozenset({"company", "hr"})}), frozenset({"search_documents"}), "hash")
    answer = Answer("About 90 [1].", (source,), Plan("search_documents", "router", 0.9), private=private, access=access)
    await fill(inbox, message(1))
    first = await taken(inbox)
    assert await inbox.placed(first, "p1")
    assert await inbox.answered(first, answer, [], [])
    assert await inbox.abandon("somebody else") == 0
    assert await inbox.abandon("w") == 1
    second = await taken(inbox)
    assert (second.posted, second.answer, second.attempts) == ("p1", answer, 2)


async def test_who_gives_back_says_until_when_and_whether_it_counts(inbox: SqlInbox) -> None:
    await fill(inbox, message(1))
    assert await inbox.release(await taken(inbox, 1.0), 50.0, counted=False)
    assert await inbox.claim("w", 49.0, LEASE) is None
    again = await taken(inbox, 50.0)
    assert (again.attempts, again.fence) == (1, 2)
    assert await inbox.release(again, 0.0, counted=True)
    assert (await taken(inbox, 51.0)).attempts == 2


async def test_one_who_floods_has_two_running_and_others_go_first(inbox: SqlInbox) -> None:
    await fill(inbox, *(message(number, FIONA, f"t{number}") for number in range(20)))
    await fill(inbox, message(50, OSKAR, "o"), message(51, OSKAR, "p"))
    order = [(await taken(inbox, now)).message.sender.id for now in (1.0, 2.0, 3.0, 4.0)]
    assert order == ["U0FIONA", "U0OSKAR", "U0FIONA", "U0OSKAR"]
    assert await inbox.claim("w", 5.0, LEASE) is None


QUOTAS = {
    "per_minute": (Quota(per_minute=2), 59.0, 61.0),
    "per_day": (Quota(per_day=2), 86_399.0, 86_401.0),
    "waiting": (Quota(waiting=2), 10_000.0, None),
    "total": (Quota(total=2), 10_000.0, None),
}


@pytest.mark.parametrize("name", QUOTAS)
async def test_over_quota_one_notice_is_made_a_minute(inbox: SqlInbox, name: str) -> None:
    quota, still, over = QUOTAS[name]
    await fill(inbox, message(1), message(2))
    assert await inbox.add("e3", message(3), quota, still) == "busy"
    assert await inbox.add("e4", message(4), quota, still + 0.5) == "dropped"
    assert await inbox.add("e4", message(4), quota, still + 0.5) == "duplicate"
    notice = next(claim for claim in [await taken(inbox, still), await taken(inbox, still)] if claim.message.id == "m3")
    assert notice.notice == name
    if over is not None:
        assert await inbox.add("e5", message(5), quota, over) == "accepted"
    else:
        assert await inbox.add("e5", message(5), quota, still + 61) == "busy"


async def test_the_quota_is_each_persons_own_but_for_the_total(inbox: SqlInbox) -> None:
    await fill(inbox, message(1))
    own = Quota(per_minute=1, per_day=1, waiting=1)
    assert await inbox.add("e2", message(2), own, 1.0) == "busy"
    assert await inbox.add("e3", message(3, OSKAR), own, 1.0) == "accepted"
    assert await inbox.add("e4", message(4, replace(OSKAR, id="U0NEW")), Quota(total=2), 1.0) == "busy"


async def test_what_was_in_work_at_several_deaths_goes_before_those_who_were_not_served_yet(inbox: SqlInbox) -> None:
    await fill(inbox, message(1))
    for death in range(SUSPECT):
        await taken(inbox, 1.0 + death)
        await inbox.abandon("w")
        if death == SUSPECT - 2:
            await fill(inbox, message(2, OSKAR, thread="u"))
            assert (await taken(inbox, 1.5 + death)).message.id == "m2"
            await inbox.abandon("w")
    await fill(inbox, message(3, replace(OSKAR, id="U0NEW"), thread="v"))
    assert [(await taken(inbox, 9.0)).message.id for _ in range(3)] == ["m1", "m3", "m2"]


async def test_how_it_stands(inbox: SqlInbox) -> None:
    assert (await inbox.queue(9.0)).oldest == 0.0
    await fill(inbox, message(1), now=2.0)
    await fill(inbox, message(2, thread="u"), now=4.0)
    await taken(inbox, 5.0)
    queue = await inbox.queue(9.0)
    assert (queue.waiting, queue.running, queue.dead, queue.oldest) == (1, 1, 0, 7.0)


async def test_text_is_forgotten_and_what_is_open_is_not(inbox: SqlInbox, engine: AsyncEngine) -> None:
    await fill(inbox, message(1), message(2))
    claim = await taken(inbox, 5.0)
    await inbox.answered(claim, Answer("secret"), [], [])
    await inbox.finish(claim)
    assert await inbox.purge(5.0) == 0
    assert await inbox.purge(5.1) == 1
    assert await inbox.purge(5.1) == 0
    async with engine.connect() as connection:
        rows = (await connection.execute(sa.text("SELECT body, answer FROM inbox ORDER BY row"))).all()
    assert tuple(rows[0]) == ("", "")
    assert "question 2" in rows[1][0]


def entry(answer: str) -> AuditEntry:
    return AuditEntry("answered", answer, FIONA.ref, ALL.ref, 1.0)


async def test_answer_audit_and_memory_are_written_together_or_not_at_all(inbox: SqlInbox, engine: AsyncEngine) -> None:
    journal = SqlJournal(engine)
    await fill(inbox, message(1))
    claim = await taken(inbox)
    kept = Remembered("c", Exchange("q", "a"), 1.0)
    broken = replace(kept, at=None)  # type: ignore[arg-type]
    with pytest.raises(sa.exc.DBAPIError):
        await inbox.answered(claim, Answer("half"), [entry("a1")], [broken])
    assert (await journal.verify()).rows == 0
    assert await inbox.answered(claim, Answer("whole"), [entry("a1")], [kept])
    assert (await journal.verify()).rows == 1
    assert await journal.recall("c", "", 9) == [kept.exchange]
    await inbox.abandon("w")
    again = await taken(inbox)
    assert again.answer == Answer("whole")


async def test_several_workers_share_the_rows_and_nobody_gets_one_twice(inbox: SqlInbox) -> None:
    people = [replace(FIONA, id=f"U0{number:03}") for number in range(12)]
    await fill(inbox, *(message(number, people[number % 12], f"t{number % 12}") for number in range(48)))
    done: list[Claim] = []

    async def work(owner: str) -> None:
        while True:
            claim = await inbox.claim(owner, 1.0, LEASE)
            if claim is None:
                return
            await asyncio.sleep(0)
            assert await inbox.finish(claim)
            done.append(claim)

    for _ in range(6):
        await asyncio.gather(*(work(f"w{number}") for number in range(4)))
    assert len({claim.row for claim in done}) == len(done) == 48
    for person in people:
        rows = [claim.row for claim in done if claim.message.sender == person]
        assert rows == sorted(rows)


async def test_a_locked_database_is_an_error_within_seconds_and_leaves_no_row(tmp_path: Path) -> None:
    async with database("sqlite", tmp_path) as engine, database("sqlite", tmp_path) as other:
        inbox = SqlInbox(engine)
        async with other.connect() as holder:
            await holder.exec_driver_sql("ROLLBACK")
            await holder.exec_driver_sql("BEGIN IMMEDIATE")
            with pytest.raises(OperationalError, match="locked"):
                await asyncio.wait_for(inbox.add("e1", message(1), FREE, 1.0), 5.0)
            await holder.rollback()
        assert await inbox.add("e1", message(1), FREE, 1.0) == "accepted"


async def test_a_full_disk_is_an_error_and_leaves_no_row(tmp_path: Path) -> None:
    async with database("sqlite", tmp_path) as engine:
        async with engine.connect() as connection:
            pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar()
        sa.event.listen(
            engine.sync_engine, "checkout", lambda raw, *_: raw.cursor().execute(f"PRAGMA max_page_count={pages}")
        )
        inbox = SqlInbox(engine)
        big = replace(message(1), text="x" * 200_000)
        with pytest.raises(OperationalError, match="full"):
            await inbox.add("e1", big, FREE, 1.0)
        assert await inbox.claim("w", 1.0, LEASE) is None


async def test_an_edited_message_starts_anew_unless_it_is_answered(inbox: SqlInbox) -> None:
    await fill(inbox, message(1))
    claim = await taken(inbox)
    assert await inbox.amend(replace(message(1), text="edited"), 2.0, here="w")
    assert not await inbox.placed(claim, "p1")
    again = await taken(inbox, 2.0)
    assert (again.message.text, again.withdrawn) == ("edited", None)
    await inbox.answered(again, Answer("yes"), (), ())
    assert not await inbox.amend(replace(message(1), text="too late"), 3.0)


async def test_only_who_asked_can_change_what_was_asked(inbox: SqlInbox) -> None:
    await fill(inbox, message(1))
    other = replace(message(1), text="What is everybody's salary?", sender=replace(message(1).sender, id="U0OTHER"))
    assert not await inbox.amend(other, 2.0, here="w")
    assert (await taken(inbox)).message == message(1)


async def test_what_a_worker_elsewhere_holds_rests_until_it_must_have_noticed(inbox: SqlInbox) -> None:
    await fill(inbox, message(1))
    await taken(inbox, 1.0, owner="elsewhere")
    assert await inbox.withdraw(ALL.ref, "m1", "stopped", 2.0, here="w")
    assert await inbox.claim("w", 3.0, LEASE) is None
    assert (await taken(inbox, 2.0 + NOTICED)).withdrawn == "stopped"


async def test_only_a_deletion_takes_up_an_answered_message_again_and_erases_it(inbox: SqlInbox) -> None:
    await fill(inbox, message(1))
    claim = await taken(inbox)
    await inbox.answered(claim, Answer("yes", id="a1"), (), ())
    await inbox.finish(claim)
    assert not await inbox.withdraw(ALL.ref, "m1", "stopped", 2.0)
    assert await inbox.withdraw(ALL.ref, "m1", "deleted", 2.0)
    again = await taken(inbox, 2.0)
    assert (again.withdrawn, again.answer and again.answer.id) == ("deleted", "a1")
    assert await inbox.erase(again, ())
    assert not await inbox.withdraw(ALL.ref, "m1", "deleted", 3.0)
    assert await inbox.questions(FIONA.ref, 5) == []


async def test_somebody_stops_their_own_open_questions_of_one_conversation(inbox: SqlInbox) -> None:
    await fill(inbox, message(1), message(2, OSKAR), message(3, thread="other"), message(4))
    assert await inbox.stop(message(1).conversation, FIONA.ref, 1.0) == 2
    assert (await taken(inbox)).withdrawn == "stopped"
    assert await inbox.questions(FIONA.ref, 2) == ["question 4", "question 3"]
    assert await inbox.joined(message(1).conversation)
    assert not await inbox.joined(message(1, thread="unknown").conversation)


async def test_nothing_goes_through_all_the_rows_that_are_done(tmp_path: Path) -> None:
    """They are kept for ever: what a probe, a scrape, a message or the clock asks may not take longer with each of them."""
    statements: list[tuple[str, object]] = []

    def seen(_: object, __: object, statement: str, parameters: object, ___: object, ____: object) -> None:
        if "inbox" in statement and not statement.startswith("INSERT"):
            statements.append((statement, parameters))

    async with database("sqlite", tmp_path) as engine:
        inbox = SqlInbox(engine)
        sa.event.listen(engine.sync_engine, "before_cursor_execute", seen)
        await inbox.add("e1", message(1), Quota(1, 1), 1.0)
        await inbox.add("e2", message(2), Quota(1, 1), 1.0)
        claim = await taken(inbox, 1.0)
        await inbox.extend(claim, 2.0, LEASE)
        await inbox.answered(claim, Answer("yes"), [], [])
        await inbox.finish(claim)
        await inbox.queue(3.0)
        await inbox.purge(3.0)
        await inbox.abandon("w")
        await inbox.amend(message(1), 3.0)
        await inbox.withdraw(ALL.ref, "m1", "deleted", 3.0)
        await inbox.stop(message(1).conversation, FIONA.ref, 3.0)
        await inbox.joined(message(1).conversation)
        await inbox.questions(FIONA.ref, 5)
        await inbox.erase_person(FIONA.ref, 3.0)
        sa.event.remove(engine.sync_engine, "before_cursor_execute", seen)
        async with engine.connect() as connection:
            for statement, parameters in statements:
                plan = (await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)).all()
                steps = [str(step.detail) for step in plan]
                assert not [step for step in steps if step.startswith("SCAN") and "CONSTANT" not in step], (
                    statement,
                    steps,
                )
    assert len(statements) >= 15
