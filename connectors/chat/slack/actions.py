"""What people press and type beside messages: `/rolecall`, the entries in a message's menu, the thumbs under an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.errors import DoorUnavailable, Undeliverable
from bot.language import language
from bot.ports import Opinion, Threads
from bot.types import Excerpt, Message, Principal, Room
from connectors.chat.slack import NAME, home
from connectors.chat.slack.blocks import FEEDBACK
from connectors.chat.slack.events import PATIENCE, event_key
from connectors.chat.slack.lobby import SlackLobby
from connectors.chat.slack.phrases import Phrases, phrases
from connectors.chat.slack.text import readable
from connectors.chat.slack.workspaces import tenant_of

COMMAND = "/rolecall"
SUMMARIZE, TRANSLATE, EXPLAIN = "rolecall_summarize", "rolecall_translate", "rolecall_explain"
WHY = "rolecall_why"
READING = 1.5
"""Seconds that a thread may take to be read before a shortcut is acknowledged; without it only the message is used."""
_REASON_LIMIT = 2_000

Body = Mapping[str, Any]


class SlackActions:
    """Answers each within Slack's three seconds; a question is committed before it is acknowledged."""

    def __init__(self, lobby: SlackLobby, threads: Threads, clock: Callable[[], float]):
        self._lobby = lobby
        self._threads = threads
        self._clock = clock

    def register(self, app: AsyncApp) -> None:
        """Tell Bolt who answers what."""
        app.command(COMMAND)(self.command)
        for name in (SUMMARIZE, TRANSLATE, EXPLAIN):
            app.shortcut(name)(self.shortcut)
        app.action(FEEDBACK)(self.feedback)
        app.view(WHY)(self.why)

    async def command(self, ack: AsyncAck, body: Body) -> None:
        """`/rolecall TEXT` asks in private; `help` and `whoami` are answered at once."""
        text, tenant, user = str(body.get("text") or "").strip(), tenant_of(body), str(body.get("user_id"))
        if text.casefold() in ("", "help", "whoami"):
            found, asked = await self._lobby.profile(tenant, user)
            said = home.whoami(found, asked) if text.casefold() == "whoami" else home.help_text(found, asked)
            await ack(text=said, response_type="ephemeral")
            return
        say = phrases(language(text))
        taken = await self._ask(tenant, user, f"command-{body.get('trigger_id')}", readable(text))
        await ack(text=say.on_it if taken else say.not_taken, response_type="ephemeral")

    async def shortcut(self, ack: AsyncAck, body: Body) -> None:
        """An entry in a message's menu: answered to who chose it, alone."""
        message, tenant, user = body.get("message") or {}, tenant_of(body), str((body.get("user") or {}).get("id"))
        say, kind = phrases(language(str(message.get("text") or ""))), str(body.get("callback_id"))
        chosen = {SUMMARIZE: say.summarize, TRANSLATE: say.translate, EXPLAIN: say.explain}[kind]
        tool = {SUMMARIZE: "summarize", TRANSLATE: "translate"}.get(kind, "")
        thread = await self._thread(body, message, tenant) if kind == SUMMARIZE else ()
        excerpts = thread or (_excerpt(message),)
        await self._ask(tenant, user, f"shortcut-{body.get('trigger_id')}", chosen, excerpts, tool)
        await ack()

    async def feedback(self, ack: AsyncAck, body: Body) -> None:
        """A thumb. One that points down asks why."""
        (action, *_) = body.get("actions") or [{}]
        verdict, _, answer = str(action.get("value") or "").partition(":")
        kept = bool(answer) and await self._opine(body, answer, verdict == "good", "")
        await ack()
        if kept and verdict != "good":
            view = _why(answer, phrases(language(_shown_text(body))))
            self._lobby.errand(self._open(tenant_of(body), str(body.get("trigger_id")), view))

    async def why(self, ack: AsyncAck, body: Body) -> None:
        """What was wrong with an answer."""
        view = body.get("view") or {}
        values = (view.get("state") or {}).get("values") or {}
        reason = str(((values.get(WHY) or {}).get(WHY) or {}).get("value") or "")
        await self._opine(body, str(view.get("private_metadata")), False, reason[:_REASON_LIMIT])
        await ack()

    async def _ask(
        self,
        tenant: str,
        user: str,
        name: str,
        text: str,
        excerpts: tuple[Excerpt, ...] = (),
        tool: str = "",
    ) -> bool:
        """Commit a question that is answered in the direct conversation; False if it is over a quota.

        The room is named by the person: which conversation that is, the door finds out when it answers.
        """
        sender = await self._lobby.person(Principal(NAME, tenant, user), PATIENCE)
        room = Room(NAME, tenant, user, "direct")
        message = Message(name, sender, room, text, excerpts=excerpts, tool=tool)
        return await self._lobby.receiver.receive(event_key(name, sender), message) in ("accepted", "duplicate")

    async def _thread(self, body: Body, message: Body, tenant: str) -> tuple[Excerpt, ...]:
        """The messages of the very thread that the entry was chosen in."""
        channel = str((body.get("channel") or {}).get("id"))
        room = Room(NAME, tenant, channel, "direct" if channel.startswith("D") else "private")
        thread = str(message.get("thread_ts") or message.get("ts"))
        try:
            async with asyncio.timeout(READING):
                return tuple(await self._threads.excerpts(room, thread) or ())
        except (TimeoutError, DoorUnavailable, Undeliverable):
            return ()

    async def _opine(self, body: Body, answer: str, good: bool, reason: str) -> bool:
        """Keep an opinion, if it is of somebody for whom anything is open here; whether it was kept."""
        user = body.get("user") or {}
        seen = Principal(NAME, str(user.get("team_id") or tenant_of(body)), str(user.get("id")))
        person = await self._lobby.holder(seen, PATIENCE)
        if person is None:
            return False
        await self._lobby.journal.opine(Opinion(answer, person.ref, good, self._clock(), reason))
        return True

    async def _open(self, tenant: str, trigger: str, view: Body) -> None:
        await self._lobby.call(tenant, "views.open", trigger_id=trigger, view=view)


def _excerpt(message: Body) -> Excerpt:
    return Excerpt(str(message.get("user") or message.get("username") or "?"), readable(str(message.get("text") or "")))


def _shown_text(body: Body) -> str:
    return str((body.get("message") or {}).get("text") or "")


def _why(answer: str, say: Phrases) -> Body:
    """The form that asks what was wrong."""

    def plain(text: str) -> dict[str, str]:
        return {"type": "plain_text", "text": text}

    field = {
        "type": "plain_text_input",
        "action_id": WHY,
        "multiline": True,
        "max_length": _REASON_LIMIT,
        "placeholder": plain(say.why_hint),
    }
    return {
        "type": "modal",
        "callback_id": WHY,
        "private_metadata": answer,
        "title": plain("Rolecall"),
        "submit": plain(say.send),
        "close": plain(say.cancel),
        "blocks": [{"type": "input", "block_id": WHY, "optional": True, "label": plain(say.why), "element": field}],
    }
