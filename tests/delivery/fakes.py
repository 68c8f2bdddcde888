"""A chat door, an inbox and a journal in memory, which keep the contracts of bot/ports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from bot.delivery.leases import SUSPECT
from bot.errors import DoorUnavailable
from bot.ports import AuditEntry, Claim, Opinion, Place, Post, Queue, Quota, Remembered, Verdict, Withdrawal
from bot.types import Answer, Attachment, Exchange, Message


class FakeClock:
    """Seconds that pass when a test says so."""

    def __init__(self, now: float = 1_000_000.0):
        self.now = now

    def __call__(self) -> float:
        return self.now


class FakeJournal:
    """The audit and the memory in two lists."""

    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []
        self.remembered: list[Remembered] = []
        self.said: dict[tuple[str, str], Opinion] = {}

    async def record(self, entries: Sequence[AuditEntry], remembered: Sequence[Remembered] = ()) -> None:
        self.entries.extend(entries)
        self.remembered.extend(remembered)

    async def recall(self, conversation: str, only: str, limit: int) -> list[Exchange]:
        found = [one.exchange for one in self.remembered if self._of(one, conversation, only)]
        return found[-limit:]

    async def forget(self, conversation: str, only: str) -> int:
        kept = [one for one in self.remembered if not self._of(one, conversation, only)]
        forgotten, self.remembered = len(self.remembered) - len(kept), kept
        return forgotten

    async def unsay(self, answer: str) -> int:
        kept = [one for one in self.remembered if one.answer != answer]
        unsaid, self.remembered = len(self.remembered) - len(kept), kept
        return unsaid

    async def opine(self, opinion: Opinion) -> None:
        self.said[opinion.answer, opinion.person] = opinion

    async def opinions(self, limit: int) -> list[Opinion]:
        return sorted(self.said.values(), key=lambda one: -one.at)[:limit]

    async def expire(self, before: float) -> int:
        kept = [one for one in self.remembered if one.at >= before]
        expired, self.remembered = len(self.remembered) - len(kept), kept
        return expired

    @staticmethod
    def _of(one: Remembered, conversation: str, only: str) -> bool:
        return one.conversation == conversation and one.only in ("", only)


@dataclass
class Row:
    """One row of the inbox."""

    claim: Claim
    state: str = "waiting"
    lease_until: float = 0.0
    not_before: float = 0.0


class FakeInbox:
    """An inbox in memory: order of arrival in each conversation, leases and fences, suspects first; no quotas, no fairness."""

    def __init__(self, journal: FakeJournal):
        self.rows: list[Row] = []
        self.failing: Exception | None = None
        self._journal = journal

    async def add(self, event: str, message: Message, quota: Quota, now: float) -> Verdict:
        if self.failing:
            raise self.failing
        for row in self.rows:
            known = row.claim.message
            if row.claim.event == event or (known.room, known.id) == (message.room, message.id):
                return "duplicate"
        waiting = sum(row.state in ("waiting", "running") for row in self.rows)
        notice = "waiting" if waiting >= quota.waiting else ""
        self.rows.append(Row(Claim(len(self.rows), event, message, "", 0, 0, now, notice)))
        return "busy" if notice else "accepted"

    async def claim(self, owner: str, now: float, lease: float) -> Claim | None:
        busy: set[str] = set()
        for row in sorted(self.rows, key=lambda row: row.claim.attempts < SUSPECT):
            conversation = row.claim.message.conversation
            expired = row.state == "running" and row.lease_until <= now
            if (expired or (row.state == "waiting" and row.not_before <= now)) and conversation not in busy:
                held = row.claim
                row.claim = replace(held, owner=owner, fence=held.fence + 1, attempts=held.attempts + 1)
                row.state, row.lease_until = "running", now + lease
                return row.claim
            if row.state in ("waiting", "running"):
                busy.add(conversation)
        return None

    async def extend(self, claim: Claim, now: float, lease: float) -> bool:
        return self._write(claim, lambda row: setattr(row, "lease_until", now + lease))

    async def placed(self, claim: Claim, posted: str) -> bool:
        return self._write(claim, lambda row: setattr(row, "claim", replace(row.claim, posted=posted)))

    async def answered(
        self, claim: Claim, answer: Answer, entries: Sequence[AuditEntry], remembered: Sequence[Remembered]
    ) -> bool:
        held = self._write(claim, lambda row: setattr(row, "claim", replace(row.claim, answer=answer)))
        if held:
            await self._journal.record(entries, remembered)
        return held

    async def finish(self, claim: Claim, entries: Sequence[AuditEntry] = (), dead: bool = False) -> bool:
        held = self._write(claim, lambda row: setattr(row, "state", "dead" if dead else "done"))
        if held:
            await self._journal.record(entries)
        return held

    async def release(self, claim: Claim, not_before: float, counted: bool) -> bool:
        def give_back(row: Row) -> None:
            row.state, row.not_before = "waiting", not_before
            row.claim = replace(row.claim, attempts=row.claim.attempts - (not counted))

        return self._write(claim, give_back)

    async def abandon(self, owner: str) -> int:
        gone = [row for row in self.rows if row.state == "running" and row.claim.owner == owner]
        for row in gone:
            row.state = "waiting"
        return len(gone)

    async def queue(self, now: float) -> Queue:
        states = [row.state for row in self.rows]
        ages = [now - row.claim.received for row in self.rows if row.state in ("waiting", "running")]
        return Queue(states.count("waiting"), states.count("running"), states.count("dead"), max(ages, default=0.0))

    async def amend(self, message: Message, now: float, here: str = "") -> bool:
        return bool(
            self._anew(
                lambda row: (
                    self._is(row, message.room.ref, message.id)
                    and row.claim.message.sender.ref == message.sender.ref
                    and self._open(row)
                    and row.claim.answer is None
                ),
                lambda claim: replace(claim, message=message),
            )
        )

    async def withdraw(self, room: str, message: str, why: Withdrawal, now: float, here: str = "") -> bool:
        return bool(
            self._anew(
                lambda row: self._is(row, room, message) and (why == "deleted" or self._open(row)),
                lambda claim: replace(claim, withdrawn=why, attempts=0),
            )
        )

    async def stop(self, conversation: str, person: str, now: float, here: str = "") -> int:
        return self._anew(
            lambda row: (
                self._open(row)
                and (row.claim.message.conversation, row.claim.message.sender.ref) == (conversation, person)
            ),
            lambda claim: replace(claim, withdrawn="stopped", attempts=0),
        )

    async def erase(self, claim: Claim, entries: Sequence[AuditEntry]) -> bool:
        held = await self.finish(claim, entries)
        if held:
            self.rows[claim.row].claim = replace(claim, message=replace(claim.message, text=""), answer=None)
        return held

    async def joined(self, conversation: str) -> bool:
        return any(row.claim.message.conversation == conversation for row in self.rows)

    async def questions(self, person: str, limit: int) -> list[str]:
        theirs = [row.claim.message.text for row in self.rows if row.claim.message.sender.ref == person]
        return theirs[::-1][:limit]

    def _anew(self, which: Callable[[Row], bool], change: Callable[[Claim], Claim]) -> int:
        rows = [row for row in self.rows if which(row)]
        for row in rows:
            row.claim = replace(change(row.claim), fence=row.claim.fence + 1)
            row.state, row.not_before = "waiting", 0.0
        return len(rows)

    @staticmethod
    def _is(row: Row, room: str, message: str) -> bool:
        return (row.claim.message.room.ref, row.claim.message.id) == (room, message)

    @staticmethod
    def _open(row: Row) -> bool:
        return row.state in ("waiting", "running")

    async def purge(self, before: float) -> int:
        return 0

    def _write(self, claim: Claim, change: Callable[[Row], None]) -> bool:
        row = self.rows[claim.row]
        if row.state != "running" or row.claim.fence != claim.fence:
            return False
        change(row)
        return True


@dataclass
class Bubble:
    """One message as people see it: each form that it ever had, and whether it still stands."""

    place: Place
    key: str
    forms: list[Post]
    removed: bool = False

    @property
    def post(self) -> Post:
        return self.forms[-1]


@dataclass
class FakeDoor:
    """A chat platform that remembers each byte and who could see it. `before` runs ahead of each call, and may raise."""

    bubbles: dict[str, Bubble] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    before: Callable[[str], None] = lambda call: None
    after: Callable[[str], None] = lambda call: None

    async def post(self, place: Place, post: Post, key: str) -> str:
        self._called("post")
        posted = f"p{len(self.bubbles)}"
        self.bubbles[posted] = Bubble(place, key, [post])
        self.after("post")
        return posted

    async def edit(self, place: Place, posted: str, post: Post) -> str:
        self._called("edit")
        if self.bubbles[posted].removed:
            raise DoorUnavailable("message not found")
        self.bubbles[posted].forms.append(post)
        self.after("edit")
        return posted

    async def attach(self, place: Place, file: Attachment, key: str) -> None:
        self._called("attach")
        self.bubbles[f"p{len(self.bubbles)}"] = Bubble(place, key, [Post("notice", file.name)])
        self.after("attach")

    async def find(self, place: Place, key: str) -> str | None:
        self._called("find")
        return next((name for name, one in self.bubbles.items() if one.key == key and not one.removed), None)

    async def remove(self, place: Place, posted: str) -> None:
        self._called("remove")
        self.bubbles[posted].removed = True

    @property
    def standing(self) -> list[Bubble]:
        """What people see now, in order of appearance."""
        return [one for one in self.bubbles.values() if not one.removed]

    def _called(self, call: str) -> None:
        self.calls.append(call)
        self.before(call)


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait until something is so. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for knows nothing of us
            await asyncio.sleep(0.005)
