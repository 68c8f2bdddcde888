"""What a change of roles.yaml means: what people and rooms gain and lose, and how answers are marked from then on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.access import references
from bot.access.audience import together
from bot.access.policy import Grant, Limits, Policy
from bot.access.schema import Reply
from bot.types import Access, Labels, Principal, Room


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody whom a change may touch: a person, anybody in a group, or every member."""

    name: str
    kind: str
    principal: Principal


@dataclass(frozen=True, slots=True)
class Roster:
    """A room and everybody in it; None if that cannot be found out."""

    name: str
    room: Room
    people: Sequence[Principal] | None

    @property
    def asker(self) -> Principal:
        """Its first human member: whoever asks there reads what the others read, or less."""
        stranger = Principal(self.room.platform, self.room.tenant, "any")
        return next((one for one in self.people or () if one.kind != "bot"), stranger)


@dataclass(frozen=True, slots=True)
class Change:
    """What one person or room gains and loses. For a room that is what it may hear, and where it is answered (`reply`).

    `marks` are the labels and documents on which answers are marked otherwise: which one, before, after.
    """

    who: str
    kind: str
    name: str
    gains: tuple[str, ...] = ()
    loses: tuple[str, ...] = ()
    documents_gained: tuple[str, ...] = ()
    documents_lost: tuple[str, ...] = ()
    tools_gained: tuple[str, ...] = ()
    tools_lost: tuple[str, ...] = ()
    limits: tuple[Limits, Limits] | None = None
    admin: tuple[bool, bool] | None = None
    reply: tuple[Reply, Reply] | None = None
    marks: tuple[tuple[str, str, str], ...] = ()

    @property
    def effect(self) -> tuple[object, ...]:
        """What changes, without whom it changes for."""
        documents = (self.documents_gained, self.documents_lost)
        tools = (self.tools_gained, self.tools_lost)
        return (self.gains, self.loses, *documents, *tools, self.limits, self.admin, self.reply, self.marks)


def compare(
    old: Policy,
    new: Policy,
    people: Mapping[str, Principal],
    documents: Mapping[str, Labels],
    rosters: Sequence[Roster] = (),
) -> tuple[Change, ...]:
    """Everybody and every room that the change touches, in a stable order; empty if it changes nothing for anybody.

    `people` are those of the directory, by alias, `rosters` its rooms. Whom only a policy names is looked at too, without
    groups; a room that only a policy names, as if it were private and all its readers might read everything.
    """
    changed = (_person(old, new, subject, documents) for subject in subjects((old, new), people))
    rooms = _rooms(old, new, documents, rosters)
    marks = Change("", "marks", "answers", marks=tuple(_marks(old, new, documents)))
    return tuple(change for change in (*changed, *rooms, marks) if any(change.effect))


def subjects(policies: Iterable[Policy], people: Mapping[str, Principal]) -> list[Subject]:
    """Every member, every group that a policy names, everybody in the directory, everybody else a policy names."""
    policies = list(policies)
    tenants = sorted({tenant for policy in policies for tenant in policy.tenants})
    named = sorted({ref for policy in policies for role in policy.roles for ref in role.members})
    found = [
        Subject(f"any member of {platform} {tenant}", "everyone", Principal(platform, tenant, "any"))
        for platform, tenant in tenants
    ]
    found += [
        Subject(f"anybody in {ref}", "group", Principal(platform, tenant, "any", groups=frozenset({ref})))
        for ref in filter(references.is_group, named)
        for platform, tenant in tenants
        if platform == references.group(ref)
    ]
    found += [Subject(alias, "person", person) for alias, person in sorted(people.items())]
    known = {person.ref for person in people.values()}
    found += [
        Subject(ref, "person", references.person(ref))
        for ref in named
        if not references.is_group(ref) and ref not in known
    ]
    return found


