"""Who holds which role, and what that role gives: roles.yaml as frozen data. The default is nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.access.schema import PolicyFile, Reply, RoleEntry, TestEntry, parse_policy_file
from bot.types import Labels, Principal, PrincipalKind
from bot.yamlfile import Lines, read_text


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests a person may make; None where no held role says so."""

    per_minute: int | None = None
    per_day: int | None = None


@dataclass(frozen=True, slots=True)
class Role:
    """One role. `members`, `read` and `tools` map each entry to its line in roles.yaml.

    `applies_to` is the line that gives the role to every active member of a listed tenant, or None.
    """

    name: str
    line: int
    applies_to: int | None
    members: Mapping[str, int]
    read: Mapping[str, int]
    tools: Mapping[str, int]
    limits: Limits = Limits()
    admin: bool = False

    def held(self, principal: Principal) -> tuple[str, int] | None:
        """By which entry of roles.yaml, and its line, a member holds this role; None if they do not."""
        if self.applies_to is not None:
            return "applies_to: members", self.applies_to
        for ref in (principal.ref, *sorted(principal.groups)):
            if ref in self.members:
                return ref, self.members[ref]
        return None


@dataclass(frozen=True, slots=True)
class Held:
    """A role that somebody holds, and the entry and line that gave it."""

    role: Role
    via: str
    line: int


@dataclass(frozen=True, slots=True)
class Grant:
    """What one person may do. `refusal` says why a person who is not an active member holds nothing.

    An `admin` may ask who can read what; it opens no document.
    """

    who: str
    roles: tuple[Held, ...] = ()
    labels: Labels = frozenset()
    tools: frozenset[str] = frozenset()
    limits: Limits = Limits()
    refusal: str = ""
    admin: bool = False


@dataclass(frozen=True, slots=True)
class RoomRule:
    """What roles.yaml says of a room. Without a ceiling the room is not listed for labelled answers."""

    ref: str
    line: int
    ceiling: Labels | None = None
    ceiling_line: int = 0
    reply: Reply = "mentions"


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """A mark that an answer bears if it rests on a document with one of these labels."""

    name: str
    description: str
    labels: Labels


@dataclass(frozen=True, slots=True)
class PolicyTest:
    """An expectation that roles.yaml states about itself. `groups` and `kind` are None where it leaves them open."""

    __test__ = False  # pytest: this is not a test class

    line: int
    who: str
    room: str | None
    can_read: tuple[str, ...]
    cannot_read: tuple[str, ...]
    groups: frozenset[str] | None
    kind: PrincipalKind | None


@dataclass(frozen=True, slots=True)
class Policy:
    """roles.yaml as it was read. `hash` is the SHA-256 of the text, as ``sha256sum roles.yaml`` prints it."""

    name: str
    hash: str
    tenants: frozenset[tuple[str, str]]
    labels: Mapping[str, int]
    roles: tuple[Role, ...]
    rooms: Mapping[str, RoomRule] = field(default_factory=dict)
    tests: tuple[PolicyTest, ...] = ()
    sensitivity: tuple[Sensitivity, ...] = ()

    @property
    def shared(self) -> Labels:
        """The labels that every active member may read."""
        return frozenset(label for role in self.roles if role.applies_to is not None for label in role.read)

    @property
    def unread(self) -> tuple[str, ...]:
        """Declared labels that no role reads: documents with nothing else are visible to nobody."""
        return tuple(label for label in self.labels if not any(label in role.read for role in self.roles))

    def marking(self, labels: Iterable[str]) -> Sensitivity | None:
        """The most restrictive mark that one of these labels bears; the file lists them in that order."""
        carried = frozenset(labels)
        return next((one for one in self.sensitivity if one.labels & carried), None)

    def outsider(self, principal: Principal) -> str:
        """Why a person is not one of ours, or nothing if they are."""
        if principal.kind != "member":
            return {"guest": "a guest", "external": "from another organisation", "bot": "a bot"}.get(
                principal.kind, f"of an unknown kind ({principal.kind})"
            )
        if (principal.platform, principal.tenant) not in self.tenants:
            return f"of a tenant that {self.name} does not list ({principal.platform} {principal.tenant})"
        return ""

    def grant(self, principal: Principal) -> Grant:
        """What a person may do: the union of what their roles give. Nothing for anybody but active members."""
        refusal = self.outsider(principal) or ("" if principal.active else "deactivated")
        if refusal:
            return Grant(principal.ref, refusal=refusal)
        held = tuple(
            Held(role, *via) for role, via in ((role, role.held(principal)) for role in self.roles) if via is not None
        )
        return Grant(
            principal.ref,
            held,
            own_labels(principal).union(*(one.role.read for one in held)),
            frozenset().union(*(one.role.tools for one in held)),
            _most_generous([one.role.limits for one in held]),
            admin=any(one.role.admin for one in held),
        )


