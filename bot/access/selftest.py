"""Runs the expectations that roles.yaml states about itself, by the same rules that answers are given under."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.access import references
from bot.access.audience import Readers, alone, together
from bot.access.explain import Target, explain
from bot.access.policy import Policy, PolicyTest
from bot.ports import Directory


@dataclass(frozen=True, slots=True)
class Outcome:
    """One expectation about one label, and what the policy does. `line` is that of the test in roles.yaml."""

    line: int
    who: str
    room: str | None
    label: str
    expected: bool
    actual: bool
    reason: str

    @property
    def ok(self) -> bool:
        """Whether the policy does what was expected."""
        return self.expected == self.actual

    @property
    def sentence(self) -> str:
        """The outcome in words."""
        where = f" in {self.room}" if self.room else ""
        if self.ok:
            return f"{self.who}{where} {'can' if self.actual else 'cannot'} read '{self.label}'"
        verb, but = ("should", "cannot") if self.expected else ("should not", "can")
        return f"{self.who}{where} {verb} read '{self.label}' but {but}: {self.reason}"


async def run_tests(policy: Policy, directory: Directory | None = None) -> list[Outcome]:
    """Every expectation in the file, in its order.

    With a directory, people have their real groups and rooms their real kind and readers, unless a test states
    `groups` or `kind` itself. Without one, people have the stated groups only, and a room is a private one with
    nobody but the asker in it: a listed one hears what the asker may read up to the ceiling.
    """
    outcomes = []
    for test in policy.tests:
        readers = await _readers(policy, test, directory)
        for label, expected in [(label, True) for label in test.can_read] + [(one, False) for one in test.cannot_read]:
            actual = readers.access.sees({label})
            reason = _reason(policy, readers, label)
            outcomes.append(Outcome(test.line, test.who, test.room, label, expected, actual, reason))
    return outcomes


async def _readers(policy: Policy, test: PolicyTest, directory: Directory | None) -> Readers:
    known = await directory.person(test.who) if directory else None
    asker = known or references.person(test.who)
    if test.groups is not None:
        asker = replace(asker, groups=test.groups)
    if test.kind is not None:
        asker = replace(asker, kind=test.kind)
    if test.room is None:
        return alone(policy, asker)
    found = await directory.room(test.room) if directory else None
    if directory and found:
        return together(policy, asker, found, await directory.members(found))
    return together(policy, asker, references.room(test.room), ())


def _reason(policy: Policy, readers: Readers, label: str) -> str:
    """The finding that decided: the first that denies, else how the asker comes to hold the label."""
    findings = explain(policy, readers, Target(label, "label", frozenset({label}))).findings
    decisive = next((finding for finding in findings if not finding.allowed), findings[0])
    cited = f" (line {', '.join(map(str, decisive.lines))})" if decisive.lines else ""
    return f"{decisive.who} {decisive.why}{cited}"
