"""What Slack tells, translated: messages, edits, deletions, the stop button, and news about people and rooms.

Nothing here asks Slack before a message is committed, but who its sender is, and that for a moment only. The door's way
in (way.py) acknowledges an event when `take` returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.access.addressing import asks
from bot.ports import Verdict
from bot.types import Attachment, Message, Principal, Room, RoomKind
from connectors.chat.slack import NAME
from connectors.chat.slack.lobby import SlackLobby
from connectors.chat.slack.text import mentions, readable, without
from connectors.chat.slack.workspaces import tenant_of

PATIENCE = 1.0
"""Seconds that looking up a sender may take before a message is committed; Slack waits three for the acknowledgement."""
_KINDS: dict[str, RoomKind] = {"im": "direct", "mpim": "private", "group": "private", "channel": "public"}
_ASKING = (None, "", "file_share", "thread_broadcast", "me_message")
_ROOM_NEWS = frozenset(
    "member_joined_channel member_left_channel channel_shared channel_unshared channel_archive channel_unarchive "
    "channel_deleted group_deleted group_archive channel_left group_left shared_channel_invite_accepted "
    "channel_convert_to_private channel_convert_to_public".split()
)
_PERSON_NEWS = frozenset("user_change user_profile_changed user_status_changed team_join".split())
_GROUP_NEWS = frozenset(
    "subteam_created subteam_updated subteam_members_changed subteam_self_added subteam_self_removed".split()
)


class SlackEvents:
    """Takes events in."""

    def __init__(self, lobby: SlackLobby):
        self._lobby = lobby

    async def take(self, body: Mapping[str, Any]) -> None:
        """One event. Whatever it raises means that nothing was stored: Slack must send it again."""
        event = body.get("event") or {}
        kind = str(event.get("type") or "")
        if kind in ("message", "app_mention"):
            await self._said(body, event)
        elif kind == "agent_session_stopped":
            await self._stopped(body, event)
        elif kind == "app_home_opened":
            self._lobby.home_opened(tenant_of(body), event)
        elif kind in ("app_uninstalled", "tokens_revoked"):
            await self._lobby.uninstalled(tenant_of(body), event)
        else:
            self._news(tenant_of(body), kind, event)

    async def _said(self, body: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        subtype = event.get("subtype")
        if subtype == "message_changed":
            await self._edited(body, event)
        elif subtype == "message_deleted":
            await self._deleted(body, event, event.get("deleted_ts"))
        elif subtype in _ASKING and _by_a_person(event, _bot_user(body)):
            await self._asked(body, event, event)

    async def _asked(
        self, body: Mapping[str, Any], event: Mapping[str, Any], message: Mapping[str, Any]
    ) -> Verdict | None:
        """Commit a message if it asks for anything."""
        asked = await self._message(body, event, message)
        bot = _bot_user(body)
        mentioned = event.get("type") == "app_mention" or mentions(str(message.get("text") or ""), bot)
        policy = self._lobby.policy()
        follows = bool(message.get("thread_ts")) and asks(policy, asked.room, mentioned=False, joined=True)
        joined = not mentioned and follows and await self._lobby.inbox.joined(asked.conversation)
        if not asks(policy, asked.room, mentioned=mentioned, joined=joined):
            return None
        if asked.sender.kind == "bot" or not (asked.text or asked.files):
            return None
        key = event_key(str(body.get("event_id") or f"{asked.room.id}-{asked.id}"), asked.sender)
        verdict = await self._lobby.receiver.receive(key, asked)
        if verdict == "accepted":
            self._lobby.session_begun(asked)
        return verdict

    async def _edited(self, body: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        """A message reads differently now; if it mentions Rolecall only now, it is a new question."""
        now, before = event.get("message") or {}, event.get("previous_message") or {}
        if now.get("subtype") == "tombstone":
            await self._deleted(body, event, now.get("ts"))
            return
        if (
            now.get("subtype") not in _ASKING
            or not _by_a_person(now, _bot_user(body))
            or now.get("text") == before.get("text")
        ):
            return
        amended = await self._message(body, event, now)
        if not await self._lobby.receiver.amend(amended) and not mentions(str(before.get("text")), _bot_user(body)):
            await self._asked(body, event, now)

    async def _deleted(self, body: Mapping[str, Any], event: Mapping[str, Any], ts: object) -> None:
        await self._lobby.receiver.delete(_room(body, event), str(ts))

    async def _stopped(self, body: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        """The stop button. Slack does not change the session's state by itself."""
        channel, thread = str(event.get("channel") or ""), str(event.get("thread_ts") or "")
        tenant = tenant_of(body)
        room = Room(NAME, tenant, channel, "direct")
        person = Principal(NAME, str(event.get("user_team") or tenant), str(event.get("user") or ""))
        await self._lobby.receiver.stop(f"{room.ref}#{thread}", person)
        self._lobby.session_ended(tenant, channel, thread)

    async def _message(self, body: Mapping[str, Any], event: Mapping[str, Any], message: Mapping[str, Any]) -> Message:
        room, ts = _room(body, event), str(message.get("ts"))
        text = readable(without(str(message.get("text") or ""), _bot_user(body)))
        sender = await self._lobby.person(_sender(body, event, message), PATIENCE)
        files = tuple(_file(room.tenant, one) for one in message.get("files") or ())
        return Message(ts, sender, room, text, str(message.get("thread_ts") or ts), files)

    def _news(self, tenant: str, kind: str, event: Mapping[str, Any]) -> None:
        """Somebody or some room changed: what is remembered of them is dropped before anybody asks again."""
        if kind in _PERSON_NEWS:
            user = event.get("user")
            self._lobby.changed(tenant, person=str(user.get("id") if isinstance(user, dict) else user))
        elif kind in _ROOM_NEWS:
            channel = event.get("channel")
            self._lobby.changed(tenant, room=str(channel.get("id") if isinstance(channel, dict) else channel))
        elif kind in _GROUP_NEWS:
            self._lobby.changed(tenant)


