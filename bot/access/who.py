"""Who may read a document or label: everybody the policy and the directory know, and the rooms that may hear of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.access.audience import alone, together
from bot.access.diff import Roster, subjects
from bot.access.explain import Target, explain
from bot.access.policy import Policy
from bot.types import Principal


@dataclass(frozen=True, slots=True)
class Entry:
    """One person, group or room: whether it may, why, and the lines of roles.yaml that decide."""

    name: str
    kind: str
    ref: str
    allowed: bool
    why: str
    lines: tuple[int, ...] = ()


def who_can_read(
    policy: Policy, target: Target, people: Mapping[str, Principal], rosters: Sequence[Roster] = ()
) -> list[Entry]:
    """Everybody, and every room, allowed or not; people as the only readers, rooms with all of theirs."""
    found = []
    for subject in subjects((policy,), people):
        told = explain(policy, alone(policy, subject.principal), target)
        first = told.findings[0]
        ref = subject.principal.ref if subject.kind == "person" else ""
        found.append(Entry(subject.name, subject.kind, ref, told.allowed, first.why, first.lines))
    return found + [_room(policy, target, roster) for roster in rosters]


def _room(policy: Policy, target: Target, roster: Roster) -> Entry:
    told = explain(policy, together(policy, roster.asker, roster.room, roster.people), target)
    denied = next((finding for finding in told.findings if not finding.allowed), None)
    why = f"{told.reason}; {denied.who} {denied.why}" if denied else told.reason
    lines = denied.lines if denied else tuple(sorted({line for one in told.findings for line in one.lines}))
    return Entry(roster.name, "room", roster.room.ref, told.allowed, why, lines)
