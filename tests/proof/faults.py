"""Forty-one ways to build the house wrongly, by the layer that each of them breaks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from bot.access.audience import Audience, Readers, together
from bot.access.gate import Gate
from bot.access.policy import Policy
from bot.access.rosters import CachedDirectory
from bot.assistant.memory import Memory
from bot.assistant.supervisor import Supervisor
from bot.delivery import audit
from bot.delivery.turns import Turns
from bot.ports import Directory, Index, Remembered
from bot.types import Access, Answer, Done, Exchange, Labels, Message, Passage, Principal, Room, Turn, for_everyone
from tests.fakes import FakeIndex
from tests.proof.world import LABELS, Parts

EVERYTHING = Access(frozenset({frozenset(LABELS)}), frozenset({"search_documents"}))


# Who reads: the audience and the rosters.


class AskerOnly(Audience):
    async def access(self, asker: Principal, room: Room) -> Access:
        return await self.private(asker)


class AnyReader(Audience):
    async def access(self, asker: Principal, room: Room) -> Access:
        right = await super().access(asker, room)
        return for_everyone([frozenset().union(*right.readers)], right.tools, right.policy)


class KnowsNoGuests(Audience):
    async def _now(self, asker: Principal) -> Principal:
        return replace(await super()._now(asker), kind="member")


class KnowsNoLeavers(Audience):
    async def _now(self, asker: Principal) -> Principal:
        return replace(await super()._now(asker), active=True)


class KeepsThePolicy(Audience):
    """Goes by the policy of its first turn."""

    def __init__(self, policy: Callable[[], Policy], directory: Directory):
        super().__init__(cache(policy), directory)


class OtherRoom(Audience):
    """Judges a room by `room` and `roster` made of the right ones."""

    def made(self, room: Room, roster: list[Principal] | None) -> tuple[Room, list[Principal] | None]:
        return room, roster

    async def readers(self, asker: Principal, room: Room) -> Readers:
        if room.kind == "direct":
            return await super().readers(asker, room)
        roster = await self._directory.members(room)
        place, people = self.made(room, None if roster is None else list(roster))
        return together(self._policy(), await self._now(asker), place, people)


class ForgetsTheLast(OtherRoom):
    def made(self, room: Room, roster: list[Principal] | None) -> tuple[Room, list[Principal] | None]:
        return room, roster[:-1] if roster else roster


class SkipsGuests(OtherRoom):
    def made(self, room: Room, roster: list[Principal] | None) -> tuple[Room, list[Principal] | None]:
        return room, roster and [one for one in roster if one.kind == "member"]


class UnreadableIsEmpty(OtherRoom):
    def made(self, room: Room, roster: list[Principal] | None) -> tuple[Room, list[Principal] | None]:
        return room, roster or []


class LooksAtTheFirst200(OtherRoom):
    def made(self, room: Room, roster: list[Principal] | None) -> tuple[Room, list[Principal] | None]:
        return room, roster and sorted(roster, key=lambda one: one.id, reverse=True)[:200]


class ExternalIsPrivate(OtherRoom):
    def made(self, room: Room, roster: list[Principal] | None) -> tuple[Room, list[Principal] | None]:
        return (replace(room, kind="public") if room.kind == "external" else room), roster


class PublicIsPrivate(OtherRoom):
    """And a room without a ceiling has the highest one."""

    async def readers(self, asker: Principal, room: Room) -> Readers:
        right = await super().readers(asker, room)
        if right.rule not in ("public", "unlisted"):
            return right
        people = [asker, *(await self._directory.members(room) or ())]
        grants = [self._policy().grant(person) for person in people]
        return replace(right, clauses=tuple(replace(right.clauses[0], labels=one.labels) for one in grants))


class NoCeiling(Audience):
    async def readers(self, asker: Principal, room: Room) -> Readers:
        right = await super().readers(asker, room)
        return replace(right, clauses=tuple(one for one in right.clauses if one.kind != "ceiling"))


class HearsNoEvents(CachedDirectory):
    def forget(self, *, room: str = "", person: str = "") -> None:
        return None


class HearsNoMoves(CachedDirectory):
    def forget(self, *, room: str = "", person: str = "") -> None:
        if person:
            super().forget(person=person)


class KeepsRosters(CachedDirectory):
    def forget(self, *, room: str = "", person: str = "") -> None:
        if room:
            super().forget(room=room)
        self._people.pop(person, None)


# What is found: the search.


class Search:
    """Searches wrongly: everything that `shows` says."""

    def __init__(self, index: FakeIndex, shows: Callable[[Access, Labels], bool]):
        self._index = index
        self._shows = shows

    async def search(self, query: str, access: Access, limit: int = 8) -> list[Passage]:
        return [one for one in self._index.passages if self._shows(access, one.labels)]


class Cached:
    """Keeps the first answer for whoever asks."""

    def __init__(self, index: FakeIndex):
        self._index = index
        self._kept: list[Passage] = []

    async def search(self, query: str, access: Access, limit: int = 8) -> list[Passage]:
        self._kept = self._kept or await self._index.search(query, access, limit)
        return self._kept


class Careless:
    """Adds one passage to what may be seen, the next one each time."""

    def __init__(self, index: FakeIndex):
        self._index = index
        self._searches = 0

    async def search(self, query: str, access: Access, limit: int = 8) -> list[Passage]:
        self._searches += 1
        every = self._index.passages
        return [one for n, one in enumerate(every) if access.sees(one.labels) or (n + self._searches) % len(every) == 0]


class Stale:
    """Believes the first labels that it saw on a document."""

    def __init__(self, index: FakeIndex):
        self._index = index
        self._first: dict[str, Labels] = {}

    async def search(self, query: str, access: Access, limit: int = 8) -> list[Passage]:
        for one in self._index.passages:
            self._first.setdefault(one.document, one.labels)
        return [one for one in self._index.passages if access.sees(self._first[one.document])]


def shows(rule: Callable[[Access, Labels], bool]) -> Callable[[FakeIndex], Index]:
    """A search under this rule."""
    return lambda index: Search(index, rule)


def one_reader_may(access: Access, labels: Labels) -> bool:
    return any(reader & labels for reader in access.readers)


def nobody_may_do_all(access: Access, labels: Labels) -> bool:
    return access.sees(labels) or not access.can_read


def any_reader_forgotten(access: Access, labels: Labels) -> bool:
    fewer = frozenset(sorted(access.readers, key=sorted)[1:]) or access.readers
    return replace(access, readers=fewer).sees(labels)


# What is remembered.


class Unchecked(Memory):
    """Replays everything that was said."""

    async def recall(self, message: Message, access: Access, private: bool = False) -> tuple[Exchange, ...]:
        return await super().recall(message, EVERYTHING, private)


class Oblivious(Memory):
    """Replays nothing."""

    async def recall(self, message: Message, access: Access, private: bool = False) -> tuple[Exchange, ...]:
        return ()


class OneDocumentIsEnough(Memory):
    async def recall(self, message: Message, access: Access, private: bool = False) -> tuple[Exchange, ...]:
        found = await super().recall(message, EVERYTHING, private)
        wanted = frozenset().union(*(one.documents for one in found))
        labels = await self._records.labels_of(wanted)
        return tuple(one for one in found if any(access.sees(labels.get(d, ())) for d in one.documents or {""}))


class TellsRoomsWhatWasPrivate(Memory):
    async def recall(self, message: Message, access: Access, private: bool = False) -> tuple[Exchange, ...]:
        return await super().recall(message, access, True)


class OneThread(Memory):
    async def recall(self, message: Message, access: Access, private: bool = False) -> tuple[Exchange, ...]:
        return await super().recall(replace(message, thread="t"), access, private)


class LosesDocuments(Memory):
    async def recall(self, message: Message, access: Access, private: bool = False) -> tuple[Exchange, ...]:
        found = await super().recall(message, access, private)
        return tuple(replace(one, documents=frozenset()) for one in found)


class NeverForgets(Memory):
    async def forget(self, message: Message) -> int:
        return 1


def without_documents(message: Message, answer: Answer, at: float) -> tuple[Remembered, ...]:
    right = audit.remembered(message, answer, at)
    return tuple(replace(one, exchange=replace(one.exchange, documents=frozenset())) for one in right)


def private_to_all(message: Message, answer: Answer, at: float) -> tuple[Remembered, ...]:
    return tuple(replace(one, only="") for one in audit.remembered(message, answer, at))


# How a turn is made.


class AnswersUnderTheAskersAccess(Turns):
    async def _turn(self, message: Message, access: Access, answer_id: str, private: bool) -> Turn:
        return await super()._turn(message, await self._audience.private(message.sender), answer_id, private)


class FirstComeFirstServed(Supervisor):
    """Goes on with the access of its first turn."""

    _first: Access | None = None

    def answer(self, turn: Turn) -> Any:
        self._first = self._first or (turn.access if turn.access.can_read else None)
        return super().answer(replace(turn, access=self._first or turn.access))


class OffersEverything(Supervisor):
    """Asks nobody which tools are granted."""

    def answer(self, turn: Turn) -> Any:
        return super().answer(replace(turn, access=replace(turn.access, tools=EVERYTHING.tools)))


# What the gate lets pass.


class Open(Gate):
    """Lets everything pass."""

    async def _may_show(self, access: Access, documents: Collection[str]) -> bool:
        return True


class Trusting(Gate):
    """Believes the access that the answer was made under."""

    async def room(self, message: Message, answer: Answer) -> Answer | None:
        return await self._check(answer.access, answer)

    async def asker(self, message: Message, answer: Answer) -> Answer | None:
        return await self._check(answer.access, answer)


class BelievesCitations(Gate):
    """Takes labels from the answer instead of SQL."""

    async def _check(self, access: Access, answer: Answer) -> Answer | None:
        return answer if all(access.sees(source.labels) for source in answer.sources) else None


class ChecksCitationsOnly(Gate):
    async def _check(self, access: Access, answer: Answer) -> Answer | None:
        cited = replace(answer, rests_on=frozenset())
        return None if await super()._check(access, cited) is None else answer


class UnknownIsFine(Gate):
    async def _may_show(self, access: Access, documents: Collection[str]) -> bool:
        return await super()._may_show(access, await self._records.labels_of(documents))


class OneIsEnough(Gate):
    async def _may_show(self, access: Access, documents: Collection[str]) -> bool:
        labels: Mapping[str, Labels] = await self._records.labels_of(documents)
        return not documents or any(access.sees(one) for one in labels.values())


class AskerIsEnough(Gate):
    async def room(self, message: Message, answer: Answer) -> Answer | None:
        shown = await self.asker(message, answer)
        return shown and replace(shown, private=answer.private)


class PrivateUnchecked(Gate):
    async def room(self, message: Message, answer: Answer) -> Answer | None:
        shown = await super().room(message, replace(answer, private=None))
        return shown and replace(shown, private=answer.private)


class LosesWhatWasReplayed(Supervisor):
    """Does not say what a replayed conversation rests on."""

    async def answer(self, turn: Turn) -> Any:
        async for reply in super().answer(turn):
            yield Done(replace(reply.answer, rests_on=frozenset())) if isinstance(reply, Done) else reply


FAULTS: dict[str, dict[str, Parts]] = {
    "readers": {
        "only the asker counts": Parts(audience=AskerOnly),
        "one reader who may is enough": Parts(audience=AnyReader),
        "the last reader is forgotten": Parts(audience=ForgetsTheLast),
        "guests count as members": Parts(audience=KnowsNoGuests),
        "deactivated people go on": Parts(audience=KnowsNoLeavers),
        "the policy of the first turn is kept": Parts(audience=KeepsThePolicy),
        "guests in a room are skipped": Parts(audience=SkipsGuests),
        "an unreadable roster is an empty one": Parts(audience=UnreadableIsEmpty),
        "long rosters are cut": Parts(audience=LooksAtTheFirst200),
        "an external room is a public one": Parts(audience=ExternalIsPrivate),
        "every room has a ceiling": Parts(audience=PublicIsPrivate),
        "no room has a ceiling": Parts(audience=NoCeiling),
        "events are not heard": Parts(directory=HearsNoEvents),
        "joining is not heard": Parts(directory=HearsNoMoves),
        "rosters keep who changed": Parts(directory=KeepsRosters),
    },
    "search": {
        "no filter": Parts(index=shows(lambda access, labels: True)),
        "one reader who may is enough": Parts(index=shows(one_reader_may)),
        "one reader is forgotten": Parts(index=shows(any_reader_forgotten)),
        "no access is all access": Parts(index=shows(nobody_may_do_all)),
        "answers are kept for everybody": Parts(index=Cached),
        "labels are never read again": Parts(index=Stale),
        "the asker's access in a room": Parts(turns=AnswersUnderTheAskersAccess),
        "the first turn's access for all": Parts(supervisor=FirstComeFirstServed),
        "every tool is offered": Parts(supervisor=OffersEverything),
    },
    "memory": {
        "replayed to everybody": Parts(memory=Unchecked),
        "one document that may be seen is enough": Parts(memory=OneDocumentIsEnough),
        "private answers are replayed in rooms": Parts(memory=TellsRoomsWhatWasPrivate),
        "all threads are one": Parts(memory=OneThread),
        "what is replayed loses its documents": Parts(memory=LosesDocuments),
        "what is stored loses its documents": Parts(remembered=without_documents),
        "private answers are stored as the room's": Parts(remembered=private_to_all),
        "nothing is forgotten": Parts(memory=NeverForgets),
    },
    "gate": {
        "open": Parts(gate=Open),
        "the access of the question": Parts(gate=Trusting),
        "the labels of the index": Parts(gate=BelievesCitations),
        "only what is cited": Parts(gate=ChecksCitationsOnly),
        "unknown documents pass": Parts(gate=UnknownIsFine),
        "one document that may be seen is enough": Parts(gate=OneIsEnough),
        "the asker may see it": Parts(gate=AskerIsEnough),
        "the private answer is not checked": Parts(gate=PrivateUnchecked),
        "replayed documents are not named": Parts(supervisor=LosesWhatWasReplayed),
    },
}
"""Each fault replaces one part of the house."""
