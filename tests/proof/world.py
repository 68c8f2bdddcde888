"""A company that changes all the time, in which people ask and an echo answers; and an oracle that watches who hears what.

The oracle shares nothing with bot/access: it knows three labels, two groups, the rules as people say them (`Rules`; the
house reads a roles.yaml that is written of them), and what may be said where, and goes through the people in a room one by
one. Each document carries a canary; a canary that is heard by somebody who may not read its document is a leak, and so is
a search for somebody to whom it is not granted. An answer that is withheld though nothing changed while it was made is a
fault too: an inner layer handed on what the gate had to stop. Each search also finds a mark of its own: one that was shown
in a conversation, or to one person alone in it, may be heard again nowhere else, and nowhere when it was forgotten.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count

from bot.access.audience import Audience
from bot.access.gate import Gate
from bot.access.policy import Policy, parse_policy
from bot.access.rosters import CachedDirectory
from bot.assistant.memory import Memory
from bot.assistant.supervisor import Supervisor
from bot.delivery import audit
from bot.delivery.turns import FORGET, Turns
from bot.ports import Directory, Index, Records, Remembered
from bot.types import Access, Answer, Delta, Done, Labels, Message, Passage, Principal, Room
from tests.delivery.fakes import FakeJournal
from tests.fakes import FakeDirectory, FakeIndex, FakeRecords, FakeRouter
from tests.proof.echo import Echo, all_passages

FINANCE, OPERATIONS = "slack-group:S0FIN", "slack-group:S0OPS"
EVERYBODY = ("everybody",)
"""The members of a role that every member holds."""


@dataclass(frozen=True)
class Rules:
    """The company's rules as people say them: who is in each role, what it reads and may use, what a room may be told.

    The oracle goes by these. The house reads roles.yaml, which `policy_of` writes of them.
    """

    members: tuple[tuple[str, ...], ...] = (EVERYBODY, (FINANCE,), (OPERATIONS,))
    reads: tuple[str, ...] = ("company", "filings", "maintenance")
    search: tuple[bool, ...] = (True, False, False)
    ceilings: tuple[tuple[str, str], ...] = (("C0LISTED", "filings company"), ("C0OPS", "maintenance company"))

    def roles_of(self, person: Principal) -> list[int]:
        """The numbers of the roles that an active member holds; nobody else holds one."""
        if person.kind != "member" or not person.active:
            return []
        own = {*EVERYBODY, person.ref, *person.groups}
        return [number for number, members in enumerate(self.members) if own & set(members)]

    def reads_of(self, person: Principal) -> set[str]:
        """What somebody may read by themselves."""
        return {label for number in self.roles_of(person) for label in self.reads[number].split()}

    def searches(self, person: Principal) -> bool:
        """Whether somebody may have documents searched."""
        return any(self.search[number] for number in self.roles_of(person))

    @property
    def shared(self) -> set[str]:
        """What every member may read."""
        return {
            label for n, members in enumerate(self.members) if members == EVERYBODY for label in self.reads[n].split()
        }

    def ceiling(self, place: str) -> set[str] | None:
        """What a room may be told at most; None if nothing is said of it."""
        said = dict(self.ceilings).get(place)
        return None if said is None else set(said.split())


@cache
def policy_of(rules: Rules) -> Policy:
    """The same as roles.yaml, read by the house."""
    lines = ["version: 1", "tenants: {slack: [T0HOME]}", "labels: [company, filings, maintenance]", "roles:"]
    for number, name in enumerate(("everyone", "finance", "operations")):
        members = rules.members[number]
        who = "applies_to: members" if members == EVERYBODY else f"members: [{', '.join(members)}]"
        tools = "search_documents" if rules.search[number] else ""
        lines.append(f"  {name}: {{{who}, read: [{', '.join(rules.reads[number].split())}], tools: [{tools}]}}")
    lines.append("rooms:")
    for room, ceiling in rules.ceilings:
        lines.append(f"  slack:T0HOME/{room}: {{ceiling: [{', '.join(ceiling.split())}]}}")
    return parse_policy("\n".join(lines))


RULES = {
    "as at the start": Rules(),
    "finance gains a label": Rules(reads=("company", "filings maintenance", "maintenance")),
    "operations lose their label": Rules(reads=("company", "filings", "company")),
    "everybody gains a label": Rules(reads=("company maintenance", "filings", "maintenance")),
    "everybody loses their label": Rules(reads=("maintenance", "filings company", "company")),
    "only finance may search": Rules(search=(False, True, False)),
    "another group is finance": Rules(members=(EVERYBODY, (OPERATIONS,), (FINANCE,))),
    "one person is finance": Rules(members=(EVERYBODY, ("slack-user:T0HOME/U0P5",), (OPERATIONS,))),
    "everybody is operations": Rules(members=(EVERYBODY, (FINANCE,), EVERYBODY)),
    "ceilings are lower": Rules(ceilings=(("C0LISTED", "company"), ("C0OPS", "maintenance"))),
    "ceilings change places": Rules(ceilings=(("C0LISTED", "maintenance company"), ("C0OPS", "filings company"))),
    "another room is listed": Rules(ceilings=(("C0UNLISTED", "company filings maintenance"), ("C0OPS", "company"))),
}
"""What roles.yaml may become at any moment."""
LABELS = ("company", "filings", "maintenance")
ROOMS = {
    name: Room("slack", "T0HOME", name, kind)  # type: ignore[arg-type]
    for name, kind in (
        ("C0PUBLIC", "public"),
        ("C0LISTED", "private"),
        ("C0OPS", "private"),
        ("C0UNLISTED", "private"),
        ("C0EXTERNAL", "external"),
    )
}
STAFF = ([FINANCE], [FINANCE], [FINANCE, OPERATIONS], [FINANCE, OPERATIONS], [OPERATIONS], [])
"""The groups of each of the people at the start."""
DOCUMENTS = 7
CROWD = [Principal("slack", "T0HOME", f"U0X{number}", groups=frozenset({FINANCE, OPERATIONS})) for number in range(201)]
"""More readers than a room is looked through for; each of them may read everything."""


@dataclass
class Parts:
    """What the house is built of. A fault replaces one of them."""

    audience: Callable[[Callable[[], Policy], Directory], Audience] = Audience
    gate: Callable[[Audience, Records], Gate] = Gate
    memory: Callable[[FakeJournal, Records], Memory] = Memory
    index: Callable[[FakeIndex], Index] = lambda index: index
    directory: Callable[[Directory, Callable[[], float]], CachedDirectory] = lambda directory, clock: CachedDirectory(
        directory, clock
    )
    turns: type[Turns] = Turns
    supervisor: type[Supervisor] = Supervisor
    remembered: Callable[[Message, Answer, float], tuple[Remembered, ...]] = audit.remembered


class Partial:
    """A search that finds two thirds of what there is, other ones for each question: memory holds what it does not find."""

    def __init__(self, index: Index):
        self._index = index

    async def search(self, query: str, access: Access, limit: int = 8) -> list[Passage]:
        question = int("".join(filter(str.isdigit, query)) or 0)
        found = await self._index.search(query, access, limit)
        return [one for one in found if (question + int(one.document[1:-3])) % 3]


@dataclass
class Mark:
    """Where it was shown, to whom alone if it was (`only`), and who has had it forgotten."""

    conversation: str
    only: str
    forgotten: set[str] = field(default_factory=set)


@dataclass
class World:
    """People, rooms and documents as they are now. `leaks` and `withheld` say what went wrong."""

    parts: Parts
    people: dict[str, Principal] = field(default_factory=dict)
    present: dict[str, set[str]] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    crowded: set[str] = field(default_factory=set)
    documents: dict[str, Labels] = field(default_factory=dict)
    rules: Rules = Rules()
    leaks: list[str] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)
    marks: dict[str, Mark] = field(default_factory=dict)
    deliveries: int = 0

    def __post_init__(self) -> None:
        self.people = {
            f"U0P{n}": Principal("slack", "T0HOME", f"U0P{n}", groups=frozenset(groups))
            for n, groups in enumerate(STAFF)
        }
        self.present = {name: {"U0P0", "U0P1"} for name in ROOMS}
        self.documents = {f"d{n}.md": frozenset({LABELS[n % 3]}) for n in range(DOCUMENTS)}
        self.index, self.records, self.journal = FakeIndex(), FakeRecords(), FakeJournal()
        self._directory = FakeDirectory()
        self._now, self._numbers = 0.0, count(1)
        self._changes: list[Callable[[], None]] = []
        self._changed = False
        self._asking = ""
        self.cache = self.parts.directory(self._directory, lambda: self._now)
        audience = self.parts.audience(lambda: policy_of(self.rules), self.cache)
        tool = all_passages(Partial(self.parts.index(self.index)), self._between)
        supervisor = self.parts.supervisor(Echo(), [tool], FakeRouter("search_documents"), mode="model", capable=True)
        memory = self.parts.memory(self.journal, self.records)
        gate = self.parts.gate(audience, self.records)
        self.turns = self.parts.turns(audience, supervisor, gate, memory, lambda: f"a{next(self._numbers)}")
        self._publish()

    # What changes

    def regroup(self, person: str, groups: set[str], active: bool, guest: bool) -> None:
        """Somebody's groups, standing and kind."""
        kind = "guest" if guest else "member"
        self.people[person] = replace(self.people[person], groups=frozenset(groups), active=active, kind=kind)  # type: ignore[arg-type]
        self._publish(person=self.people[person].ref)

    def move(self, room: str, person: str, joins: bool) -> None:
        """Somebody joins or leaves a room."""
        (self.present[room].add if joins else self.present[room].discard)(person)
        self._publish(room=ROOMS[room].ref)

    def hide_roster(self, room: str, hidden: bool, crowded: bool) -> None:
        """A roster cannot be read any more, or has become very long."""
        (self.unreadable.add if hidden else self.unreadable.discard)(room)
        (self.crowded.add if crowded else self.crowded.discard)(room)
        self._publish(room=ROOMS[room].ref)

    def relabel(self, document: str, labels: Labels, index_too: bool) -> None:
        """A document gets other labels, or none and is gone. The index may hear of it later than SQL."""
        self.documents[document] = labels
        self._publish(index_too=index_too)

    def rule(self, rules: Rules) -> None:
        """The admins change roles.yaml."""
        self.rules = rules

    # What is said

    async def ask(self, person: str, place: str, thread: str = "t", *changes: Callable[[], None]) -> None:
        """Somebody asks, alone or in a room they are in.

        Of `changes` the first happens after the search for the room and before its answer, the second after the search
        for the asker alone.
        """
        sender = self.people[person]
        room = ROOMS.get(place) or Room("slack", "T0HOME", f"D-{person}", "direct")
        if place in ROOMS and person not in self.present[place]:
            self.move(place, person, joins=True)
        self._now += 1.0
        self._changes, self._changed, self._asking = list(changes), self._stale(), person
        number = next(self._numbers)
        message = Message(f"m{number}", sender, room, f"What is known of everything, {number}?", thread)
        async for reply in self.turns.take(message, f"a{number}"):
            if isinstance(reply, Delta):
                self._heard(reply.text, message, place)
            if isinstance(reply, Done):
                self._delivered(message, reply.answer, place)

    async def forget(self, person: str, place: str, thread: str = "t") -> None:
        """Somebody has the conversation forgotten."""
        room = ROOMS.get(place) or Room("slack", "T0HOME", f"D-{person}", "direct")
        message = Message(f"m{next(self._numbers)}", self.people[person], room, "Forget this conversation.", thread)
        async for reply in self.turns.take(message):
            if isinstance(reply, Done) and reply.answer.plan.tool == FORGET:
                for mark in self.marks.values():
                    if mark.conversation == message.conversation and mark.only in ("", person):
                        mark.forgotten.add(person)

    async def _between(self) -> list[str]:
        if not self.rules.searches(self.people[self._asking]):
            self.leaks.append(f"{self._asking} had documents searched without a grant")
        before = self._state()
        if self._changes:
            self._changes.pop(0)()
        self._changed = self._changed or self._state() != before
        return [f"mark-{next(self._numbers)}-end"]

    def _delivered(self, message: Message, answer: Answer, place: str) -> None:
        self.deliveries += 1
        self.journal.remembered.extend(self.parts.remembered(message, answer, self._now))
        self._heard(answer.text, message, place)
        if answer.private is not None:
            self._heard(answer.private.text, message, "", alone=True)
        if answer.refused == "access-changed" and not self._changed:
            self.withheld.append(f"{message.id} in {place or 'private'}")

    # The oracle

    def _heard(self, text: str, message: Message, place: str, alone: bool = False) -> None:
        asker, conversation = message.sender.id, message.conversation
        for document in self.documents:
            if canary(document) in text:
                for hearer in self._hearers(asker, place):
                    if not self._may_hear(hearer, asker, document, place):
                        self.leaks.append(f"{hearer} heard {document} in {place or 'private'}")
        for name in MARK.findall(text):
            mark = self.marks.setdefault(name, Mark(conversation, asker if alone else ""))
            if mark.conversation != conversation or not self._may_hear_again(mark, asker, alone):
                self.leaks.append(f"{name} of {mark} was heard by {asker} in {conversation}")

    @staticmethod
    def _may_hear_again(mark: Mark, asker: str, alone: bool) -> bool:
        """What one was told alone is heard alone; what was forgotten, only by others in what they were told alone."""
        if mark.only:
            return alone and asker == mark.only and not mark.forgotten
        return not mark.forgotten or (alone and asker not in mark.forgotten)

    def _hearers(self, asker: str, place: str) -> set[str]:
        """Who reads it: a deactivated account that is still on a roster reads nothing."""
        others = self.present[place] if place in ROOMS else set()
        return {asker, *(one for one in others if self.people[one].active)}

    def _may_hear(self, hearer: str, asker: str, document: str, place: str) -> bool:
        """One person, one document, one place: written as people say it."""
        labels, person, ceiling = self.documents[document], self.people[hearer], self.rules.ceiling(place)
        told = labels & self.rules.shared and (ceiling is None or labels & ceiling)
        if place in self.unreadable and place != "C0EXTERNAL" and hearer != asker:
            return bool(told)  # nobody can know who is there: what every member may read is said
        readable = bool(labels & self.rules.reads_of(person))
        if not readable or place not in ROOMS:
            return readable
        guests = any(self.people[one].kind == "guest" for one in self.present[place])
        if place == "C0EXTERNAL" or (guests and place not in self.unreadable):
            return False
        if place == "C0PUBLIC" or ceiling is None or place in self.unreadable | self.crowded:
            return bool(told)
        return bool(labels & ceiling)

    # What the platform, SQL and the index say

    def _publish(self, room: str = "", person: str = "", index_too: bool = True) -> None:
        everybody = list(self.people.values())
        rosters = {
            ROOMS[name]: [self.people[one] for one in sorted(present)] + (CROWD if name in self.crowded else [])
            for name, present in self.present.items()
            if name not in self.unreadable
        }
        self._directory.__init__(everybody, rosters)  # type: ignore[misc]
        if room or person:
            self.cache.forget(room=room, person=person)
        self.records.rows = FakeRecords({name: labels for name, labels in self.documents.items() if labels}).rows
        if index_too:
            self.index.passages = [
                Passage(name, name, f"Known: {canary(name)}.", labels, name)
                for name, labels in self.documents.items()
                if labels
            ]

    def _stale(self) -> bool:
        return {one.document: one.labels for one in self.index.passages} != {
            n: one for n, one in self.documents.items() if one
        }

    def _state(self) -> object:
        present = {name: frozenset(who) for name, who in self.present.items()}
        return dict(self.people), present, set(self.unreadable), set(self.crowded), dict(self.documents), self.rules


