"""People and rooms from a directory.yaml: for trying Rolecall out, for tests of roles.yaml, for terminals."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from bot.access import references
from bot.types import Principal, PrincipalKind, Room, RoomKind
from bot.yamlfile import Lines, Where, load_lines
from bot.yamlproblems import choices

T = TypeVar("T", Principal, Room)

_ALIAS = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class PersonEntry(_Strict):
    """A person as directory.yaml states it."""

    id: str
    name: str | None = None
    groups: list[str] = []
    kind: PrincipalKind = "member"
    active: bool = True


class RoomEntry(_Strict):
    """A room as directory.yaml states it. Without `members` its roster cannot be read."""

    id: str
    kind: RoomKind
    members: list[str] | None = None


class DirectoryEntry(_Strict):
    """The whole of directory.yaml."""

    people: dict[str, PersonEntry] = {}
    rooms: dict[str, RoomEntry] = {}


class FileDirectory:
    """A directory read once from a file. Raises ConfigError, one line, for the first mistake in it. No file: nobody."""

    def __init__(self, path: Path | None = None):
        entries, lines = load_lines(path, DirectoryEntry) if path else (DirectoryEntry(), Lines("", {}))
        self._names: dict[str, str] = {}
        self._people = {alias: self._person(alias, entry, lines) for alias, entry in entries.people.items()}
        self._person_by_ref = _by_ref(self._people, "people", lines)
        self._rooms = {alias: _room(alias, entry, lines) for alias, entry in entries.rooms.items()}
        self._room_by_ref = _by_ref(self._rooms, "rooms", lines)
        self._names |= {room.ref: alias for alias, room in self._rooms.items()}
        self._members = {
            self._rooms[alias].ref: self._roster(alias, entry.members, lines)
            for alias, entry in entries.rooms.items()
            if entry.members is not None
        }

    async def person(self, ref: str) -> Principal | None:
        """The person behind a reference or alias; None if there is none."""
        return self._people.get(ref) or self._person_by_ref.get(ref)

    async def room(self, ref: str) -> Room | None:
        """The room behind a reference or alias; None if there is none."""
        return self._rooms.get(ref) or self._room_by_ref.get(ref)

    async def members(self, room: Room) -> Sequence[Principal] | None:
        """Everybody who reads a room; None if the file does not list its members."""
        return self._members.get(room.ref)

    def people(self) -> Mapping[str, Principal]:
        """Everybody, by alias."""
        return self._people

    def rooms(self) -> Mapping[str, Room]:
        """Every room, by alias."""
        return self._rooms

    def name_of(self, ref: str) -> str:
        """The name of a person, the alias of a room, or the reference itself if the file does not know it."""
        return self._names.get(ref, ref)

    def _person(self, alias: str, entry: PersonEntry, lines: Lines) -> Principal:
        where: Where = ("people", alias)
        _check_alias(alias, where, lines)
        try:
            person = references.person(entry.id, entry.kind)
        except ValueError as error:
            raise lines.error((*where, "id"), str(error)) from error
        for position, ref in enumerate(entry.groups):
            try:
                references.group(ref)
            except ValueError as error:
                raise lines.error((*where, "groups", position), str(error)) from error
        self._names[person.ref] = entry.name or alias
        return replace(person, groups=frozenset(entry.groups), active=entry.active)

    def _roster(self, alias: str, members: list[str], lines: Lines) -> tuple[Principal, ...]:
        roster: list[Principal] = []
        for position, name in enumerate(members):
            person = self._people.get(name) or self._person_by_ref.get(name)
            where: Where = ("rooms", alias, "members", position)
            if person is None:
                raise lines.error(where, f"'{name}' is not in people; {choices(name, self._people)}")
            if person in roster:
                raise lines.error(where, f"'{name}' is in the list twice")
            roster.append(person)
        return tuple(roster)


def _room(alias: str, entry: RoomEntry, lines: Lines) -> Room:
    where: Where = ("rooms", alias)
    _check_alias(alias, where, lines)
    try:
        return references.room(entry.id, entry.kind)
    except ValueError as error:
        raise lines.error((*where, "id"), str(error)) from error


def _by_ref(named: Mapping[str, T], section: str, lines: Lines) -> dict[str, T]:
    found: dict[str, T] = {}
    first: dict[str, str] = {}
    for alias, one in named.items():
        if one.ref in found:
            raise lines.error((section, alias, "id"), f"'{one.ref}' is also the id of '{first[one.ref]}'")
        found[one.ref], first[one.ref] = one, alias
    return found


def _check_alias(alias: str, where: Where, lines: Lines) -> None:
    if not _ALIAS.fullmatch(alias):
        raise lines.error(where, f"{alias!a} is not an alias: use a-z, 0-9, _ and -")
