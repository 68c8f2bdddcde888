"""What a change of roles.yaml means: which people gain and lose which labels, documents, tools and rooms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.access import references
from bot.access.policy import Grant, Limits, Policy
from bot.types import Access, Labels, Principal


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody whom a change may touch: a person, anybody in a group, or every member."""

    name: str
    kind: str
    principal: Principal


@dataclass(frozen=True, slots=True)
class Change:
    """What one person or room gains and loses. Rooms have labels (their ceilings) only."""

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

    @property
    def effect(self) -> tuple[object, ...]:
        """What changes, without whom it changes for."""
        documents = (self.documents_gained, self.documents_lost)
        return (self.gains, self.loses, *documents, self.tools_gained, self.tools_lost, self.limits)


def compare(
    old: Policy, new: Policy, people: Mapping[str, Principal], documents: Mapping[str, Labels]
) -> tuple[Change, ...]:
    """Everybody and every room that the change touches, in a stable order; empty if it changes nothing for anybody.

    `people` are those of the directory, by alias. Whom only a policy names is looked at too, without groups.
    """
    changed = (_person(old, new, subject, documents) for subject in subjects((old, new), people))
    return tuple(change for change in (*changed, *_rooms(old, new)) if any(change.effect))


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
    )


def _labels(grant: Grant) -> frozenset[str]:
    """The labels that roles give; a person's own `user:` and `group:` labels go without saying."""
    return frozenset(label for held in grant.roles for label in held.role.read)


def _rooms(old: Policy, new: Policy) -> Iterable[Change]:
    for ref in sorted({*old.rooms, *new.rooms}):
        before, after = (_ceiling(policy, ref) for policy in (old, new))
        yield Change(ref, "room", ref, *_moved(before, after))


def _ceiling(policy: Policy, ref: str) -> Labels:
    rule = policy.rooms.get(ref)
    return rule.ceiling or frozenset() if rule else frozenset()


def _moved(before: Iterable[str], after: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    was, now = set(before), set(after)
    return tuple(sorted(now - was)), tuple(sorted(was - now))


def alike(changes: Iterable[Change]) -> list[list[Change]]:
    """The same changes, those with the same effect on the same kind of subject together, to be told once."""
    groups: dict[object, list[Change]] = {}
    for change in changes:
        groups.setdefault((change.kind, change.effect), []).append(change)
    return list(groups.values())