def event_key(event: str, sender: Principal) -> str:
    """The key of an event, with whom it is from: a stream in a channel has to name the person that it is for."""
    return f"{NAME}:{event}@{sender.tenant}/{sender.id}"


def _by_a_person(message: Mapping[str, Any], ours: str) -> bool:
    """Whether a person said it: nothing that a bot says is a question, least of all what Rolecall says itself."""
    user = message.get("user")
    return bool(user) and user != ours and not (message.get("bot_id") or message.get("bot_profile"))


def _bot_user(body: Mapping[str, Any]) -> str:
    """Our own user in the workspace that an event is for."""
    (first, *_) = body.get("authorizations") or [{}]
    return str(first.get("user_id") or "") if first.get("is_bot", True) else ""


def _room(body: Mapping[str, Any], event: Mapping[str, Any]) -> Room:
    """Where it was said. What an event does not say of a room, the audience finds out; it never gets wider by that."""
    channel = str(event.get("channel") or "")
    kind = _KINDS.get(str(event.get("channel_type") or ""), "direct" if channel.startswith("D") else "private")
    if body.get("is_ext_shared_channel"):
        kind = "external"
    return Room(NAME, tenant_of(body), channel, kind)


def _sender(body: Mapping[str, Any], event: Mapping[str, Any], message: Mapping[str, Any]) -> Principal:
    """Who said it, of which team. In a room shared with others a team that is not named is none of ours."""
    tenant, team = tenant_of(body), str(message.get("user_team") or message.get("source_team") or "")
    if not team and not body.get("is_ext_shared_channel"):
        team = str(message.get("team") or event.get("team") or body.get("team_id") or tenant)
    ours = team in (tenant, str(body.get("team_id") or "")) if not tenant.startswith("E") else bool(team)
    user = str(message.get("user"))
    if ours:
        return Principal(NAME, tenant, user)
    return Principal(NAME, team or "unknown", user, "external")


def _file(tenant: str, file: Mapping[str, Any]) -> Attachment:
    size = file.get("size")
    return Attachment(
        str(file.get("name") or file.get("title") or file.get("id")),
        ref=f"{NAME}:{tenant}/{file.get('id')}",
        size=size if isinstance(size, int) else 0,
    )
