"""The format of roles.yaml and everything that can be wrong with it, each said with file, line, key and choices."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bot.access import references
from bot.types import Principal, PrincipalKind
from bot.yamlfile import Lines, Where, parse_lines
from bot.yamlproblems import choices, shown

TOOLS = (
    "search_documents",
    "write_code",
    "debug_code",
    "summarize",
    "translate",
    "draft",
    "sentiment",
    "classify",
)
Reply = Literal["mentions", "threads", "all", "never"]

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def _version(value: int) -> int:
    if value != 1:
        raise ValueError(f"{value} is not a version that this Rolecall reads; choices: 1")
    return value


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class TenantsEntry(_Strict):
    """The Slack workspaces and Microsoft tenants whose members are ours."""

    slack: list[str] = []
    teams: list[str] = []


class LimitsEntry(_Strict):
    """How many requests a person may make."""

    per_minute: Annotated[int, Field(ge=1, le=1_000)] | None = None
    per_day: Annotated[int, Field(ge=1, le=1_000_000)] | None = None


class RoleEntry(_Strict):
    """Who holds a role and what it gives."""

    applies_to: Literal["members"] | None = None
    members: list[str] | None = None
    read: list[str] = []
    tools: list[str] = []
    limits: LimitsEntry = LimitsEntry()
    admin: bool = False


class RoomEntry(_Strict):
    """What a room may be told at most, and which of its messages are answered."""

    ceiling: list[str] | None = None
    reply: Reply = "mentions"


class SensitivityEntry(_Strict):
    """A mark that an answer bears if it rests on a document with one of these labels."""

    name: str = Field(min_length=1, max_length=80)
    description: str = Field(default="", max_length=300)
    labels: list[str]


class TestEntry(_Strict):
    """One expectation about one person."""

    __test__ = False  # pytest: this is not a test class

    who: str = Field(alias="as")
    room: str | None = Field(default=None, alias="in")
    can_read: list[str] = []
    cannot_read: list[str] = []
    groups: list[str] | None = None
    kind: PrincipalKind | None = None


class PolicyFile(_Strict):
    """The whole of roles.yaml."""

    version: Annotated[int, AfterValidator(_version)]
    tenants: TenantsEntry
    labels: list[str]
    roles: dict[str, RoleEntry] = Field(min_length=1)
    rooms: dict[str, RoomEntry] = {}
    sensitivity: list[SensitivityEntry] = []
    tests: list[TestEntry] = []


def parse_policy_file(text: str, name: str) -> tuple[PolicyFile, Lines]:
    """Read and check roles.yaml. Raises ConfigError, one line, for the first mistake."""
    file, lines = parse_lines(text, name, PolicyFile)
    check = _Check(file, lines)
    check.tenants()
    check.names(("labels",), list(enumerate(file.labels)))
    check.names(("roles",), [(role, role) for role in file.roles])
    for role, entry in file.roles.items():
        check.role(role, entry)
    for room, rule in file.rooms.items():
        check.room(room, rule)
    check.sensitivity()
    for position, test in enumerate(file.tests):
        check.test(("tests", position), test)
    return file, lines


class _Check:
    """The rules that hold between the parts of a file."""

    def __init__(self, file: PolicyFile, lines: Lines):
        self._file = file
        self._lines = lines
        self._tenants = {"slack": file.tenants.slack, "teams": file.tenants.teams}

    def tenants(self) -> None:
        """Each tenant is an id of its platform, and there is one."""
        for platform, tenants in self._tenants.items():
            self._unique(("tenants", platform), tenants)
            for position, tenant in enumerate(tenants):
                if not references.TENANTS[platform].fullmatch(tenant):
                    form = "a workspace id such as T0HOME" if platform == "slack" else "a tenant GUID in lower case"
                    raise self._lines.error(("tenants", platform, position), f"{shown(tenant)} is not {form}")
        if not any(self._tenants.values()):
            raise self._lines.error(
                ("tenants",), "no tenant is listed, so nobody could be a member; known: slack, teams"
            )

    def names(self, where: Where, named: list[tuple[str | int, str]]) -> None:
        """Names are plain, and no two of them look alike."""
        seen: dict[str, str | int] = {}
        for step, name in named:
            plain = unicodedata.normalize("NFKC", name).casefold()
            plain = "".join(letter for letter in plain if unicodedata.category(letter) != "Cf")
            if plain in seen:
                line = self._lines.of((*where, seen[plain]))
                raise self._lines.error((*where, step), f"{name!a} is the same name as the one on line {line}")
            if not _NAME.fullmatch(name):
                looks = f"; write it as '{plain}'" if _NAME.fullmatch(plain) else ""
                raise self._lines.error((*where, step), f"{name!a} is not a name: use a-z, 0-9, _ and -{looks}")
            seen[plain] = step

    def role(self, name: str, entry: RoleEntry) -> None:
        """Somebody can hold the role, and what it gives exists."""
        where: Where = ("roles", name)
        if entry.applies_to and entry.members is not None:
            raise self._lines.error((*where, "members"), "a role has either applies_to or members, not both")
        if not entry.applies_to and entry.members is None:
            raise self._lines.error(where, "nobody holds this role; give it members: [...] or applies_to: members")
        if entry.members is not None:
            self._members((*where, "members"), entry.members)
        self._known((*where, "read"), entry.read, self._file.labels, "a label declared in labels", "labels")
        self._known((*where, "tools"), entry.tools, TOOLS, "a tool", "tools")
        if not (entry.read or entry.tools or "limits" in entry.model_fields_set or entry.admin):
            raise self._lines.error(where, "this role gives nothing; give it read, tools, limits or admin")

    def room(self, ref: str, rule: RoomEntry) -> None:
        """The room is one of ours, and its ceiling consists of declared labels."""
        where: Where = ("rooms", ref)
        self._room(where, ref)
        if rule.ceiling is not None:
            self._not_empty(
                (*where, "ceiling"), rule.ceiling, "labels, or leave the key out: then the room is unlisted"
            )
            self._known((*where, "ceiling"), rule.ceiling, self._file.labels, "a label declared in labels", "labels")

    def sensitivity(self) -> None:
        """Each mark stands there once, and no label has two."""
        where: Where = ("sensitivity",)
        self._unique(where, [one.name for one in self._file.sensitivity], "name")
        marked: dict[str, str] = {}
        for position, one in enumerate(self._file.sensitivity):
            inner: Where = (*where, position, "labels")
            self._not_empty(inner, one.labels, "labels, or delete the entry")
            self._known(inner, one.labels, self._file.labels, "a label declared in labels", "labels")
            for place, label in enumerate(one.labels):
                if label in marked:
                    raise self._lines.error((*inner, place), f"'{label}' is also marked {shown(marked[label])}")
                marked[label] = one.name

    def test(self, where: Where, test: TestEntry) -> None:
        """The test names a person, perhaps a room, and expects something."""
        self._person((*where, "as"), test.who)
        if test.room is not None:
            self._room((*where, "in"), test.room)
        if not test.can_read and not test.cannot_read:
            raise self._lines.error(where, "this test expects nothing; give it can_read or cannot_read")
        for key, labels in (("can_read", test.can_read), ("cannot_read", test.cannot_read)):
            self._known((*where, key), labels, self._file.labels, "a label declared in labels", "labels")
        both = sorted(set(test.can_read) & set(test.cannot_read))
        if both:
            raise self._lines.error((*where, "cannot_read"), f"'{both[0]}' is also in can_read")
        for position, group in enumerate(test.groups or ()):
            self._group((*where, "groups", position), group)

    def _members(self, where: Where, members: list[str]) -> None:
        self._not_empty(where, members, "people or groups, or delete the role")
        self._unique(where, members)
        for position, ref in enumerate(members):
            if references.is_group(ref):
                self._group((*where, position), ref)
            else:
                self._person((*where, position), ref)

    def _person(self, where: Where, ref: str) -> Principal:
        try:
            found = references.member(ref)
        except ValueError as error:
            raise self._lines.error(where, str(error)) from error
        if isinstance(found, str):
            raise self._lines.error(where, f"{ref!r} is a group; name a person, and put groups into groups: [...]")
        self._tenant(where, found.platform, found.tenant)
        return found

    def _group(self, where: Where, ref: str) -> None:
        try:
            platform = references.group(ref)
        except ValueError as error:
            raise self._lines.error(where, str(error)) from error
        if not self._tenants[platform]:
            raise self._lines.error(where, f"{ref!r} is of a platform without tenants; list one in tenants.{platform}")

    def _room(self, where: Where, ref: str) -> None:
        try:
            found = references.room(ref)
        except ValueError as error:
            raise self._lines.error(where, str(error)) from error
        self._tenant(where, found.platform, found.tenant)

    def _tenant(self, where: Where, platform: str, tenant: str) -> None:
        if tenant not in self._tenants[platform]:
            known = ", ".join(self._tenants[platform]) or "none"
            raise self._lines.error(where, f"'{tenant}' is not listed in tenants.{platform}; known: {known}")

    def _known(self, where: Where, given: list[str], known: Iterable[str], what: str, word: str) -> None:
        names = frozenset(known)
        for position, name in enumerate(given):
            if name not in names:
                raise self._lines.error(
                    (*where, position), f"{shown(name)} is not {what}; {choices(name, names, word)}"
                )
        self._unique(where, given)

    def _unique(self, where: Where, given: list[str], key: str = "") -> None:
        seen: set[str] = set()
        for position, name in enumerate(given):
            if name in seen:
                at = (*where, position, key) if key else (*where, position)
                raise self._lines.error(at, f"{shown(name)} is in the list twice")
            seen.add(name)

    def _not_empty(self, where: Where, given: list[str], advice: str) -> None:
        if not given:
            raise self._lines.error(where, f"the list is empty; name {advice}")
