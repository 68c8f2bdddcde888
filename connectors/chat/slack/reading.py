"""What Slack is asked for when a question needs it: what was said in a thread, and the files that came with a message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientTimeout

from bot.errors import DoorUnavailable, Undeliverable, UnreadableDocument
from bot.types import Attachment, Excerpt, Room
from connectors.chat.slack.calls import Calls, Refused
from connectors.chat.slack.text import readable
from connectors.chat.slack.workspaces import Workspace, Workspaces

FETCH_LIMIT = 30.0
"""Seconds that a file may take."""
HOST = "files.slack.com"
"""Where Slack keeps files; our token goes nowhere else."""
_CHUNK = 1 << 16


class SlackThreads:
    """Implements the Threads port."""

    def __init__(self, workspaces: Workspaces, calls: Calls):
        self._workspaces = workspaces
        self._calls = calls
        self._names: dict[tuple[str, str], str] = {}

    async def excerpts(self, room: Room, thread: str, limit: int = 200) -> Sequence[Excerpt] | None:
        """The latest messages of a thread, or of a direct conversation, without Rolecall's own, oldest first."""
        workspace = await self._workspaces.of(room.tenant)
        if workspace is None or (not thread and room.kind != "direct"):
            return None
        try:
            found = await self._messages(workspace, room.id, thread, limit)
            said = [one for one in found if one.get("user") != workspace.bot_user and one.get("text")]
            return [await self._excerpt(workspace, one) for one in said[-limit:]]
        except (Refused, Undeliverable) as problem:
            if isinstance(problem, DoorUnavailable) and problem.retry_after:
                raise
            return None

    async def _messages(self, workspace: Workspace, channel: str, thread: str, limit: int) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        cursor, method = "", "conversations.replies" if thread else "conversations.history"
        where = {"channel": channel, **({"ts": thread} if thread else {})}
        while True:
            page = await self._calls(workspace, method, **where, limit=200, **({"cursor": cursor} if cursor else {}))
            found += page.get("messages") or []
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor or (not thread and len(found) >= limit):
                return sorted(found, key=lambda one: float(one["ts"]))

    async def _excerpt(self, workspace: Workspace, message: Mapping[str, Any]) -> Excerpt:
        at = datetime.fromtimestamp(float(message["ts"]), UTC)
        author = await self._name(workspace, str(message.get("user") or ""))
        return Excerpt(author or str(message.get("username") or "?"), readable(str(message["text"])), at)

    async def _name(self, workspace: Workspace, user: str) -> str:
        """How somebody is called: for reading only, never for permission."""
        if user and (workspace.tenant, user) not in self._names:
            try:
                told = await self._calls(workspace, "users.info", user=user)
            except (Refused, Undeliverable):
                return user
            info = told.get("user") or {}
            profile = info.get("profile") or {}
            name = profile.get("display_name") or profile.get("real_name") or info.get("name") or user
            self._names[workspace.tenant, user] = str(name)
        return self._names.get((workspace.tenant, user), "")


class SlackFiles:
    """Fetches the files of messages. `limit` is in bytes; a file is read from Slack's own host, or from the API's, only."""

    def __init__(self, workspaces: Workspaces, calls: Calls, limit: int):
        self._workspaces = workspaces
        self._calls = calls
        self._limit = limit

    async def fetch(self, file: Attachment) -> bytes:
        """A file's bytes, by ``slack:T0HOME/F0123``. Raises UnreadableDocument, or DoorUnavailable if not now."""
        tenant, _, name = file.ref.partition(":")[2].partition("/")
        workspace = await self._workspaces.of(tenant)
        if workspace is None:
            raise UnreadableDocument("cannot be fetched: Rolecall is not installed where it came from")
        url = await self._url(workspace, name)
        try:
            return await self._bytes(workspace, url)
        except (ClientError, TimeoutError, OSError) as error:
            raise DoorUnavailable(f"a file does not come: {error or type(error).__name__}") from error

    async def _url(self, workspace: Workspace, name: str) -> str:
        try:
            told = await self._calls(workspace, "files.info", file=name)
        except Refused as refusal:
            if refusal.retry_after:
                raise
            raise UnreadableDocument(f"cannot be fetched: Slack says {refusal.error}") from refusal
        found = told.get("file") or {}
        if found.get("mode") in ("tombstone", "hidden_by_limit"):
            raise UnreadableDocument("is gone")
        if found.get("is_external"):
            raise UnreadableDocument("lies outside Slack, where it is not fetched")
        url = str(found.get("url_private_download") or found.get("url_private") or "")
        parts, home = urlsplit(url), urlsplit(str(workspace.client.base_url))
        ours = (parts.scheme, parts.netloc) in (("https", HOST), (home.scheme, home.netloc))
        if not ours:
            raise UnreadableDocument("cannot be fetched: it does not lie at Slack")
        return url

    async def _bytes(self, workspace: Workspace, url: str) -> bytes:
        headers = {"Authorization": f"Bearer {workspace.client.token}"}
        timeout = ClientTimeout(FETCH_LIMIT)
        async with workspace.session.get(url, headers=headers, timeout=timeout, allow_redirects=False) as response:
            if response.status >= 500 or response.status == 429:
                raise DoorUnavailable(f"a file does not come: status {response.status}")
            if response.status != 200:
                raise UnreadableDocument(f"cannot be fetched: status {response.status}; is the scope files:read there?")
            content = bytearray()
            async for chunk in response.content.iter_chunked(_CHUNK):
                content += chunk
                if len(content) > self._limit:
                    raise UnreadableDocument(f"has more than {self._limit >> 20} MB, the most that is read")
            return bytes(content)
