"""Who people are and who is in a channel, as Slack says it: kinds, user groups by id, rosters. Never by name or e-mail."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.access.audience import MAX_READERS
from bot.errors import DoorUnavailable, Undeliverable
from bot.types import Principal, PrincipalKind, Room, RoomKind
from connectors.chat.slack import NAME
from connectors.chat.slack.calls import Calls, Refused
from connectors.chat.slack.workspaces import Workspace, Workspaces

GROUPS_TTL = 4.0
"""Seconds for which the members of user groups are not asked for again: so many people may be looked up at once."""
GUESTS_TTL = 600.0
"""Seconds for which a workspace's guests are not listed again; an event about a person does it at once."""
AT_ONCE = 8
_PAGES = 30
_UNKNOWN = frozenset("user_not_found user_not_visible users_not_found missing_scope".split())
SLACKBOT = "USLACKBOT"

_LOG = logging.getLogger("rolecall.slack")


class SlackDirectory:
    """Implements the Directory port, uncached but for what many people share. Raises DoorUnavailable when Slack is away."""

    def __init__(self, workspaces: Workspaces, calls: Calls, clock: Callable[[], float] = time.monotonic):
        self._workspaces = workspaces
        self._calls = calls
        self._clock = clock
        self._groups: dict[str, tuple[float, asyncio.Future[dict[str, frozenset[str]]]]] = {}
        self._outsiders: dict[str, tuple[float, dict[str, PrincipalKind]]] = {}

    async def person(self, ref: str) -> Principal | None:
        """The person behind ``slack-user:T0HOME/U0FIONA``; None if Slack knows nobody of that id."""
        kind, _, rest = ref.partition(":")
        tenant, _, user = rest.partition("/")
        if kind != f"{NAME}-user" or not user:
            return None
        workspace = await self._workspaces.of(tenant)
        return await self._person(workspace, user) if workspace else None

    async def room(self, ref: str) -> Room | None:
        """The channel behind ``slack:T0HOME/C0FIN``; None if it cannot be looked at."""
        kind, _, rest = ref.partition(":")
        tenant, _, channel = rest.partition("/")
        workspace = await self._workspaces.of(tenant) if kind == NAME and channel else None
        if workspace is None:
            return None
        if channel[:1] in "UW":
            return Room(NAME, tenant, channel, "direct")
        try:
            told = await self._calls(workspace, "conversations.info", channel=channel)
        except (Refused, Undeliverable) as problem:
            _pass_on_if_busy(problem)
            return None
        return Room(NAME, tenant, channel, kind_of(told.get("channel") or {}))

    async def members(self, room: Room) -> Sequence[Principal] | None:
        """Everybody in a channel; None if the roster cannot be read.

        In a channel with more than 200 people only the guests and outsiders are told apart, by the workspace's own list.
        """
        workspace = await self._workspaces.of(room.tenant)
        if workspace is None:
            return None
        try:
            ids = await self._ids(workspace, room.id)
            if len(ids) > MAX_READERS:
                outsiders = await self._outsiders_of(workspace)
                return [Principal(NAME, room.tenant, one, outsiders.get(one, "member")) for one in ids]
            return await self._people(workspace, ids)
        except (Refused, Undeliverable) as problem:
            _pass_on_if_busy(problem)
            return None

    def forget(self, tenant: str) -> None:
        """Somebody changed: groups and guests of a workspace are asked for again."""
        self._groups.pop(tenant, None)
        self._outsiders.pop(tenant, None)

    async def _people(self, workspace: Workspace, ids: Sequence[str]) -> Sequence[Principal]:
        few = asyncio.Semaphore(AT_ONCE)

        async def one(user: str) -> Principal:
            async with few:
                found = await self._person(workspace, user)
            return found or Principal(NAME, workspace.tenant, user, "external", active=False)

        return await asyncio.gather(*(one(user) for user in ids))

    async def _person(self, workspace: Workspace, user: str) -> Principal | None:
        try:
            told = await self._calls(workspace, "users.info", user=user)
        except (Refused, Undeliverable) as problem:
            _pass_on_if_busy(problem)
            if isinstance(problem, Refused) and problem.error not in _UNKNOWN:
                raise
            return None
        info = told.get("user") or {}
        kind = person_kind(info, workspace.tenant)
        groups = await self._groups_of(workspace, user) if kind == "member" else frozenset[str]()
        tenant = workspace.tenant if kind != "external" else str(info.get("team_id") or "unknown")
        return Principal(NAME, tenant, user, kind, groups, active=not info.get("deleted"))

    async def _groups_of(self, workspace: Workspace, user: str) -> frozenset[str]:
        asked, known = self._groups.get(workspace.tenant, (0.0, None))
        if known is None or self._clock() - asked >= GROUPS_TTL or (known.done() and known.exception() is not None):
            known = asyncio.ensure_future(self._groups_now(workspace))
            self._groups[workspace.tenant] = (self._clock(), known)
        return (await asyncio.shield(known)).get(user, frozenset())

    async def _groups_now(self, workspace: Workspace) -> dict[str, frozenset[str]]:
        """The user groups of everybody; nobody's if Rolecall may not read them."""
        try:
            told = await self._calls(workspace, "usergroups.list", include_users=True)
        except Refused as refusal:
            _pass_on_if_busy(refusal)
            _LOG.warning("nobody is in a user group: %s", refusal)
            return {}
        groups: dict[str, set[str]] = {}
        for group in told.get("usergroups") or []:
            if not group.get("date_delete"):
                for user in group.get("users") or []:
                    groups.setdefault(str(user), set()).add(f"{NAME}-group:{group['id']}")
        return {user: frozenset(held) for user, held in groups.items()}

    async def _ids(self, workspace: Workspace, channel: str) -> list[str]:
        ids: list[str] = []
        async for page in self._pages(workspace, "conversations.members", channel=channel, limit=1000):
            ids += [str(one) for one in page.get("members") or []]
        return ids

    async def _outsiders_of(self, workspace: Workspace) -> Mapping[str, PrincipalKind]:
        asked, known = self._outsiders.get(workspace.tenant, (0.0, None))
        if known is not None and self._clock() - asked < GUESTS_TTL:
            return known
        found: dict[str, PrincipalKind] = {}
        asked = self._clock()
        async for page in self._pages(workspace, "users.list", limit=1000):
            kinds = {str(one["id"]): person_kind(one, workspace.tenant) for one in page.get("members") or []}
            found |= {user: kind for user, kind in kinds.items() if kind != "member"}
        self._outsiders[workspace.tenant] = (asked, found)
        return found

    async def _pages(self, workspace: Workspace, method: str, **arguments: Any) -> Any:
        cursor = ""
        for _ in range(_PAGES):
            page = await self._calls(workspace, method, **arguments, **({"cursor": cursor} if cursor else {}))
            yield page
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return
        raise Refused(method, f"more than {_PAGES} pages")


def person_kind(info: Mapping[str, Any], tenant: str) -> PrincipalKind:
    """What somebody is, by their ``users.info``: of our team, or of our organisation where it is installed for all of it."""
    if info.get("is_bot") or info.get("id") == SLACKBOT or info.get("is_workflow_bot"):
        return "bot"
    homes = {info.get("team_id"), (info.get("enterprise_user") or {}).get("enterprise_id"), info.get("enterprise_id")}
    if info.get("is_stranger") or tenant not in homes:
        return "external"
    return "guest" if info.get("is_restricted") or info.get("is_ultra_restricted") else "member"


def kind_of(channel: Mapping[str, Any]) -> RoomKind:
    """What a channel is, by its ``conversations.info``; shared with others counts before all else."""
    if channel.get("is_ext_shared") or channel.get("is_pending_ext_shared"):
        return "external"
    if channel.get("is_im"):
        return "direct"
    if channel.get("is_private") or channel.get("is_mpim") or channel.get("is_group"):
        return "private"
    return "public"


def _pass_on_if_busy(problem: Exception) -> None:
    """A refusal for now says nothing about the person or the room."""
    if isinstance(problem, DoorUnavailable) and problem.retry_after:
        raise problem