def readable(grant: Grant, documents: Mapping[str, Labels]) -> set[str]:
    """The documents that somebody may read when they are the only reader."""
    access = Access(frozenset({grant.labels}))
    return {document for document, labels in documents.items() if access.sees(labels)}


def _person(old: Policy, new: Policy, subject: Subject, documents: Mapping[str, Labels]) -> Change:
    before, after = old.grant(subject.principal), new.grant(subject.principal)
    read_before, read_after = readable(before, documents), readable(after, documents)
    return Change(
        subject.principal.ref if subject.kind == "person" else subject.name,
        subject.kind,
        subject.name,
        *_moved(_labels(before), _labels(after)),
        *_moved(read_before, read_after),
        *_moved(before.tools, after.tools),
        (before.limits, after.limits) if before.limits != after.limits else None,
        (before.admin, after.admin) if before.admin != after.admin else None,
    )


def _labels(grant: Grant) -> frozenset[str]:
    """The labels that roles give; a person's own `user:` and `group:` labels go without saying."""
    return frozenset(label for held in grant.roles for label in held.role.read)


def _rooms(old: Policy, new: Policy, documents: Mapping[str, Labels], rosters: Sequence[Roster]) -> Iterable[Change]:
    known = {roster.room.ref: roster for roster in rosters}
    labels = {label: frozenset({label}) for policy in (old, new) for label in policy.labels}
    for ref in sorted({*old.rooms, *new.rooms, *known}):
        before, after = (_hears(policy, ref, known.get(ref)) for policy in (old, new))
        was, now = (_reply(policy, ref) for policy in (old, new))
        yield Change(
            ref,
            "room",
            known[ref].name if ref in known else ref,
            *_moved(*({label for label, one in labels.items() if access.sees(one)} for access in (before, after))),
            *_moved(*({name for name, one in documents.items() if access.sees(one)} for access in (before, after))),
            reply=(was, now) if was != now else None,
        )


def _hears(policy: Policy, ref: str, roster: Roster | None) -> Access:
    """What a room may hear, by the rule that holds for any answer; of a room that nobody knows, at most."""
    if roster is not None:
        return together(policy, roster.asker, roster.room, roster.people).access
    platform, _, place = ref.partition(":")
    if (platform, place.partition("/")[0]) not in policy.tenants:
        return Access()
    rule = policy.rooms.get(ref)
    ceiling = rule.ceiling if rule else None
    return Access(frozenset({policy.shared if ceiling is None else ceiling}))


def _reply(policy: Policy, ref: str) -> Reply:
    rule = policy.rooms.get(ref)
    return rule.reply if rule else "mentions"


def _marks(old: Policy, new: Policy, documents: Mapping[str, Labels]) -> Iterable[tuple[str, str, str]]:
    """Each label that is marked otherwise, and each document for which only the order of the marks has changed."""
    labels = {label: frozenset({label}) for policy in (old, new) for label in policy.labels}
    moved = {name: change for name, one in labels.items() if (change := _marking(old, new, one))}
    for name, carried in documents.items():
        if not carried & moved.keys() and (change := _marking(old, new, carried)):
            moved[name] = change
    return ((name, *change) for name, change in sorted(moved.items()))


def _marking(old: Policy, new: Policy, labels: Labels) -> tuple[str, str] | None:
    before, after = (policy.marking(labels) for policy in (old, new))
    if (before and (before.name, before.description)) == (after and (after.name, after.description)):
        return None
    was, now = (f"{one.name} ({one.description})" if one else "no mark" for one in (before, after))
    return was, now


def _moved(before: Iterable[str], after: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    was, now = set(before), set(after)
    return tuple(sorted(now - was)), tuple(sorted(was - now))


def alike(changes: Iterable[Change]) -> list[list[Change]]:
    """The same changes, those with the same effect on the same kind of subject together, to be told once."""
    groups: dict[object, list[Change]] = {}
    for change in changes:
        groups.setdefault((change.kind, change.effect), []).append(change)
    return list(groups.values())
