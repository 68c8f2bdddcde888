"""One message of ours and what stands in it: streamed while it can be, edited else, without a lost or doubled word.

What was sent is known exactly, or not at all: before each call it counts as unknown, and an unknown text is replaced by
an edit, never appended to.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.chat.slack import EVENT_TYPE, blocks
from connectors.chat.slack.blocks import Block
from connectors.chat.slack.calls import Calls, Refused
from connectors.chat.slack.splitting import LIMIT
from connectors.chat.slack.workspaces import Workspace

STREAM_LIFE = 240.0
"""Seconds after which a stream is ended by us; Slack ends it after about five minutes, whatever it does then."""
STARTS = 18
"""Streams begun in a workspace in a minute; Slack bears about twenty."""
OFF = 600.0
"""Seconds for which a workspace that cannot stream is not asked again."""
_MINUTE = 60.0
_TASK = "rolecall"


@dataclass(frozen=True, slots=True)
class Spot:
    """Where in Slack something is said: a channel of a workspace, and a thread in it or none.

    `about` is set for a direct message about what was asked in that room.
    """

    workspace: Workspace
    channel: str
    thread: str
    about: str = ""


@dataclass(slots=True)
class Part:
    """One message. `sent` is the text that stands in it, None if that is not known; `born` is when its stream began."""

    ts: str
    streaming: bool = False
    sent: str | None = None
    born: float = 0.0
    task: str = ""


def keyed(key: str, part: int | None = None) -> dict[str, Any]:
    """The metadata of the message that carries a key, or of a further part of it."""
    payload = {"key": key} if part is None else {"of": key, "part": part}
    return {"event_type": EVENT_TYPE, "event_payload": payload}


class Streams:
    """Makes and changes single messages. `clock` counts seconds."""

    def __init__(self, calls: Calls, clock: Callable[[], float] = time.monotonic):
        self._calls = calls
        self._clock = clock
        self._starts: dict[str, deque[float]] = {}
        self._off: dict[str, float] = {}

    async def start(self, spot: Spot, status: str, team: str, user: str) -> Part | None:
        """Begin a stream that shows a status; None if it cannot be begun here or now, and nothing was shown."""
        tenant, now = spot.workspace.tenant, self._clock()
        if not spot.thread or not user or not self._may_start(tenant, now):
            return None
        try:
            begun = await self._calls(
                spot.workspace,
                "chat.startStream",
                channel=spot.channel,
                thread_ts=spot.thread,
                recipient_team_id=team,
                recipient_user_id=user,
                task_display_mode="timeline",
                chunks=[_task(status, "in_progress")],
            )
        except Refused as refusal:
            if not refusal.retry_after:
                self._off[tenant] = now + OFF
            return None
        return Part(str(begun.get("ts")), True, "", now, status)

    def _may_start(self, tenant: str, now: float) -> bool:
        if self._off.get(tenant, 0.0) > now:
            return False
        starts = self._starts.setdefault(tenant, deque())
        while starts and now - starts[0] > _MINUTE:
            starts.popleft()
        if len(starts) >= STARTS:
            return False
        starts.append(now)
        return True

    async def make(
        self, spot: Spot, text: str, below: Sequence[Block], above: Sequence[Block], metadata: Mapping[str, Any]
    ) -> Part:
        """A new message that is edited, not streamed."""
        shown = blocks.body(text, below, above)
        made = await self._calls(
            spot.workspace,
            "chat.postMessage",
            channel=spot.channel,
            text=blocks.plain(text) or " ",
            blocks=shown,
            metadata=metadata,
            unfurl_links=False,
            unfurl_media=False,
            **({"thread_ts": spot.thread} if spot.thread else {}),
        )
        return Part(str(made.get("ts")), sent=text)

    async def status(self, spot: Spot, part: Part, text: str, key: Mapping[str, Any]) -> None:
        """Show what is being done; whatever text stood there goes."""
        if part.streaming and part.sent == "" and self._young(part):
            if text != part.task and await self._append(spot, part, [_task(text, "in_progress")], ""):
                part.task = text
            if part.streaming:
                return
        await self.become(spot, part, blocks.status(text), (), key, final=False)

    async def become(
        self,
        spot: Spot,
        part: Part,
        text: str,
        below: Sequence[Block],
        key: Mapping[str, Any],
        *,
        final: bool,
        above: Sequence[Block] = (),
    ) -> None:
        """Have exactly this text stand there; `final` ends the stream."""
        if part.streaming:
            fits = part.sent is not None and text.startswith(part.sent) and len(text.encode()) <= LIMIT
            if not fits or not self._young(part):
                await self._stop(spot, part, [], (), key)
            elif final and await self._stop(spot, part, self._rest(part, text, final), below, key):
                part.sent = text
                return
            elif not final and (
                text == part.sent or await self._append(spot, part, self._rest(part, text, final), text)
            ):
                return
        if final or part.sent != text:
            part.sent = None
            await self._calls(
                spot.workspace,
                "chat.update",
                channel=spot.channel,
                ts=part.ts,
                text=blocks.plain(text) or " ",
                blocks=blocks.body(text, below, above),
                metadata=key,
            )
            part.sent = text

    async def end(self, spot: Spot, part: Part, key: Mapping[str, Any]) -> None:
        """End a stream that may be running, whoever began it."""
        await self._stop(spot, part, [], (), key)
        part.sent = None

    async def delete(self, spot: Spot, ts: str) -> None:
        """Take a message away; no error if it is gone."""
        try:
            await self._calls(spot.workspace, "chat.delete", channel=spot.channel, ts=ts)
        except Refused as refusal:
            if refusal.error != "message_not_found":
                raise

    def _young(self, part: Part) -> bool:
        return self._clock() - part.born < STREAM_LIFE

    def _rest(self, part: Part, text: str, final: bool) -> list[dict[str, Any]]:
        """What is to be appended so that the text stands there."""
        rest = text[len(part.sent or "") :]
        done = [_task(part.task, "complete")] if part.task and not part.sent else []
        return [*done, *([{"type": "markdown_text", "text": rest}] if rest else [])]

    async def _append(self, spot: Spot, part: Part, chunks: list[dict[str, Any]], text: str) -> bool:
        """Append to a stream; False if it is none any more."""
        part.sent = None
        try:
            await self._calls(spot.workspace, "chat.appendStream", channel=spot.channel, ts=part.ts, chunks=chunks)
        except Refused as refusal:
            if refusal.retry_after:
                part.sent = text[: -len(chunks[-1]["text"])] if "text" in chunks[-1] else ""
                raise
            await self._stop(spot, part, [], (), None)
            return False
        part.sent = text
        return True

    async def _stop(
        self,
        spot: Spot,
        part: Part,
        chunks: list[dict[str, Any]],
        below: Sequence[Block],
        key: Mapping[str, Any] | None,
    ) -> bool:
        """End a stream; False if Slack had ended it before, so that nothing was added."""
        sent, part.sent = part.sent, None
        try:
            await self._calls(
                spot.workspace,
                "chat.stopStream",
                channel=spot.channel,
                ts=part.ts,
                **({"chunks": chunks} if chunks else {}),
                **({"blocks": list(below)} if below else {}),
                **({"metadata": key} if key else {}),
                session_status="active",
            )
        except Refused as refusal:
            if refusal.retry_after:
                part.sent = sent
                raise
            part.streaming = False
            return False
        part.streaming = False
        return True


def _task(title: str, state: str) -> dict[str, Any]:
    return {"type": "task_update", "id": _TASK, "title": title, "status": state}


def unknown(ts: str) -> Part:
    """A message of which we do not know what stands in it."""
    return Part(ts, streaming=False, sent=None)
