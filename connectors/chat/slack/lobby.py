"""What Slack's way in needs of the middle, and the small things it does on the side while nobody waits for them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import replace
from typing import Any

from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore

from bot.access.policy import Policy
from bot.access.rosters import CachedDirectory
from bot.assistant.about import Profile, profile
from bot.assistant.words import words
from bot.background import broken_off
from bot.delivery.receiving import Receiver
from bot.errors import DoorUnavailable, Undeliverable
from bot.language import language
from bot.ports import Inbox, Journal
from bot.types import Message, Principal
from connectors.chat.slack import NAME, home
from connectors.chat.slack.calls import Calls
from connectors.chat.slack.directory import SlackDirectory
from connectors.chat.slack.workspaces import InstalledWorkspaces, Workspaces

RECENT = 5
"""Questions of one's own that the home page shows."""
TITLE = 200

_LOG = logging.getLogger("rolecall.slack")


class SlackLobby:
    """One platform's view of the middle; `store` is there if workspaces are installed by OAuth."""

    def __init__(
        self,
        receiver: Receiver,
        inbox: Inbox,
        journal: Journal,
        policy: Callable[[], Policy],
        cached: CachedDirectory,
        directory: SlackDirectory,
        tools: Collection[str],
        workspaces: Workspaces,
        calls: Calls,
        store: AsyncInstallationStore | None = None,
    ):
        self.receiver = receiver
        self.inbox = inbox
        self.journal = journal
        self.policy = policy
        self._cached = cached
        self._directory = directory
        self._tools = tools
        self._workspaces = workspaces
        self._calls = calls
        self._store = store
        self._errands: set[asyncio.Task[None]] = set()

    async def person(self, seen: Principal, patience: float) -> Principal:
        """Somebody as Slack knows them, so that quotas are theirs; as they were seen if that takes too long.

        An outsider becomes no member by being looked up. What they may read is found out again when they are answered.
        """
        try:
            async with asyncio.timeout(patience):
                known = await self._cached.person(seen.ref)
        except TimeoutError:
            return seen
        if known is None or known.ref != seen.ref:
            return seen
        return known if seen.kind == "member" else replace(known, kind=seen.kind)

    async def holder(self, seen: Principal, patience: float) -> Principal | None:
        """Somebody for whom roles.yaml opens something; None for everybody else. Raises TimeoutError."""
        async with asyncio.timeout(patience):
            known = await self._cached.person(seen.ref)
        if known is None or known.ref != seen.ref or self.policy().grant(known).refusal:
            return None
        return known

    def changed(self, tenant: str, *, person: str = "", room: str = "") -> None:
        """Forget what is known of a person, of a room, or of everybody."""
        if not room:
            self._directory.forget(tenant)
        self._cached.forget(
            person=f"{NAME}-user:{tenant}/{person}" if person else "", room=f"{NAME}:{tenant}/{room}" if room else ""
        )

    async def uninstalled(self, tenant: str, event: Mapping[str, Any]) -> None:
        """A workspace has removed Rolecall, or revoked its token: its installation is deleted."""
        revoked = event.get("type") == "app_uninstalled" or (event.get("tokens") or {}).get("bot")
        if self._store is not None and revoked:
            wide = tenant.startswith("E")
            await self._store.async_delete_all(enterprise_id=tenant if wide else None, team_id=None if wide else tenant)
        if isinstance(self._workspaces, InstalledWorkspaces):
            self._workspaces.forget(tenant)

    async def profile(self, tenant: str, user: str) -> tuple[Profile, list[str]]:
        """What somebody may use and read, in the language of what they asked last, and what that was."""
        seen = Principal(NAME, tenant, user)
        known = await self._cached.person(seen.ref) or replace(seen, active=False)
        asked = await self.inbox.questions(known.ref, RECENT)
        return profile(self.policy(), known, self._tools, language(asked[0] if asked else "")), asked

    def home_opened(self, tenant: str, event: Mapping[str, Any]) -> None:
        """Show the home page, or what one could ask in the messages tab."""
        user, channel = str(event.get("user") or ""), str(event.get("channel") or "")
        if event.get("tab") == "home":
            self.errand(self._show_home(tenant, user))
        elif event.get("tab") == "messages" and channel:
            self.errand(self._suggest(tenant, user, channel))

    def session_begun(self, asked: Message) -> None:
        """Say at once that it was heard, however many wait before it.

        In a direct message, name the session after its first question, and offer the stop button.
        """
        self.errand(self._heard(asked))
        if asked.room.kind == "direct" and asked.room.id.startswith("D"):
            title = asked.text.split("\n")[0][:TITLE] if asked.thread == asked.id else ""
            self.errand(self._session(asked.room.tenant, asked.room.id, asked.thread, "processing", title))

    def session_ended(self, tenant: str, channel: str, thread: str) -> None:
        """The stop button goes."""
        self.errand(self._session(tenant, channel, thread, "active"))

    def errand(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that no acknowledgement waits for; what fails is logged."""

        async def quietly() -> None:
            try:
                await work
            except (DoorUnavailable, Undeliverable) as problem:
                _LOG.info("left undone: %s", problem)

        task = asyncio.create_task(quietly())
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def call(self, tenant: str, method: str, **arguments: Any) -> Mapping[str, Any]:
        """Call a method with the token of a tenant. Raises DoorUnavailable or Undeliverable."""
        workspace = await self._workspaces.of(tenant)
        if workspace is None:
            raise Undeliverable(f"Rolecall is not installed in {tenant}")
        return await self._calls(workspace, method, **arguments)

    async def close(self) -> None:
        """Give up what is still under way."""
        await broken_off(self._errands)

    async def _show_home(self, tenant: str, user: str) -> None:
        found, asked = await self.profile(tenant, user)
        await self.call(tenant, "views.publish", user_id=user, view=home.page(found, asked))

    async def _suggest(self, tenant: str, user: str, channel: str) -> None:
        found, asked = await self.profile(tenant, user)
        if prompts := home.prompts(found):
            title = home.prompts_title(asked)
            await self.call(
                tenant, "assistant.threads.setSuggestedPrompts", channel_id=channel, prompts=prompts, title=title
            )

    async def _heard(self, asked: Message) -> None:
        where = {"channel_id": asked.room.id, "thread_ts": asked.thread}
        status = words(language(asked.text)).thinking
        await self.call(asked.room.tenant, "assistant.threads.setStatus", **where, status=status)

    async def _session(self, tenant: str, channel: str, thread: str, status: str, title: str = "") -> None:
        named = {"title": title} if title else {}
        await self.call(
            tenant, "agents.sessions.setStatus", channel_id=channel, thread_ts=thread, status=status, **named
        )
