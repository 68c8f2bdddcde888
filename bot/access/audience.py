"""Who will read an answer, and what all of them may see. Whatever is unclear about a room makes it hear less."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bot.access.policy import Grant, Policy
from bot.ports import Directory
from bot.types import Access, Labels, Principal, Room, for_everyone

MAX_READERS = 200
"""A roster that is longer is not looked through reader by reader: the room hears what every member may read."""

ClauseKind = Literal["reader", "outsider", "everyone", "ceiling"]
Rule = Literal["direct", "foreign", "outsider", "public", "unreadable", "crowd", "listed", "unlisted"]

_REASONS: dict[Rule, str] = {
    "direct": "only the asker reads the answer",
    "foreign": "people of other organisations read this room: it hears nothing from documents",
    "outsider": "a guest or somebody of another organisation reads this room: it hears nothing from documents",
    "public": "a public room: it hears what every member may read",
    "unreadable": "who reads this room cannot be found out: it hears what every member may read",
    "crowd": f"more than {MAX_READERS} people read this room: it hears what every member may read",
    "listed": "a private room with a ceiling: it hears what each of its readers may read, up to the ceiling",
    "unlisted": "a private room without a ceiling: it hears what every member may read",
}


@dataclass(frozen=True, slots=True)
class Clause:
    """One demand on a document: it must carry one of these labels. `grant` is set for people."""

    kind: ClauseKind
    who: str
    labels: Labels
    line: int = 0
    grant: Grant | None = None


@dataclass(frozen=True, slots=True)
class Readers:
    """Everybody who will read an answer: a document may be shown if each clause shares a label with it."""

    rule: Rule
    clauses: tuple[Clause, ...]
    tools: frozenset[str]
    policy: str

    @property
    def reason(self) -> str:
        """Why these clauses hold for this room, in words."""
        return _REASONS[self.rule]

    @property
    def access(self) -> Access:
        """The same as the authority that a turn is answered under."""
        return for_everyone((clause.labels for clause in self.clauses), self.tools, self.policy)


class Audience:
    """Finds the readers of a room. `policy` gives the policy that holds now.

    The asker and the room are looked up again each time: who lost a role, was deactivated, or is not known any more
    loses it in the middle of a turn, and a room that was opened to others is a room of others at once.
    """

    def __init__(self, policy: Callable[[], Policy], directory: Directory):
        self._policy = policy
        self._directory = directory

    async def access(self, asker: Principal, room: Room) -> Access:
        """What everybody who reads this room, the asker included, may see; the tools are the asker's."""
        return (await self.readers(asker, room)).access

    async def private(self, asker: Principal) -> Access:
        """What the asker alone may see."""
        return alone(self._policy(), await self._now(asker)).access

    async def readers(self, asker: Principal, room: Room) -> Readers:
        """The readers behind `access`, each with what they may see and why."""
        if room.kind == "direct":
            return alone(self._policy(), await self._now(asker))
        place = await self._directory.room(room.ref)
        if place is None or place.kind == "direct" or room.kind == "external":
            place = room
        roster = await self._directory.members(place)
        return together(self._policy(), await self._now(asker), place, roster)

    async def _now(self, asker: Principal) -> Principal:
        """The asker as the directory knows them now: who is not known is nobody, and an outsider becomes no member."""
        known = await self._directory.person(asker.ref)
        if known is None or known.ref != asker.ref:
            return replace(asker, groups=frozenset(), active=False)
        return known if asker.kind == "member" else replace(known, kind=asker.kind)


def alone(policy: Policy, asker: Principal) -> Readers:
    """The asker as the only reader."""
    grant = policy.grant(asker)
    return Readers("direct", (_reader(grant),), grant.tools, policy.hash)


def together(policy: Policy, asker: Principal, room: Room, roster: Sequence[Principal] | None) -> Readers:
    """The readers of a shared room. `roster` is None if it cannot be read."""
    grant = policy.grant(asker)
    people = _people(asker, roster or ())
    outsiders = [person for person in people if policy.outsider(person)]
    rule = _rule(policy, room, roster, bool(outsiders))
    clauses = [_reader(grant)]
    match rule:
        case "foreign":
            clauses.append(Clause("outsider", "another organisation", frozenset()))
        case "outsider":
            others = (person for person in outsiders if person.ref != asker.ref)
            clauses.extend(Clause("outsider", one.ref, frozenset(), grant=policy.grant(one)) for one in others)
        case "listed":
            clauses.extend(_reader(policy.grant(person)) for person in people if person.ref != asker.ref)
        case _:
            clauses.append(Clause("everyone", "every member", policy.shared))
    return Readers(rule, (*clauses, *_ceiling(policy, room)), grant.tools, policy.hash)


def _rule(policy: Policy, room: Room, roster: Sequence[Principal] | None, outsiders: bool) -> Rule:
    if room.kind not in ("public", "private") or (room.platform, room.tenant) not in policy.tenants:
        return "foreign"
    if outsiders:
        return "outsider"
    if room.kind == "public":
        return "public"
    if roster is None:
        return "unreadable"
    if len(roster) > MAX_READERS:
        return "crowd"
    return "listed" if _ceiling(policy, room) else "unlisted"


def _people(asker: Principal, roster: Sequence[Principal]) -> list[Principal]:
    """The asker and every human reader. Bots read nothing out loud; a bot that asks counts as any asker does."""
    return [asker, *(person for person in roster if person.kind != "bot" and person.ref != asker.ref)]


def _reader(grant: Grant) -> Clause:
    return Clause("reader", grant.who, grant.labels, grant=grant)


def _ceiling(policy: Policy, room: Room) -> tuple[Clause, ...]:
    rule = policy.rooms.get(room.ref)
    if rule is None or rule.ceiling is None:
        return ()
    return (Clause("ceiling", room.ref, rule.ceiling, rule.ceiling_line),)
