"""Putting single activities into a conversation, changing them and taking them away."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import quote

from bot.errors import Undeliverable
from bot.types import Principal, Room
from connectors.chat.teams.endpoints import CHANNEL
from connectors.chat.teams.store import Contact, Reference, TeamsStore
from connectors.chat.teams.wire import Refused, Wire

GONE = frozenset({404, 410})


class Posting:
    """The Bot Connector's calls by conversation."""

    def __init__(self, wire: Wire, store: TeamsStore):
        self._wire = wire
        self._store = store

    async def send(self, to: Reference, activity: dict[str, Any]) -> str:
        """A new activity; returns its id. Raises Refused or DoorUnavailable."""
        answer = await self._wire.call("POST", to.service, _activities(to), _addressed(to, activity))
        return str(answer.get("id", ""))

    async def change(self, to: Reference, ident: str, activity: dict[str, Any]) -> None:
        """Put an activity in the place of one of ours. Raises Refused or DoorUnavailable.

        Teams makes two messages of a text and a card, so that only the text can take the place of one.
        """
        path = f"{_activities(to)}/{quote(ident, safe='')}"
        alone = {key: value for key, value in activity.items() if key != "attachments" or not activity.get("text")}
        await self._wire.call("PUT", to.service, path, _addressed(to, alone) | {"id": ident})

    async def take_away(self, to: Reference, ident: str) -> None:
        """Delete one of ours; no error if it is gone. Raises Refused or DoorUnavailable."""
        try:
            await self._wire.call("DELETE", to.service, f"{_activities(to)}/{quote(ident, safe='')}")
        except Refused as error:
            if error.status not in GONE:
                raise

    async def reach(self, room: Room, thread: str) -> Reference:
        """How to speak into a room, or a thread of it. Raises Undeliverable if we were never there."""
        conversation = f"{room.id};messageid={thread}" if thread else room.id
        known = await self._store.reference(conversation) or await self._store.somewhere(room.ref)
        if known is None:
            raise Undeliverable(f"{room.ref}: Rolecall has not been in this conversation, or was removed from it")
        return replace(known, conversation=conversation)

    async def chat(self, person: Principal) -> Reference | None:
        """The personal chat with somebody, opened if it is not; None if the app is not installed for them."""
        contact = await self._store.contact(person.ref)
        if contact is None:
            return None
        chat = contact.chat or await self._opened(contact)
        if not chat:
            return None
        reference = Reference(chat, contact.service, contact.tenant, contact.bot, chat, "direct", person.ref)
        await self._store.meet(person, replace(contact, chat=chat))
        await self._store.keep(reference)
        return reference

    async def _opened(self, contact: Contact) -> str:
        body = {
            "isGroup": False,
            "bot": {"id": contact.bot},
            "members": [{"id": contact.user}],
            "tenantId": contact.tenant,
            "channelData": {"tenant": {"id": contact.tenant}},
        }
        try:
            return str((await self._wire.call("POST", contact.service, "conversations", body)).get("id", ""))
        except Refused as error:
            if error.status in (400, 403, 404):
                return ""
            raise


def _activities(to: Reference) -> str:
    return f"conversations/{quote(to.conversation, safe='')}/activities"


def _addressed(to: Reference, activity: dict[str, Any]) -> dict[str, Any]:
    """The activity with where it goes and from whom, as the SDK would send it."""
    kind = "personal" if to.kind == "direct" else "channel" if to.team else "groupChat"
    return {
        "channelId": CHANNEL,
        "serviceUrl": to.service,
        "from": {"id": to.bot, "role": "bot"},
        "conversation": {"id": to.conversation, "tenantId": to.tenant, "conversationType": kind},
        **activity,
    }