MARK = re.compile(r"mark-\d+-end")


def canary(document: str) -> str:
    """What only this document says."""
    return f"canary-{document.removesuffix('.md')}-end"


def some_change(chance: random.Random, world: World, late: bool = True) -> Callable[[], None]:
    """One thing that may happen at any moment; `late` says whether the index may hear of a document later than SQL."""
    person, room = chance.choice(sorted(world.people)), chance.choice(sorted(ROOMS))
    document = chance.choice(sorted(world.documents))
    labels = frozenset(chance.sample(LABELS, chance.choice((0, 1, 1, 2))))
    groups = set(chance.sample((FINANCE, OPERATIONS), chance.randint(0, 2)))
    active, guest, joins = chance.random() < 0.85, chance.random() < 0.12, chance.random() < 0.5
    hidden, crowded, index_too = chance.random() < 0.2, chance.random() < 0.1, chance.random() < 0.7 or not late
    rules = RULES[chance.choice(sorted(RULES))]
    return chance.choice(
        [
            lambda: world.regroup(person, groups, active, guest),
            lambda: world.move(room, person, joins),
            lambda: world.hide_roster(room, hidden, crowded),
            lambda: world.relabel(document, labels, index_too),
            lambda: world.rule(rules),
        ]
    )


async def walk(world: World, seed: int, steps: int, frozen: bool = False, faults: bool = True) -> None:
    """So many random steps: changes between turns and during them, questions everywhere, and sometimes forgetting.

    It ends with the first leak, and, unless `faults` is False, with the first answer that was withheld for no reason.
    While a turn of a `frozen` world runs nothing changes, and the index is never late.
    """
    chance = random.Random(seed)
    for _ in range(steps):
        dice = chance.random()
        person, place = chance.choice(sorted(world.people)), chance.choice([*sorted(ROOMS), "C0LISTED", "", ""])
        if dice < 0.3:
            some_change(chance, world, late=not frozen)()
        elif dice < 0.34:
            await world.forget(person, place, chance.choice("ttu"))
        else:
            changes = [some_change(chance, world) for _ in range(chance.choice((0, 0, 1, 2)))]
            await world.ask(person, place, chance.choice("ttu"), *(() if frozen else changes))
        if world.leaks or (faults and world.withheld):
            return
