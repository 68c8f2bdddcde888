"""What the middle needs from the world, as protocols. The connectors implement them; tests/fakes.py does too."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from bot.types import (
    Access,
    Answer,
    Attachment,
    Citation,
    Document,
    Excerpt,
    Exchange,
    Labels,
    Message,
    Passage,
    Principal,
    Reply,
    Room,
    Turn,
    Upload,
)


class Directory(Protocol):
    """Who people are and who is in a room, as the platform says it."""

    async def person(self, ref: str) -> Principal | None:
        """The person behind a reference or alias; None if there is none."""

    async def room(self, ref: str) -> Room | None:
        """The room behind a reference or alias; None if there is none."""

    async def members(self, room: Room) -> Sequence[Principal] | None:
        """Everybody who reads a room, bots included; None if the roster cannot be read."""


class Index(Protocol):
    """Searching. There is no search without an Access."""

    async def search(self, query: str, access: Access, limit: int = 8) -> list[Passage]:
        """The best passages that every reader may see, best first; no scores, no counts. Empty access: none."""


class IndexWriter(Protocol):
    """Writing, which only sync does. Each call is durable when it returns."""

    async def put(self, passages: Sequence[Passage]) -> None:
        """Insert or replace passages by id."""

    async def relabel(self, document: str, labels: Labels) -> None:
        """Change the labels of all passages of a document without embedding anything again."""

    async def remove(self, document: str, keep: Collection[str] = ()) -> None:
        """Delete a document's passages, except those whose ids are in `keep`."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A document that a source offers, before it is read. `fingerprint` changes when the content may have."""

    id: str
    fingerprint: str
    labels: Labels


class Source(Protocol):
    """An outside system that holds documents."""

    name: str

    def list(self) -> Iterable[Listed]:
        """Everything there is now. A document that is missing here has been deleted."""

    def read(self, listed: Listed) -> Document:
        """Parse one document. Raises UnreadableDocument with the reason; never harms this process."""


RecordState = Literal["indexing", "indexed", "removing", "failed"]


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """The SQL row of a document: the truth about its labels, which the gate checks right before posting."""

    id: str
    source: str
    title: str
    labels: Labels
    hash: str
    fingerprint: str
    state: RecordState
    passages: int = 0
    url: str = ""
    modified: datetime | None = None
    reason: str = ""


class Records(Protocol):
    """The SQL record of documents."""

    async def all(self, source: str | None = None) -> dict[str, DocumentRecord]:
        """Every record, or those of one source, by document id."""

    async def labels_of(self, documents: Collection[str]) -> Mapping[str, Labels]:
        """The current labels of those of these documents that are indexed; others are absent."""

    async def save(self, *records: DocumentRecord) -> None:
        """Insert or replace records, all or none, committed when this returns."""

    async def delete(self, document: str) -> None:
        """Forget one record."""


class Threads(Protocol):
    """What was said in a place, for requests about it."""

    async def excerpts(self, room: Room, thread: str, limit: int = 200) -> Sequence[Excerpt] | None:
        """The latest messages of that very thread, or of a direct conversation, oldest first; None if they cannot be read.

        Rolecall's own messages and what only one person saw are not among them.
        """


class FileReader(Protocol):
    """Reads a file that came with a message, in the same limited way as a source's."""

    async def read(self, file: Attachment) -> Upload:
        """The file's sections, or the reason for which it cannot be read. Never raises for what the file holds."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a linter says of a line (counted from 1). `code` names the rule; ``invalid-syntax`` if it cannot be read."""

    line: int
    code: str
    message: str


class Linter(Protocol):
    """Reads Python without running it."""

    async def check(self, code: str) -> Sequence[Finding]:
        """The mistakes it finds, in the order of lines. Raises BotError if it cannot tell."""


class Assistant(Protocol):
    """Answers one turn."""

    def answer(self, turn: Turn) -> AsyncIterator[Reply]:
        """Status and checked text as they come, then exactly one Done."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is read: a room and a thread in it, or there by one person alone (`only`)."""

    room: Room
    thread: str = ""
    only: Principal | None = None


PostKind = Literal["status", "piece", "answer", "notice"]


@dataclass(frozen=True, slots=True)
class Post:
    """The whole of one visible message, as it is to stand now. Its text has passed the gate.

    `status` says what Rolecall is doing; `piece` is an answer that is still growing; `answer` is final and bears the
    answer's `id`; a `notice` is anything else: busy, an apology, a refusal.
    """

    kind: PostKind
    text: str
    sources: Sequence[Citation] = ()
    id: str = ""


class ChatDoor(Protocol):
    """A chat platform seen from the middle. It shows and finds posts; it decides nothing.

    Every method raises DoorUnavailable if the platform did not take the call, Undeliverable if it never will.
    """

    async def post(self, place: Place, post: Post, key: str) -> str:
        """Show a new message that carries `key` where the platform keeps it; returns the platform's id for it."""

    async def edit(self, place: Place, posted: str, post: Post) -> str:
        """Replace a message of ours. The same call twice changes nothing more.

        Returns the id to know it by from now on: a platform that needs several messages for a long text names them all.
        """

    async def find(self, place: Place, key: str) -> str | None:
        """The id of our earliest message that carries `key`, if there is one."""

    async def remove(self, place: Place, posted: str) -> None:
        """Take a message of ours away; no error if it is gone."""

    async def attach(self, place: Place, file: Attachment, key: str) -> None:
        """Show a file of ours; its message carries `key` where the platform keeps it."""


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

    def ended(self, how: Literal["busy", "failed", "withheld", "withdrawn"]) -> None:
        """A message ended otherwise."""

    def step(self, name: str, **about: str) -> AbstractContextManager[None]:
        """Around one step of a message's way; `about` names it in a trace."""


@dataclass(frozen=True, slots=True)
class SyncRun:
    """The last run of a source's sync that came to its end; counts are of documents."""

    source: str
    finished: float
    added: int
    changed: int
    deleted: int
    failed: int


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


Language = Literal["python", "shell", "sql"]
"""What a sandbox may run; which of these it does run is its own `languages`."""


@dataclass(frozen=True, slots=True)
class Program:
    """Code that nobody trusts. `files` are laid beside it, by name; `sql` runs against an empty SQLite database."""

    language: Language
    code: str
    stdin: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)


Ending = Literal["finished", "time", "memory", "killed", "refused"]
"""How a run ended: by itself, at a limit of time or memory, by a signal, or not begun (no sandbox, or it is busy)."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What really happened in one run. `exit` is None unless it finished; `cut` says that output was longer than shown.

    `reason` says why it was refused or ended, in words for the person.
    """

    ending: Ending
    exit: int | None = None
    output: str = ""
    errors: str = ""
    cut: bool = False
    seconds: float = 0.0
    reason: str = ""

    @property
    def good(self) -> bool:
        """Whether it finished without a failure."""
        return self.ending == "finished" and self.exit == 0


class Sandbox(Protocol):
    """Runs code that nobody trusts: no network, no files of this machine, bounded in everything, or not at all."""

    tier: str
    languages: frozenset[Language]

    async def run(self, program: Program, person: str = "") -> Ran:
        """Run a program to its end or to a limit; one at a time for each person. It never raises for what the code does."""
