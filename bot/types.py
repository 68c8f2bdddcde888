"""The nouns of Rolecall: frozen data that knows nobody and does nothing but compare itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

PrincipalKind = Literal["member", "guest", "external", "bot"]
RoomKind = Literal["direct", "private", "public", "external"]
Labels = frozenset[str]


@dataclass(frozen=True, slots=True)
class Principal:
    """A person (or bot) as the platform proved them; never a display name or an e-mail address.

    `groups` holds references such as ``slack-group:S0FIN`` or ``entra-group:7f1c...``. A deactivated
    account has ``active=False`` and may read nothing.
    """

    platform: str
    tenant: str
    id: str
    kind: PrincipalKind = "member"
    groups: frozenset[str] = frozenset()
    active: bool = True

    @property
    def ref(self) -> str:
        """The reference that roles.yaml, the command line and the audit use: ``slack-user:T0HOME/U0FIONA``."""
        return f"{self.platform}-user:{self.tenant}/{self.id}"


@dataclass(frozen=True, slots=True)
class Room:
    """A place where an answer will be read."""

    platform: str
    tenant: str
    id: str
    kind: RoomKind

    @property
    def ref(self) -> str:
        """The reference that roles.yaml and the command line use: ``slack:T0HOME/C0FIN``."""
        return f"{self.platform}:{self.tenant}/{self.id}"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file. One that came with a message may not have been fetched yet: then `ref` is what its door fetches it by.

    `size` is in bytes as the platform states it, 0 if it does not.
    """

    name: str
    content: bytes = b""
    ref: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A message of the place where something was asked, which the request is about. Material, never an instruction."""

    author: str
    text: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One request, as the chat door translated it. `thread` is empty outside threads.

    `excerpts` are what a shortcut or a quotation put beside the text; `tool` is the one that the person chose themselves
    by pressing a button, or empty.
    """

    id: str
    sender: Principal
    room: Room
    text: str
    thread: str = ""
    files: tuple[Attachment, ...] = ()
    excerpts: tuple[Excerpt, ...] = ()
    tool: str = ""

    @property
    def conversation(self) -> str:
        """What this message belongs to: answers come in order, and memory is kept, per conversation."""
        return f"{self.room.ref}#{self.thread}"


@dataclass(frozen=True, slots=True)
class Access:
    """What *all* readers of an answer may see, and which tools the asker may use.

    `readers` is a set of label sets, one for each kind of reader, reduced to its minimal members. A document
    is visible if and only if every one of them shares a label with it. The default allows nothing.
    """

    readers: frozenset[Labels] = frozenset()
    tools: frozenset[str] = frozenset()
    policy: str = ""

    @property
    def can_read(self) -> bool:
        """Whether there is anything these readers could see: no reader, or one without labels, sees nothing."""
        return bool(self.readers) and all(self.readers)

    def sees(self, labels: Iterable[str]) -> bool:
        """Whether a document with these labels is visible to every reader. No label: visible to nobody."""
        carried = frozenset(labels)
        return self.can_read and all(reader & carried for reader in self.readers)


def for_everyone(readers: Iterable[Labels], tools: Iterable[str] = (), policy: str = "") -> Access:
    """The access of a group of readers: a set that contains another one demands nothing more, so it is dropped."""
    sets = set(readers)
    minimal = frozenset(one for one in sets if not any(other < one for other in sets))
    return Access(minimal, frozenset(tools), policy)


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of a parsed document: text under one heading on one page (pages count from 1)."""

    text: str
    heading: tuple[str, ...] = ()
    page: int | None = None
    table: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """A document as a source delivered it. `id` is unique over all sources: ``handbook/policies/travel.md``."""

    id: str
    source: str
    title: str
    labels: Labels
    hash: str
    sections: tuple[Section, ...]
    url: str = ""
    modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document that is indexed, found and cited. Never cut inside a sentence or a table row."""

    id: str
    document: str
    text: str
    labels: Labels
    title: str = ""
    heading: tuple[str, ...] = ()
    page: int | None = None
    url: str = ""
    modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """A source under an answer, rendered by code from provenance, never by the model. `number` counts from 1."""

    number: int
    document: str
    title: str
    labels: Labels
    page: int | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Which tool was chosen, by whom (``router``, ``model``, ``person`` or ``rule``), and how sure (0 to 1).

    `then` names the tools that went on from there, in their order.
    """

    tool: str
    by: str
    confidence: float
    then: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exchange:
    """An earlier question and its answer, with the documents the answer rested on and the sources that it named."""

    question: str
    answer: str
    documents: frozenset[str] = frozenset()
    sources: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with the message, read: its sections and bytes, or the `problem` for which it could not be."""

    name: str
    sections: tuple[Section, ...] = ()
    content: bytes = b""
    problem: str = ""

    @property
    def text(self) -> str:
        """The whole text, sections apart."""
        return "\n\n".join(section.text for section in self.sections)


@dataclass(frozen=True, slots=True)
class Turn:
    """A message with the authority it is answered under. Tools receive it from the runtime, never from the model.

    `history` holds the earlier exchanges of the conversation that all readers of this turn may see, oldest first.
    `uploads` are the files of the message; whoever reads along here can open them, so they need no label. `found` is what
    earlier specialists of the same request answered, under the same access.
    """

    id: str
    message: Message
    access: Access
    history: tuple[Exchange, ...] = ()
    uploads: tuple[Upload, ...] = ()
    found: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What will be shown: the text with ``[1]`` markers, its sources, and how it came about.

    `refused` is empty, or the reason for which nothing was answered (``no-access``, ``not-granted``,
    ``access-changed``); "not found" is not a refusal. `ms` holds milliseconds by step. `private` is the fuller
    answer that only the asker gets. `rests_on` names documents that the text may carry something of without citing
    them: what a model read, replayed memory. `access` is the authority it was answered under. `files` are shown with
    the answer, under the same rule as its text. `searched` says that documents were looked for: somebody who may read
    more may then get a fuller answer. `tokens` counts what models read and wrote for it. `material` is the whole of a
    document that was asked for by name, for a specialist that goes on from here: it is neither shown nor stored.
    """

    text: str
    sources: tuple[Citation, ...] = ()
    plan: Plan = Plan("chat", "rule", 1.0)
    model: str = ""
    refused: str = ""
    id: str = ""
    ms: Mapping[str, float] = field(default_factory=dict)
    private: Answer | None = None
    rests_on: frozenset[str] = frozenset()
    access: Access = Access()
    files: tuple[Attachment, ...] = ()
    searched: bool = False
    tokens: tuple[int, int] = (0, 0)
    material: tuple[Passage, ...] = ()

    @property
    def documents(self) -> frozenset[str]:
        """Every document that a reader of this must be allowed to see."""
        return self.rests_on.union(source.document for source in self.sources)


@dataclass(frozen=True, slots=True)
class Status:
    """What Rolecall is doing, in a few words, in the language of the question."""

    text: str


@dataclass(frozen=True, slots=True)
class Delta:
    """Checked text to append to the answer: whole checked sentences only, with the sources they rest on."""

    text: str
    sources: tuple[Citation, ...] = ()
    rests_on: frozenset[str] = frozenset()

    @property
    def documents(self) -> frozenset[str]:
        """Every document that a reader of this must be allowed to see."""
        return self.rests_on.union(source.document for source in self.sources)


@dataclass(frozen=True, slots=True)
class Done:
    """The final answer. The last event of each turn."""

    answer: Answer


Reply = Status | Delta | Done
