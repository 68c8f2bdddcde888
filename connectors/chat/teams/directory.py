"""Who is who and who is where, as Teams and Microsoft Graph say it; implements the Directory port.

Only the tenant and the Entra object id count. Somebody of another tenant, a guest, or whom Graph does not know, gets nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from bot.access import references
from bot.access.audience import MAX_READERS
from bot.errors import DoorUnavailable
from bot.types import Principal, PrincipalKind, Room
from connectors.chat.teams.graph import Graph
from connectors.chat.teams.store import TeamsStore
from connectors.chat.teams.translation import NAME, principal
from connectors.chat.teams.wire import Refused, Wire

PAGE = 500
PAGES = 50
"""Pages of a roster that are read; a longer one counts as unreadable."""
AT_ONCE = 8


class TeamsDirectory:
    """Asks the Bot Connector for rosters, and Graph, if there is one, for groups. `tenant` is ours."""

    def __init__(self, wire: Wire, store: TeamsStore, graph: Graph | None, tenant: str):
        self._wire = wire
        self._store = store
        self._graph = graph
        self._tenant = tenant
        self._asking = asyncio.Semaphore(AT_ONCE)

    async def person(self, ref: str) -> Principal | None:
        """The person behind a reference. Raises DoorUnavailable if that cannot be found out now."""
        try:
            found = references.person(ref)
        except ValueError:
            return None
        if found.platform != NAME:
            return None
        if found.tenant != self._tenant:
            return replace(found, kind="external")
        if self._graph is not None:
            return await self._with_groups(found)
        return await self._in_roster(found)

    async def room(self, ref: str) -> Room | None:
        """A room that Rolecall has been in."""
        known = await self._store.somewhere(ref)
        return known.place if known else None

    async def members(self, room: Room) -> Sequence[Principal] | None:
        """Everybody in a chat or channel, with their groups if there are not too many; None if it cannot be read."""
        known = await self._store.somewhere(room.ref)
        if known is None:
            return None
        accounts = await self._roster(known.service, room.id)
        if accounts is None:
            return None
        people = [_member(account, known.tenant, self._tenant) for account in accounts]
        if self._graph is None or len(people) > MAX_READERS:
            return people
        return await asyncio.gather(*(self._filled(one) for one in people))

    async def _filled(self, person: Principal) -> Principal:
        """A reader with their groups; one whom Graph does not know is none of ours."""
        if person.kind != "member":
            return person
        found = await self._with_groups(person)
        return found or replace(person, kind="external")

    async def _with_groups(self, person: Principal) -> Principal | None:
        assert self._graph is not None  # noqa: S101 - the callers have looked
        async with self._asking:
            user = await self._graph.user(person.id)
            if user is None:
                return None
            kind: PrincipalKind = "guest" if str(user.get("userType", "Member")).lower() == "guest" else "member"
            active = user.get("accountEnabled") is not False
            groups = await self._graph.groups(person.id) if kind == "member" and active else frozenset()
        return replace(person, kind=kind, active=active, groups=frozenset(f"entra-group:{one}" for one in groups))

    async def _in_roster(self, person: Principal) -> Principal | None:
        """Without Graph: as the roster of the place where they were last seen says it."""
        contact = await self._store.contact(person.ref)
        if contact is None:
            return None
        where = contact.chat or contact.seen
        path = f"conversations/{quote(where, safe='')}/members/{quote(contact.user, safe='')}"
        try:
            account = await self._wire.call("GET", contact.service, path)
        except Refused as error:
            if error.status == 404:
                return None
            raise DoorUnavailable(f"Teams does not say who {person.ref} is: {error}") from error
        found = _member(account, contact.tenant, self._tenant)
        return found if found.ref == person.ref else None

    async def _roster(self, service: str, room: str) -> list[Mapping[str, Any]] | None:
        found: list[Mapping[str, Any]] = []
        more = ""
        for _ in range(PAGES):
            token = f"&continuationToken={quote(more, safe='')}" if more else ""
            path = f"conversations/{quote(room, safe='')}/pagedmembers?pageSize={PAGE}{token}"
            try:
                page = await self._wire.call("GET", service, path)
            except Refused:
                return None
            found += [one for one in page.get("members") or () if isinstance(one, dict)]
            more = str(page.get("continuationToken") or "")
            if not more:
                return found
        return None


def _member(account: Mapping[str, Any], tenant: str, ours: str) -> Principal:
    """One of a roster. Whoever cannot be placed is of another organisation: then the room hears nothing."""
    found = principal(tenant, account)
    if found is None:
        return Principal(NAME, tenant, str(account.get("id", "")), "external")
    if found.kind == "bot":
        return found
    if found.tenant != ours:
        return replace(found, kind="external")
    role = str(account.get("userRole") or "user").lower()
    guest = role not in ("user", "owner") or "#ext#" in str(account.get("userPrincipalName") or "").lower()
    return replace(found, kind="guest" if guest else "member")