def own_labels(principal: Principal) -> Labels:
    """The labels by which sources that know their own readers name this person: ``user:REF`` and ``group:REF``."""
    return frozenset({f"user:{principal.ref}", *(f"group:{ref}" for ref in principal.groups)})


def read_policy(path: Path) -> Policy:
    """Read and check roles.yaml. Raises ConfigError, one line, naming file, line, key and choices."""
    return parse_policy(read_text(path), str(path))


def parse_policy(text: str, name: str = "roles.yaml") -> Policy:
    """Like `read_policy`, from text; `name` stands for the file in errors and explanations."""
    file, lines = parse_policy_file(text, name)
    return Policy(
        name=name,
        hash=hashlib.sha256(text.encode()).hexdigest(),
        tenants=frozenset(
            (platform, tenant)
            for platform, tenants in (("slack", file.tenants.slack), ("teams", file.tenants.teams))
            for tenant in tenants
        ),
        labels=_with_lines(file.labels, ("labels",), lines),
        roles=tuple(_role(role, entry, lines) for role, entry in file.roles.items()),
        rooms=_rooms(file, lines),
        tests=tuple(_test(position, test, lines) for position, test in enumerate(file.tests)),
        sensitivity=tuple(Sensitivity(one.name, one.description, frozenset(one.labels)) for one in file.sensitivity),
    )


def _role(name: str, entry: RoleEntry, lines: Lines) -> Role:
    where = ("roles", name)
    return Role(
        name,
        lines.of(where),
        lines.of((*where, "applies_to")) if entry.applies_to else None,
        _with_lines(entry.members or [], (*where, "members"), lines),
        _with_lines(entry.read, (*where, "read"), lines),
        _with_lines(entry.tools, (*where, "tools"), lines),
        Limits(entry.limits.per_minute, entry.limits.per_day),
        entry.admin,
    )


def _rooms(file: PolicyFile, lines: Lines) -> dict[str, RoomRule]:
    rules = {}
    for ref, entry in file.rooms.items():
        ceiling = None if entry.ceiling is None else frozenset(entry.ceiling)
        where = ("rooms", ref)
        rules[ref] = RoomRule(ref, lines.of(where), ceiling, lines.of((*where, "ceiling")), entry.reply)
    return rules


def _test(position: int, test: TestEntry, lines: Lines) -> PolicyTest:
    groups = None if test.groups is None else frozenset(test.groups)
    return PolicyTest(
        lines.of(("tests", position)),
        test.who,
        test.room,
        tuple(test.can_read),
        tuple(test.cannot_read),
        groups,
        test.kind,
    )


def _with_lines(entries: list[str], where: tuple[str, ...], lines: Lines) -> dict[str, int]:
    return {entry: lines.of((*where, position)) for position, entry in enumerate(entries)}


def _most_generous(limits: list[Limits]) -> Limits:
    """For each limit the highest that a held role sets; who holds two roles is not the poorer for it."""
    per_minute = [one.per_minute for one in limits if one.per_minute is not None]
    per_day = [one.per_day for one in limits if one.per_day is not None]
    return Limits(max(per_minute, default=None), max(per_day, default=None))
