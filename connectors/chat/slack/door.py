"""The way out to Slack: shows, changes, finds and removes what Rolecall says. It decides nothing.

A post is known by its key and the times of its messages, several for a long one. What carries the key is found again by
the metadata of the message; a stream gets that only when it ends, so that after a crash a message of ours in the
thread that carries no key is a stream which lost its worker: the one that is looked for.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from bot.background import broken_off
from bot.errors import DoorUnavailable, Undeliverable
from bot.ports import Place, Post
from bot.types import Attachment
from connectors.chat.slack import EVENT_TYPE, blocks
from connectors.chat.slack.calls import Calls, Refused
from connectors.chat.slack.splitting import split
from connectors.chat.slack.streaming import Part, Spot, Streams, keyed, unknown
from connectors.chat.slack.workspaces import Workspaces

REMEMBERED = 1_000
"""Posts whose state is kept; of others it is found out again."""
PAGES = 5
"""Pages of a history, of 200 messages each, that are looked through for a key."""

_LOG = logging.getLogger("rolecall.slack")


@dataclass(slots=True)
class _Ours:
    """A post of ours as we know it."""

    key: str
    parts: list[Part] = field(default_factory=list)

    @property
    def name(self) -> str:
        return " ".join([self.key, *(part.ts for part in self.parts)])


class SlackDoor:
    """Implements ChatDoor. `clock` counts seconds."""

    def __init__(self, workspaces: Workspaces, calls: Calls, clock: Callable[[], float] = time.monotonic):
        self._workspaces = workspaces
        self._calls = calls
        self._streams = Streams(calls, clock)
        self._known: OrderedDict[str, _Ours] = OrderedDict()
        self._direct: dict[tuple[str, str], str] = {}
        self._hints: set[asyncio.Task[None]] = set()

    async def post(self, place: Place, post: Post, key: str) -> str:
        """Show a new message: a stream if it will grow and can be one. A long one is several, and the last carries the key."""
        spot = await self._spot(place)
        if post.kind == "status":
            team, user = asker(key)
            part = None if place.only else await self._streams.start(spot, post.text, team, user)
            if part is None:
                part = await self._streams.make(spot, blocks.status(post.text), (), (), keyed(key))
            return self._remember(_Ours(key, [part]))
        texts, above = split(post.text), self._above(spot, post)
        there = await self._parts(spot, key) if len(texts) > 1 else {}
        ours = _Ours(key)
        for number, text in enumerate(texts):
            last = number == len(texts) - 1
            if number in there:
                ours.parts.append(unknown(there[number]))
                continue
            below = blocks.below(post) if last else []
            metadata = keyed(key) if last else keyed(key, number)
            ours.parts.append(await self._streams.make(spot, text, below, () if number else above, metadata))
        return self._remember(ours)

    async def edit(self, place: Place, posted: str, post: Post) -> str:
        """Have a post stand as it is now. What is only on its way may be left out when Slack is busy; the answer may not."""
        spot = await self._spot(place)
        ours = self._known.get(posted) or await self._recovered(spot, posted)
        try:
            await self._become(spot, ours, post)
        except DoorUnavailable as problem:
            if post.kind in ("answer", "notice"):
                raise
            _LOG.info("left out until the next one: %s", problem)
        finally:
            self._known.pop(posted, None)
            self._remember(ours)
        return ours.name

    async def find(self, place: Place, key: str) -> str | None:
        """The post that carries `key`, as `post` named it."""
        spot = await self._spot(place)
        name = _name_of_file(key)
        mine = await self._history(spot)
        first = next((one for one in mine if _payload(one).get("key") == key), None)
        if first is None and ":file:" in key:
            first = next((one for one in mine if any(name in str(file.get("name")) for file in _files(one))), None)
        elif first is None and spot.thread and not place.only:
            first = next((one for one in mine if not _payload(one) and not _files(one)), None)
        if first is None:
            return None
        others = [one["ts"] for one in mine if _payload(one).get("of") == key]
        return " ".join([key, *sorted({str(first["ts"]), *others})])

    async def remove(self, place: Place, posted: str) -> None:
        """Take a post away, all of its messages."""
        spot = await self._spot(place)
        if ":file:" in posted:
            await self._remove_file(spot, _named(posted))
            return
        ours = self._known.pop(posted, None) or await self._recovered(spot, posted)
        for part in ours.parts:
            if part.streaming:
                await self._streams.end(spot, part, keyed(ours.key))
            await self._streams.delete(spot, part.ts)

    async def _remove_file(self, spot: Spot, ours: _Ours) -> None:
        """A file goes for good, wherever else it was shared."""
        times = {part.ts for part in ours.parts}
        for one in [one for one in await self._history(spot) if one["ts"] in times]:
            for file in _files(one):
                await self._calls(spot.workspace, "files.delete", file=file["id"])
            await self._streams.delete(spot, str(one["ts"]))

    async def attach(self, place: Place, file: Attachment, key: str) -> None:
        """Upload a file; its download name carries a trace of the key, its title does not."""
        spot = await self._spot(place)
        name = PurePath(file.name)
        trace = f"{name.stem}-{_name_of_file(key)}{name.suffix}"
        try:
            upload = await self._calls(
                spot.workspace, "files.getUploadURLExternal", filename=trace, length=len(file.content)
            )
            await self._uploaded(spot, str(upload["upload_url"]), file.content)
            await self._calls(
                spot.workspace,
                "files.completeUploadExternal",
                files=[{"id": upload["file_id"], "title": file.name}],
                channel_id=spot.channel,
                **({"thread_ts": spot.thread} if spot.thread else {}),
            )
        except KeyError as error:
            raise DoorUnavailable(f"files.getUploadURLExternal: no {error} in the answer") from error

    async def close(self) -> None:
        """Give up what was only a hint."""
        await broken_off(self._hints)

    async def _uploaded(self, spot: Spot, url: str, content: bytes) -> None:
        try:
            async with spot.workspace.session.post(url, data=content) as response:
                if response.status != 200:
                    raise DoorUnavailable(f"the upload of a file: status {response.status}")
        except (OSError, TimeoutError) as error:
            raise DoorUnavailable(f"the upload of a file: {error or type(error).__name__}") from error

    async def _become(self, spot: Spot, ours: _Ours, post: Post) -> None:
        key = keyed(ours.key)
        if post.kind == "status":
            self._hint(self._set_status(spot, post.text))
            await self._streams.status(spot, ours.parts[0], post.text, key)
            await self._shortened(spot, ours, 1)
            return
        final = post.kind in ("answer", "notice")
        texts, above = split(post.text), self._above(spot, post)
        for number, text in enumerate(texts):
            last = number == len(texts) - 1
            below = blocks.below(post) if last else []
            metadata = key if number == 0 else keyed(ours.key, number)
            if number >= len(ours.parts):
                ours.parts.append(await self._streams.make(spot, text, below, (), metadata))
                continue
            over = () if number else above
            await self._standing(spot, ours.parts[number], text, below, metadata, final or not last, over)
        await self._shortened(spot, ours, len(texts))
        if final and spot.channel.startswith("D"):
            self._hint(self._set_idle(spot))

    async def _standing(
        self,
        spot: Spot,
        part: Part,
        text: str,
        below: Sequence[blocks.Block],
        metadata: Mapping[str, Any],
        final: bool,
        above: Sequence[blocks.Block],
    ) -> None:
        """Have a text stand in a message of ours; in a new one if somebody has deleted it."""
        if final and not below and part.sent == text and not part.streaming:
            return
        try:
            await self._streams.become(spot, part, text, below, metadata, final=final, above=above)
        except Refused as refusal:
            if refusal.error != "message_not_found" or not final:
                raise
            again = await self._streams.make(spot, text, below, above, metadata)
            part.ts, part.streaming, part.sent = again.ts, False, again.sent

    async def _shortened(self, spot: Spot, ours: _Ours, length: int) -> None:
        while len(ours.parts) > length:
            await self._streams.delete(spot, ours.parts[-1].ts)
            ours.parts.pop()

    def _above(self, spot: Spot, post: Post) -> list[blocks.Block]:
        return blocks.lead(spot.about, post.text) if spot.about and post.kind == "answer" else []

    async def _recovered(self, spot: Spot, posted: str) -> _Ours:
        """A post that another process, or an earlier life of this one, made: what it left behind is taken up."""
        ours = _named(posted)
        if spot.thread:
            await self._streams.end(spot, ours.parts[0], keyed(ours.key))
        known = {part.ts for part in ours.parts}
        later = sorted((await self._parts(spot, ours.key)).items())
        ours.parts += [unknown(ts) for _, ts in later if ts not in known]
        return ours

    async def _parts(self, spot: Spot, key: str) -> dict[int, str]:
        """The further messages of a post that stand already, by number."""
        payloads = [(one, _payload(one)) for one in await self._history(spot)]
        return {int(found["part"]): str(one["ts"]) for one, found in payloads if found.get("of") == key}

    async def _history(self, spot: Spot) -> list[Mapping[str, Any]]:
        """Our own messages of a thread, or of a direct conversation, oldest first."""
        mine: list[Mapping[str, Any]] = []
        cursor, workspace = "", spot.workspace
        method = "conversations.replies" if spot.thread else "conversations.history"
        where = {"channel": spot.channel, **({"ts": spot.thread} if spot.thread else {})}
        for _ in range(PAGES):
            more = {"cursor": cursor} if cursor else {}
            try:
                page = await self._calls(workspace, method, **where, **more, limit=200, include_all_metadata=True)
            except Undeliverable:
                return mine
            found = page.get("messages") or []
            mine += [
                one for one in found if workspace.bot in (one.get("bot_id"),) or one.get("user") == workspace.bot_user
            ]
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
        return sorted(mine, key=lambda one: float(one["ts"]))

    async def _spot(self, place: Place) -> Spot:
        """Where a place is in Slack. Raises Undeliverable if Rolecall is not installed there."""
        workspace = await self._workspaces.of(place.room.tenant)
        if workspace is None:
            raise Undeliverable(f"Rolecall is not installed in {place.room.tenant}")
        alone = place.only is not None and place.room.kind != "direct"
        person = place.only.id if alone and place.only else place.room.id
        if not alone and person[:1] not in "UW":
            return Spot(workspace, place.room.id, place.thread)
        channel = self._direct.get((workspace.tenant, person))
        if channel is None:
            opened = await self._calls(workspace, "conversations.open", users=person)
            channel = self._direct[workspace.tenant, person] = str((opened.get("channel") or {}).get("id"))
        return Spot(workspace, channel, "" if alone else place.thread, place.room.id if alone else "")

    def _remember(self, ours: _Ours) -> str:
        self._known[ours.name] = ours
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return ours.name

    async def _set_status(self, spot: Spot, text: str) -> None:
        if spot.thread:
            where = {"channel_id": spot.channel, "thread_ts": spot.thread}
            await self._calls(spot.workspace, "assistant.threads.setStatus", **where, status=text)

    async def _set_idle(self, spot: Spot) -> None:
        """The session's stop button goes."""
        if spot.thread:
            where = {"channel_id": spot.channel, "thread_ts": spot.thread}
            await self._calls(spot.workspace, "agents.sessions.setStatus", **where, status="active")

    def _hint(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that nobody waits for and nobody misses."""

        async def quietly() -> None:
            with contextlib.suppress(DoorUnavailable, Undeliverable):
                await work

        task = asyncio.create_task(quietly())
        self._hints.add(task)
        task.add_done_callback(self._hints.discard)


def asker(key: str) -> tuple[str, str]:
    """The team and the id of who asked, for whom a stream is: ``slack:Ev1@T0HOME/U0FIONA``."""
    team, _, user = key.partition("@")[2].partition(":")[0].partition("/")
    return team, user


def _named(posted: str) -> _Ours:
    key, *times = posted.split(" ")
    return _Ours(key, [unknown(ts) for ts in times])


def _payload(message: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload") if metadata.get("event_type") == EVENT_TYPE else None
    return payload if isinstance(payload, dict) else {}


def _files(message: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return message.get("files") or ()


def _name_of_file(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:10]
