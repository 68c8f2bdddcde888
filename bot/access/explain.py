"""Why somebody may or may not read a document: each reader, the rule that decided, and its line in roles.yaml."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.access.audience import Clause, Readers
from bot.access.policy import Grant, Policy
from bot.errors import ConfigError
from bot.types import Labels
from bot.yamlproblems import choices


@dataclass(frozen=True, slots=True)
class Cause:
    """A role that gives a label: `line` is where it does, `members` who holds it, each with its line.

    For somebody who holds the role, `members` is the one entry by which they do.
    """

    label: str
    role: str
    line: int
    members: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one clause decides, in words; `causes` gave the label, or would give it."""

    kind: str
    who: str
    allowed: bool
    why: str
    lines: tuple[int, ...] = ()
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """The whole answer to "may they read it?". `labels` are the document's."""

    target: str
    labels: Labels
    allowed: bool
    rule: str
    reason: str
    findings: tuple[Finding, ...]
    file: str
    policy: str


@dataclass(frozen=True, slots=True)
class Target:
    """What a question is about: a document, or a label as if it were a document that carries only it."""

    name: str
    kind: str
    labels: Labels


def find_target(name: str, policy: Policy, documents: Mapping[str, Labels]) -> Target:
    """The document or label of that name; the end of a document's path will do. Raises ConfigError if there is none."""
    if name in documents:
        return Target(name, "document", documents[name])
    if name in policy.labels or name.startswith(("user:", "group:")):
        return Target(name, "label", frozenset({name}))
    ends = sorted(document for document in documents if document.endswith("/" + name))
    if len(ends) == 1:
        return Target(ends[0], "document", documents[ends[0]])
    if ends:
        raise ConfigError(f"{name!r} is the end of several documents: {', '.join(ends[:5])}; name one of them whole")
    known = choices(name, policy.labels, "labels")
    listed = f"{known}; {len(documents)} documents are indexed" if documents else f"{known}; no document is indexed"
    near = [one for one in sorted(documents) if name.lower() in one.lower()][:3]
    meant = f"; documents like it: {', '.join(near)}" if near else ""
    raise ConfigError(f"{name!r} is neither a document nor a label; {listed}{meant}")


def explain(policy: Policy, readers: Readers, target: Target) -> Explanation:
    """Why these readers may or may not be shown this target."""
    findings = tuple(_finding(policy, clause, target.labels) for clause in readers.clauses)
    return Explanation(
        target.name,
        target.labels,
        readers.access.sees(target.labels),
        readers.rule,
        readers.reason,
        findings if target.labels else (Finding("label", target.name, False, "carries no label: nobody may read it"),),
        policy.name,
        policy.hash,
    )


def _finding(policy: Policy, clause: Clause, labels: Labels) -> Finding:
    shared = clause.labels & labels
    match clause.kind:
        case "outsider":
            why = f"is {clause.grant.refusal}" if clause.grant else "reads this room"
            return Finding("outsider", clause.who, False, why)
        case "ceiling":
            verb = "allows" if shared else "allows only"
            why = f"the room's ceiling {verb} {_names(shared or clause.labels)}"
            return Finding("ceiling", clause.who, bool(shared), why, (clause.line,))
        case "everyone":
            return _everyone(policy, clause, labels)
        case _:
            return _reader(policy, clause.who, clause.grant or Grant(clause.who), labels)


def _everyone(policy: Policy, clause: Clause, labels: Labels) -> Finding:
    causes = tuple(
        Cause(label, role.name, line, {"applies_to: members": role.applies_to})
        for role in policy.roles
        for label, line in role.read.items()
        if role.applies_to is not None and label in labels
    )
    if causes:
        why = f"may read {_names(cause.label for cause in causes)} by the role '{causes[0].role}'"
        return Finding("everyone", clause.who, True, why, _lines(causes), causes)
    why = f"does not hold {_names(labels)}: no role that applies to all members reads it"
    return Finding("everyone", clause.who, False, why)


def _reader(policy: Policy, who: str, grant: Grant, labels: Labels) -> Finding:
    if grant.refusal:
        return Finding("reader", who, False, f"is {grant.refusal}: holds no role")
    causes = tuple(
        Cause(label, held.role.name, line, {held.via: held.line})
        for held in grant.roles
        for label, line in held.role.read.items()
        if label in labels
    )
    if causes:
        first = causes[0]
        why = f"reads '{first.label}' by the role '{first.role}', held by {next(iter(first.members))}"
        return Finding("reader", who, True, why, _lines(causes[:1]), causes)
    own = sorted(grant.labels & labels)
    if own:
        return Finding("reader", who, True, f"is named by the source itself: {own[0]}")
    offers = giving(policy, labels)
    held = _names(one.role.name for one in grant.roles)
    needs = f"the role {_names(offer.role for offer in offers)} would give it" if offers else "no role gives it"
    why = f"holds {held or 'no role'}, not {_names(labels)}; {needs}"
    return Finding("reader", who, False, why, _lines(offers), offers)


def giving(policy: Policy, labels: Labels) -> tuple[Cause, ...]:
    """Every role that gives one of these labels, with everybody whom roles.yaml names for it."""
    return tuple(
        Cause(label, role.name, line, role.members or {"applies_to: members": role.applies_to or role.line})
        for role in policy.roles
        for label, line in role.read.items()
        if label in labels
    )


def _lines(causes: Iterable[Cause]) -> tuple[int, ...]:
    return tuple(sorted({line for cause in causes for line in (cause.line, *list(cause.members.values())[:1])}))


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in dict.fromkeys(sorted(names)))
