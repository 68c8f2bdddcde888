"""From an event to one posted answer: the inbox, the audit, the memory of conversations, and who watches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol

from bot.types import Answer, Exchange, Message


@dataclass(frozen=True, slots=True)
class Quota:
    """How much may wait or come in: of one person in a minute, in a day and waiting, and of everybody waiting."""

    per_minute: int | None = None
    per_day: int | None = None
    waiting: int = 50
    total: int = 1000


Verdict = Literal["accepted", "duplicate", "busy", "dropped"]
"""`busy`: over quota, and one notice will say so; `dropped`: over quota, and a notice of the last minute has said so."""


Withdrawal = Literal["stopped", "deleted"]


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that one worker holds, as long as its lease is extended.

    `fence` grows with each claim of the row; whoever writes with an older one is refused. `notice` is empty, or the
    quota that was exceeded: then the row asks for that notice instead of an answer. `posted` is the placeholder's id,
    `answer` what an earlier attempt had already recorded. `withdrawn` asks for the message to be dropped: what stands
    of it is ``stopped``, or taken away because the question was ``deleted``. Times are seconds since 1970.
    """

    row: int
    event: str
    message: Message
    owner: str
    fence: int
    attempts: int
    received: float
    notice: str = ""
    posted: str = ""
    answer: Answer | None = None
    withdrawn: Withdrawal | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One row of the audit, without any message text.

    `event` is ``begun`` (before the first visible piece), ``answered``, ``refused``, ``withheld`` (the gate dropped a
    recorded answer), ``failed``, ``withdrawn`` (stopped, or its question deleted), ``forgotten``
    or ``erased`` (all that a person said). `layer` names who
    refused: ``limits``, ``policy``, ``planner``, ``gate``; `readers` are the label sets of Access.
    """

    event: str
    answer: str
    person: str
    room: str
    at: float
    policy: str = ""
    readers: tuple[tuple[str, ...], ...] = ()
    documents: tuple[tuple[str, tuple[str, ...]], ...] = ()
    tool: str = ""
    by: str = ""
    model: str = ""
    layer: str = ""
    reason: str = ""
    private: bool = False
    ms: Mapping[str, float] = field(default_factory=dict)


Ended = Literal["busy", "failed", "withheld", "withdrawn"]
"""How a message ends that gets no answer, or one that may not be shown any more."""


class Monitor(Protocol):
    """Counts and times what happens, for those who run Rolecall. It is never told what was said."""

    def received(self, door: str, verdict: Verdict) -> None:
        """A message came in through a door."""

    def waited(self, until: Literal["first_word", "answer"], seconds: float) -> None:
        """How long somebody waited since their message came in.

        The first word is the first that was shown of an answer; of one that is shown whole, that is all of it.
        """

    def answered(self, answer: Answer) -> None:
        """An answer was made: its tool, its steps, its tokens, and who refused, if somebody did."""

    def ended(self, how: Ended) -> None:
        """A message ended otherwise."""

    def made(self, answer: Answer) -> None:
        """What came of the step that is under way, for its trace: tool, model and milliseconds, none of its text."""

    def step(self, name: str, **about: str) -> AbstractContextManager[None]:
        """Around one step of a message's way; `about` names it in a trace."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """An exchange as it is stored: `only` is empty, or the reference of the one person who saw the answer.

    `answer` is the answer's id; the fuller answer beside it has the same one.
    """

    conversation: str
    exchange: Exchange
    at: float
    only: str = ""
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a reader said of an answer: `good` or not, and maybe why. Who says it twice has changed their mind."""

    answer: str
    person: str
    good: bool
    at: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Queue:
    """How the inbox stands: counts by state, and the age of the oldest open row in seconds."""

    waiting: int
    running: int
    dead: int
    oldest: float


class Inbox(Protocol):
    """What came in and is not answered yet. Each call is one committed transaction, or raises and changes nothing.

    Calls that take a Claim return False, and change nothing, once another worker holds the row.
    """

    async def add(self, event: str, message: Message, quota: Quota, now: float) -> Verdict:
        """Take a message in; the same event, or the same message of a room, is taken in once for ever."""

    async def claim(self, owner: str, now: float, lease: float) -> Claim | None:
        """The next message to work on: first in first out in each conversation, fair between people; suspects first."""

    async def extend(self, claim: Claim, now: float, lease: float) -> bool:
        """The heartbeat: hold the row for `lease` more seconds from now."""

    async def placed(self, claim: Claim, posted: str) -> bool:
        """Store the id of the placeholder."""

    async def answered(
        self, claim: Claim, answer: Answer, entries: Sequence[AuditEntry], remembered: Sequence[Remembered]
    ) -> bool:
        """Store the answer, its audit rows and its memory, all or nothing."""

    async def finish(self, claim: Claim, entries: Sequence[AuditEntry] = (), dead: bool = False) -> bool:
        """Close the row: it is answered, or `dead` after too many attempts."""

    async def release(self, claim: Claim, not_before: float, counted: bool) -> bool:
        """Give the row back until a time; `counted` says whether that was one of its attempts."""

    async def abandon(self, owner: str) -> int:
        """Give back every row of a worker that is known to be gone, at once; returns how many."""

    async def amend(self, message: Message, now: float, here: str = "") -> bool:
        """Put an edited message in the place of the one with its room and id, if that is not answered yet; it starts anew.

        Only the one who asked can change what was asked: what bears another one's name changes nothing.
        Whoever works on it loses it. `here` is the owner whose work the caller has stopped itself; another one's row
        rests until that one must have noticed. Returns whether there was one to change.
        """

    async def withdraw(self, room: str, message: str, why: Withdrawal, now: float, here: str = "") -> bool:
        """Ask for a message to be dropped. An answered one is taken up again only if it was ``deleted``.

        Returns whether there was one.
        """

    async def stop(self, conversation: str, person: str, now: float, here: str = "") -> int:
        """Ask for everything of this person that is not answered in a conversation to be dropped; returns how many."""

    async def erase(self, claim: Claim, entries: Sequence[AuditEntry]) -> bool:
        """Close a row and blank its text and answer."""

    async def joined(self, conversation: str) -> bool:
        """Whether something was taken in of this conversation before."""

    async def questions(self, person: str, limit: int) -> list[str]:
        """The latest questions of a person that are still kept, newest first."""

    async def queue(self, now: float) -> Queue:
        """How it stands."""

    async def purge(self, before: float) -> int:
        """Blank text and answers of rows closed before a time (their keys stay); returns how many."""


class Journal(Protocol):
    """The audit and the memory of conversations."""

    async def record(self, entries: Sequence[AuditEntry], remembered: Sequence[Remembered] = ()) -> None:
        """Append audit rows and exchanges in one transaction."""

    async def recall(self, conversation: str, only: str, limit: int) -> list[Exchange]:
        """The latest exchanges that the whole conversation saw, and those that `only` saw alone; oldest first."""

    async def forget(self, conversation: str, only: str) -> int:
        """Delete the exchanges that the whole conversation saw and those that `only` saw alone; returns how many.

        What `only` asked there and was answered is kept nowhere else afterwards either.
        """

    async def expire(self, before: float) -> int:
        """Delete exchanges and opinions older than a time; returns how many."""

    async def unsay(self, answer: str) -> int:
        """Delete the exchanges of one answer; returns how many."""

    async def opine(self, opinion: Opinion) -> None:
        """Keep what a reader said of an answer, in the place of what they said of it before."""

    async def opinions(self, limit: int) -> list[Opinion]:
        """The latest opinions, newest first."""
