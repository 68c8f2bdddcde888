"""How roles.yaml, the directory, the command line and the audit name people, groups and rooms.

Only ids that a platform made and never changes: no display names, no e-mail addresses.
"""

from __future__ import annotations

import re

from bot.types import Principal, PrincipalKind, Room, RoomKind

_GUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_WORKSPACE = r"[TE][A-Z0-9]{2,20}"

TENANTS = {"slack": re.compile(_WORKSPACE), "teams": re.compile(_GUID)}
_PEOPLE = {
    "slack-user": re.compile(rf"({_WORKSPACE})/([UW][A-Z0-9]{{2,20}})"),
    "teams-user": re.compile(rf"({_GUID})/({_GUID})"),
}
_GROUPS = {"slack-group": re.compile(r"S[A-Z0-9]{2,20}"), "entra-group": re.compile(_GUID)}
_ROOMS = {
    "slack": re.compile(rf"({_WORKSPACE})/([CDG][A-Z0-9]{{2,20}})"),
    "teams": re.compile(rf"({_GUID})/([A-Za-z0-9:@._;=-]{{1,200}})"),
}
_FORMS = {
    "slack-user": "slack-user:T0HOME/U0FIONA",
    "teams-user": "teams-user:TENANT-GUID/USER-GUID",
    "slack-group": "slack-group:S0FIN",
    "entra-group": "entra-group:GROUP-GUID",
    "slack": "slack:T0HOME/C0FIN",
    "teams": "teams:TENANT-GUID/19:...@thread.tacv2",
}
GROUP_PLATFORM = {"slack-group": "slack", "entra-group": "teams"}


def person(ref: str, kind: PrincipalKind = "member", groups: frozenset[str] = frozenset()) -> Principal:
    """The person that a reference names. Raises ValueError naming the valid forms."""
    prefix, rest = _match(ref, _PEOPLE, "a person")
    return Principal(prefix.removesuffix("-user"), rest[1], rest[2], kind, groups)


def group(ref: str) -> str:
    """The platform a group belongs to: ``slack`` or ``teams``. Raises ValueError naming the valid forms."""
    return GROUP_PLATFORM[_match(ref, _GROUPS, "a group")[0]]


def room(ref: str, kind: RoomKind = "private") -> Room:
    """The room that a reference names. Raises ValueError naming the valid forms."""
    platform, rest = _match(ref, _ROOMS, "a room")
    return Room(platform, rest[1], rest[2], kind)


def is_group(ref: str) -> bool:
    """Whether a reference claims to name a group."""
    return ref.partition(":")[0] in _GROUPS


def member(ref: str) -> Principal | str:
    """A member entry of a role: the person, or the group's platform. Raises ValueError naming the valid forms."""
    if is_group(ref):
        return group(ref)
    if ref.partition(":")[0] not in _PEOPLE:
        raise ValueError(_not_one(ref, "a person or a group", [*_PEOPLE, *_GROUPS]))
    return person(ref)


def _match(ref: str, patterns: dict[str, re.Pattern[str]], what: str) -> tuple[str, re.Match[str]]:
    prefix, _, rest = ref.partition(":")
    pattern = patterns.get(prefix)
    found = pattern.fullmatch(rest) if pattern else None
    if not found:
        raise ValueError(_not_one(ref, what, [prefix] if pattern else list(patterns)))
    return prefix, found


def _not_one(ref: str, what: str, prefixes: list[str]) -> str:
    shown = ref if len(ref) <= 80 else ref[:77] + "..."
    if shown != shown.lower() and "guid" in "".join(_FORMS[one] for one in prefixes).lower() and len(prefixes) == 1:
        return f"{shown!r} is not {what}; form: {_FORMS[prefixes[0]]} (GUIDs in lower case)"
    forms = ", ".join(_FORMS[one] for one in prefixes)
    return f"{shown!r} is not {what}; {'form' if len(prefixes) == 1 else 'forms'}: {forms}"
