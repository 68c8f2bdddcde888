"""What a Teams activity says: who, where and what, from ids that Microsoft proved; names are never asked.

It takes the raw JSON, because the SDK's model drops keys that it does not know, such as the tenant.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.access.references import TENANTS
from bot.types import Attachment, Excerpt, Message, Principal, Room, RoomKind
from connectors.chat.teams.store import Contact, Reference

NAME = "teams"
DOWNLOAD = "application/vnd.microsoft.teams.file.download.info"
PICTURE = "picture"
"""What stands in the place of an address for a picture that was pasted into a message: it cannot be fetched."""
EMPTY = "What can you do?"
"""A mention of nothing but our name."""
_GUID = TENANTS["teams"]
_AT = re.compile(r"<at\b[^<>]*>(.{0,300}?)</at>", re.I | re.S)
_SPACES = re.compile(r"[ \t\u00a0]+")


class NotUnderstood(ValueError):
    """The activity lacks something that Teams always sends."""


@dataclass(frozen=True, slots=True)
class Heard:
    """An activity's circumstances. `sender` is None if Teams does not say who it was."""

    activity: dict[str, Any]
    sender: Principal | None
    room: Room
    thread: str
    reference: Reference
    user: str

    @property
    def event(self) -> str:
        """The key under which it is taken in once."""
        return f"{NAME}:{self.activity['channelId']}/{self.reference.conversation}/{self.activity.get('id', '')}"

    @property
    def contact(self) -> Contact:
        """How its sender is reached from now on."""
        one = self.reference
        chat = one.conversation if self.room.kind == "direct" else ""
        return Contact(self.user, one.service, one.tenant, one.bot, one.room, chat)


def heard(activity: dict[str, Any]) -> Heard:
    """Who and where. Raises NotUnderstood, naming the key."""
    conversation, sender, bot = (_mapping(activity, key) for key in ("conversation", "from", "recipient"))
    data = activity.get("channelData") if isinstance(activity.get("channelData"), dict) else {}
    full = _text(conversation, "conversation", "id")
    tenant = _tenant(data or {}, conversation)
    room, thread = _room(full, tenant, conversation, data or {})
    person = principal(tenant, sender)
    reference = Reference(
        conversation=full,
        service=_text(activity, "", "serviceUrl"),
        tenant=tenant,
        bot=str(bot.get("id", "")),
        room=room.id,
        kind=room.kind,
        person=person.ref if person and room.kind == "direct" else "",
        team=str(_inner(data or {}, "team").get("id", "")),
    )
    return Heard(activity, person, room, thread, reference, str(sender.get("id", "")))


def principal(tenant: str, account: Mapping[str, Any]) -> Principal | None:
    """Somebody as Teams names them: only the tenant and the Entra object id count. None without these."""
    own = str(account.get("tenantId") or tenant).lower()
    found = str(account.get("aadObjectId") or account.get("objectId") or "").lower()
    if account.get("role") == "bot" or str(account.get("id", "")).startswith("28:"):
        return Principal(NAME, own, str(account.get("id", "")), "bot")
    if not _GUID.fullmatch(own) or not _GUID.fullmatch(found):
        return None
    return Principal(NAME, own, found)


def mentioned(activity: Mapping[str, Any]) -> bool:
    """Whether Rolecall itself is mentioned."""
    return bool(_mentions(activity, own=True))


def question(one: Heard, sender: Principal, *, name: str = "") -> Message:
    """The activity as a request. `name` is its id, if not its own."""
    activity = one.activity
    text = said(activity)
    return Message(
        name or _text(activity, "", "id"),
        sender,
        one.room,
        text or ("" if files(activity) else EMPTY),
        one.thread,
        files(activity),
    )


def said(activity: Mapping[str, Any]) -> str:
    """The text as a person reads it, without the mention of us; others who are mentioned stay, by name."""
    text = str(activity.get("text") or "")
    for mention in _mentions(activity, own=True):
        text = text.replace(mention, " ", 1)
    text = _AT.sub(lambda found: found[1], text)
    return "\n".join(_SPACES.sub(" ", line).strip() for line in html.unescape(text).splitlines()).strip()


def files(activity: Mapping[str, Any]) -> tuple[Attachment, ...]:
    """The files that came with a message, not fetched yet."""
    found = []
    for one in _list(activity.get("attachments")):
        kind, name = str(one.get("contentType", "")), str(one.get("name") or "")
        if kind == DOWNLOAD:
            content = _inner(one, "content")
            found.append(Attachment(name or "file", ref=f"{NAME}:{content.get('downloadUrl', '')}"))
        elif kind.startswith("image/"):
            found.append(Attachment(name or "picture", ref=f"{NAME}:{PICTURE}"))
    return tuple(found)


def payload(value: Mapping[str, Any]) -> Excerpt:
    """The message that a message extension was opened on, as plain text."""
    message = _inner(value, "messagePayload")
    body = _inner(message, "body")
    text = str(body.get("content") or "")
    if body.get("contentType") == "html":
        text = html.unescape(re.sub(r"<[^>]+>", "", re.sub(r"(?i)<br\s*/?>|</p>|</div>|</li>", "\n", text)))
    author = _inner(_inner(message, "from"), "user").get("displayName")
    return Excerpt(str(author or ""), text.strip())


def _room(full: str, tenant: str, conversation: Mapping[str, Any], data: Mapping[str, Any]) -> tuple[Room, str]:
    """The room and the thread. A shared channel may have readers whom no roster names, so it is a foreign one."""
    ident, _, thread = full.partition(";messageid=")
    kinds: dict[str, RoomKind] = {"personal": "direct", "groupChat": "private", "channel": "private"}
    stated = str(conversation.get("conversationType") or "")
    kind = kinds.get(stated)
    if kind is None:
        kind = "private" if conversation.get("isGroup") or ident.startswith("19:") else "direct"
    if _inner(data, "channel").get("type") == "shared" or _inner(data, "team").get("type") == "sharedChannel":
        kind = "external"
    return Room(NAME, tenant, ident, kind), thread


def _tenant(data: Mapping[str, Any], conversation: Mapping[str, Any]) -> str:
    found = _inner(data, "tenant").get("id") or conversation.get("tenantId") or ""
    return str(found).lower()


def _mentions(activity: Mapping[str, Any], own: bool) -> list[str]:
    bot = activity.get("recipient")
    ident = bot.get("id") if isinstance(bot, dict) else None
    return [
        str(one.get("text") or "")
        for one in _list(activity.get("entities"))
        if one.get("type") == "mention" and ident and (_inner(one, "mentioned").get("id") == ident) is own
    ]


def _list(found: object) -> Sequence[dict[str, Any]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _inner(found: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    inner = found.get(key)
    return inner if isinstance(inner, dict) else {}


def _mapping(activity: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = activity.get(key)
    if not isinstance(found, dict):
        raise NotUnderstood(f"{key}: is missing")
    return found


def _text(found: Mapping[str, Any], where: str, key: str) -> str:
    value = found.get(key)
    if not isinstance(value, str) or not value:
        raise NotUnderstood(f"{where + '.' if where else ''}{key}: is missing")
    return value
