"""What comes in from Teams, by kind: questions, edits, deletions, people who come and go, being installed.

A turn only commits what it hears and returns; the answering goes on elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from botbuilder.core import TurnContext
from botbuilder.core.teams import TeamsActivityHandler
from botbuilder.schema import InvokeResponse

from bot.access.addressing import asks
from bot.access.policy import Policy
from bot.access.rosters import CachedDirectory
from bot.background import broken_off
from bot.delivery.receiving import Receiver
from bot.errors import DoorUnavailable, Undeliverable
from bot.ports import Inbox
from bot.types import Message, Principal
from connectors.chat.teams.adapter import RAW
from connectors.chat.teams.store import TeamsStore
from connectors.chat.teams.translation import NAME, Heard, heard, mentioned, principal, question

UNDELETED = "~undeleted"
"""What stands behind the id of a question that was deleted and brought back: it is asked anew."""
WHO = 3.0
"""Seconds for which a request waits to hear who asks."""
_LOG = logging.getLogger("rolecall.teams")

Answer = Callable[[Heard], Awaitable[tuple[int, dict[str, Any] | None]]]


class Background:
    """Tasks that outlive the request that began them, and end with the door."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Go on with something after the request."""
        task = asyncio.create_task(self._kept(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _kept(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except (DoorUnavailable, Undeliverable) as error:
            _LOG.warning("not shown in Teams: %s", error)

    async def close(self) -> None:
        """End them."""
        await broken_off(self._tasks)


@dataclass(frozen=True, slots=True)
class House:
    """What the way in needs of the house. `welcome` greets a conversation; `invoked` answers an invoke."""

    receiver: Receiver
    directory: CachedDirectory
    policy: Callable[[], Policy]
    inbox: Inbox
    welcome: Callable[[Heard, Principal | None], Awaitable[None]]
    invoked: Answer


class TeamsEvents(TeamsActivityHandler):  # type: ignore[misc]
    """The SDK's handler, each of its hooks ours. `bot` is the app's id."""

    def __init__(self, house: House, store: TeamsStore, background: Background):
        super().__init__()
        self._house = house
        self._store = store
        self._background = background

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        """A question, if it is meant for us."""
        one, message = await self._question(turn_context)
        if message is not None and await self._meant(one, message):
            await self._house.receiver.receive(one.event, message)

    async def on_teams_message_edit(self, turn_context: TurnContext) -> None:
        """A question was changed; what only now mentions us is a question from now on."""
        one, message = await self._question(turn_context)
        if message is None:
            return
        again = question(one, message.sender, name=message.id + UNDELETED)
        if await self._house.receiver.amend(message) or await self._house.receiver.amend(again):
            return
        if await self._meant(one, message):
            await self._house.receiver.receive(one.event, message)

    async def on_teams_message_soft_delete(self, turn_context: TurnContext) -> None:
        """A question was deleted: its answer goes too."""
        one = _heard(turn_context)
        name = str(one.activity.get("id", ""))
        for ident in (name, name + UNDELETED):
            await self._house.receiver.delete(one.room, ident)

    async def on_teams_message_undelete(self, turn_context: TurnContext) -> None:
        """A deleted question was brought back: it is asked anew, for the old answer is forgotten."""
        one, message = await self._question(turn_context)
        if message is not None and await self._meant(one, message):
            again = question(one, message.sender, name=message.id + UNDELETED)
            await self._house.receiver.receive(one.event + UNDELETED, again)

    async def on_conversation_update_activity(self, turn_context: TurnContext) -> None:
        """People come and go, channels and teams change: what is remembered of them is dropped at once."""
        one = _heard(turn_context)
        added, removed = _accounts(one, "membersAdded"), _accounts(one, "membersRemoved")
        for room in {one.room.ref, *(await self._store.rooms_of(one.reference.team) if one.reference.team else ())}:
            self._house.directory.forget(room=room)
        for account in (*added, *removed):
            person = principal(one.reference.tenant, account)
            if person is not None and person.kind != "bot":
                self._house.directory.forget(person=person.ref)
        if _ours(one, removed):
            await self._removed(one)
        elif _ours(one, added):
            await self._added(one)

    async def on_installation_update_add(self, turn_context: TurnContext) -> None:
        """Rolecall was installed for somebody, or in a chat or team."""
        await self._added(_heard(turn_context))

    async def on_installation_update_remove(self, turn_context: TurnContext) -> None:
        """Rolecall was removed."""
        await self._removed(_heard(turn_context))

    async def on_invoke_activity(self, turn_context: TurnContext) -> InvokeResponse:
        """A button, a form or a thumb: answered inside the request."""
        one = _heard(turn_context)
        elsewhere = str(one.activity.get("name")).startswith("composeExtension/")  # perhaps where we are not a member
        if not elsewhere or one.sender is None or await self._store.contact(one.sender.ref) is None:
            await self._noticed(one)
        status, body = await self._house.invoked(one)
        return InvokeResponse(status=status, body=body)

    async def _question(self, turn_context: TurnContext) -> tuple[Heard, Message | None]:
        """The activity as a request; none if a bot wrote it, or Teams does not say who did."""
        one = _heard(turn_context)
        if one.sender is None or one.sender.kind == "bot":
            return one, None
        await self._noticed(one)
        return one, question(one, await self._known(one.sender))

    async def _known(self, sender: Principal) -> Principal:
        """The sender with their groups, by which quotas go; without, if that takes too long. What they may see is asked later."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WHO):
                known = await self._house.directory.person(sender.ref)
                return known if known is not None and known.ref == sender.ref else sender
        return sender

    async def _meant(self, one: Heard, message: Message) -> bool:
        joined = await self._house.inbox.joined(message.conversation)
        return asks(self._house.policy(), one.room, mentioned=mentioned(one.activity), joined=joined)

    async def _noticed(self, one: Heard) -> None:
        """Remember how to reach the conversation and the person."""
        await self._store.keep(one.reference)
        if one.sender is not None and one.sender.kind != "bot":
            await self._store.meet(one.sender, one.contact)

    async def _added(self, one: Heard) -> None:
        await self._noticed(one)
        key = f"{NAME}:welcome:{one.room.ref}"
        if await self._store.first(key, f"{one.room.id}|welcome"):
            self._background.start(self._greeted(one))

    async def _greeted(self, one: Heard) -> None:
        person = await self._house.directory.person(one.sender.ref) if one.sender else None
        await self._house.welcome(one, person)

    async def _removed(self, one: Heard) -> None:
        self._house.directory.forget(room=one.room.ref)
        await self._store.unnote(f"{one.room.id}|welcome")
        await self._store.drop(one.room.ref)
        if one.room.kind == "direct" and one.sender is not None:
            await self._store.part(one.sender.ref)


def _heard(turn_context: TurnContext) -> Heard:
    return heard(turn_context.turn_state[RAW])


def _accounts(one: Heard, key: str) -> list[dict[str, Any]]:
    found = one.activity.get(key)
    return [account for account in found if isinstance(account, dict)] if isinstance(found, list) else []


def _ours(one: Heard, accounts: list[dict[str, Any]]) -> bool:
    return any(account.get("id") == one.reference.bot for account in accounts)
