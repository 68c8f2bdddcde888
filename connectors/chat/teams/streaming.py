"""Answers that grow in a personal chat: status lines, then all of the text so far, then the message that stays.

Teams takes one step a second for two minutes. What is left then becomes an ordinary message, which is edited. After a
restart a stream is not known any more: its last step is still sent, and if Teams does not take it, the message is edited,
or made anew.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connectors.chat.teams import payloads
from connectors.chat.teams.posting import Posting
from connectors.chat.teams.store import Reference
from connectors.chat.teams.wire import Refused

LIFE = 110.0
"""Seconds after which a stream is made a message: Teams ends it after 120."""
PACE = 1.0
"""Seconds between two steps."""
KEPT = 10_000
"""Streams that are remembered; beyond that the oldest go, as after a restart."""


class Stopped(Exception):
    """The person pressed stop: nothing more is sent."""


@dataclass(slots=True)
class _Stream:
    started: float
    last: float
    sequence: int = 1
    text: str = ""
    stopped: bool = False


class Streaming:
    """Streams by conversation and id. `clock` counts seconds."""

    def __init__(self, posting: Posting, clock: Callable[[], float] = time.monotonic, pace: float = PACE):
        self._posting = posting
        self._clock = clock
        self._pace = pace
        self._streams: dict[tuple[str, str], _Stream] = {}

    async def begin(self, to: Reference, text: str) -> str:
        """Start with a status line; returns the stream's id."""
        ident = await self._posting.send(to, payloads.step(text, "informative", "", 1))
        now = self._clock()
        self._streams[to.conversation, ident] = _Stream(now, now)
        while len(self._streams) > KEPT:
            self._streams.pop(next(iter(self._streams)))
        return ident

    async def step(self, to: Reference, ident: str, text: str, *, growing: bool) -> bool:
        """A status line, or all of the answer so far. False if this stream takes no more steps. Raises Stopped."""
        stream = self._streams.get((to.conversation, ident))
        if stream is None or self._clock() - stream.started > LIFE:
            return False
        if stream.stopped:
            raise Stopped
        if stream.text and not (growing and text.startswith(stream.text)):
            return not growing  # a status line after text is left out; other text cannot be shown by a stream
        await asyncio.sleep(max(0.0, stream.last + self._pace - self._clock()))
        stream.sequence += 1
        try:
            kind: payloads.StreamType = "streaming" if growing else "informative"
            await self._posting.send(to, payloads.step(text, kind, ident, stream.sequence))
        except Refused as error:
            self._heed(stream, error)
            return False
        stream.last = self._clock()
        stream.text = text if growing else stream.text
        return True

    async def end(self, to: Reference, ident: str, activity: dict[str, Any]) -> str:
        """The message that stays; returns its id. Raises Stopped, Refused or DoorUnavailable."""
        stream = self._streams.get((to.conversation, ident))
        if stream is not None and stream.stopped:
            raise Stopped
        text = str(activity.get("text", ""))
        try:
            if stream is not None and stream.text and not text.startswith(stream.text):
                await self._posting.send(to, payloads.streamed(payloads.plain(stream.text), "final", ident))
                await self._posting.change(to, ident, activity)
                made = ident
            else:
                made = await self._posting.send(to, payloads.streamed(activity, "final", ident)) or ident
        except Refused as error:
            self._heed(stream, error)
            made = await self._otherwise(to, ident, activity)
        self._streams.pop((to.conversation, ident), None)
        return made

    async def _otherwise(self, to: Reference, ident: str, activity: dict[str, Any]) -> str:
        """The stream is over: its message is changed, or there is a new one."""
        try:
            await self._posting.change(to, ident, activity)
        except Refused:
            return await self._posting.send(to, activity)
        return ident

    def _heed(self, stream: _Stream | None, error: Refused) -> None:
        """Teams says by a refusal that somebody pressed stop."""
        if error.status == 403 and "cancel" in f"{error.code} {error.reason}".lower():
            if stream is not None:
                stream.stopped = True
            raise Stopped from error
