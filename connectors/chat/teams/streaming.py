"""Answers that grow in a personal chat: status lines, then all of the text so far, then the message that stays.

Teams takes one step a second for two minutes. What is left then becomes an ordinary message, which is edited. After a
restart a stream is not known any more: its last step is still sent, and if Teams does not take it, the message is edited,
or made anew. Teams tells that somebody pressed stop only when it is sent something, so the status line is repeated.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.errors import DoorUnavailable
from connectors.chat.teams import payloads
from connectors.chat.teams.posting import Posting
from connectors.chat.teams.store import Reference
from connectors.chat.teams.wire import Refused

LIFE = 110.0
"""Seconds after which a stream is made a message: Teams ends it after 120."""


@dataclass(frozen=True, slots=True)
class Tempo:
    """Seconds: between two steps at least, and until a status line is repeated."""

    pace: float = 1.0
    beat: float = 4.0


class Stopped(Exception):
    """The person pressed stop: nothing more is sent."""


@dataclass(slots=True)
class _Stream:
    to: Reference
    ident: str
    status: str
    started: float
    last: float
    sequence: int = 1
    text: str = ""
    made: str = ""
    stopped: bool = False
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    beats: asyncio.Task[None] | None = None


class Streaming:
    """Streams by conversation and id. `clock` counts seconds; `on_stop` is told whose stream was stopped."""

    def __init__(self, posting: Posting, clock: Callable[[], float] = time.monotonic, tempo: Tempo | None = None):
        self._posting = posting
        self._clock = clock
        self._tempo = tempo or Tempo()
        self._streams: dict[tuple[str, str], _Stream] = {}
        self.on_stop: Callable[[Reference], None] = lambda _: None

    async def begin(self, to: Reference, text: str) -> str:
        """Start with a status line; returns the stream's id."""
        ident = await self._posting.send(to, payloads.step(text, "informative", "", 1))
        now = self._clock()
        stream = self._streams[to.conversation, ident] = _Stream(to, ident, text, now, now)
        stream.beats = asyncio.create_task(self._beat(stream))
        return ident

    async def step(self, to: Reference, ident: str, text: str, *, growing: bool) -> bool:
        """A status line, or all of the answer so far. False if this stream takes no more of these. Raises Stopped."""
        stream = self._streams.get((to.conversation, ident))
        if stream is None:
            return False
        async with stream.turn:
            return await self._stepped(stream, text, growing)

    async def end(self, to: Reference, ident: str, activity: dict[str, Any]) -> str:
        """The message that stays; returns its id. Raises Stopped, Refused or DoorUnavailable."""
        stream = self._streams.get((to.conversation, ident))
        if stream is None:
            return await self._ended(to, ident, "", activity)
        async with stream.turn:
            if stream.stopped:
                self._forget(stream)
                raise Stopped
            if stream.made:
                await self._posting.change(to, stream.made, activity)
                made = stream.made
            else:
                made = await self._ended(to, ident, stream.text, activity)
        self._forget(stream)
        return made

    async def close(self) -> None:
        """Repeat nothing any more."""
        for stream in list(self._streams.values()):
            self._forget(stream)
        await asyncio.sleep(0)

    async def _stepped(self, stream: _Stream, text: str, growing: bool) -> bool:
        if stream.stopped:
            raise Stopped
        if stream.made:
            return False
        if stream.text and not (growing and text.startswith(stream.text)):
            return not growing  # a status line after text is left out; other text cannot be shown by a stream
        await asyncio.sleep(max(0.0, stream.last + self._tempo.pace - self._clock()))
        kind: payloads.StreamType = "streaming" if growing else "informative"
        step = payloads.step(text, kind, stream.ident, stream.sequence + 1)
        try:
            await self._posting.send(stream.to, step)
        except Refused as error:
            self._heed(stream, error)
            return False
        stream.sequence += 1
        stream.last = self._clock()
        stream.text, stream.status = (text, stream.status) if growing else (stream.text, text)
        return True

    async def _ended(self, to: Reference, ident: str, shown: str, activity: dict[str, Any]) -> str:
        """The last step. Text that does not go on from what was shown comes by an edit."""
        text = str(activity.get("text", ""))
        try:
            if shown and not text.startswith(shown):
                made = await self._posting.send(to, payloads.streamed(payloads.plain(shown), "final", ident)) or ident
                await self._posting.change(to, made, activity)
                return made
            return await self._posting.send(to, payloads.streamed(activity, "final", ident)) or ident
        except Refused as error:
            self._heed(self._streams.get((to.conversation, ident)), error)
        try:
            await self._posting.change(to, ident, activity)
        except Refused:
            return await self._posting.send(to, activity)
        return ident

    async def _beat(self, stream: _Stream) -> None:
        """Repeat the status line until there is text, and make a message of the stream before Teams ends it."""
        with contextlib.suppress(Stopped, Refused):
            while not (stream.made or stream.stopped):
                await asyncio.sleep(self._tempo.beat)
                async with stream.turn:
                    with contextlib.suppress(DoorUnavailable):
                        await self._kept_alive(stream)

    async def _kept_alive(self, stream: _Stream) -> None:
        if self._clock() - stream.started > LIFE:
            message = payloads.plain(stream.text or stream.status)
            stream.made = await self._ended(stream.to, stream.ident, stream.text, message)
        elif not stream.text and not await self._stepped(stream, stream.status, growing=False):
            raise Stopped

    def _forget(self, stream: _Stream) -> None:
        self._streams.pop((stream.to.conversation, stream.ident), None)
        if stream.beats is not None:
            stream.beats.cancel()

    def _heed(self, stream: _Stream | None, error: Refused) -> None:
        """Teams says by a refusal that somebody pressed stop."""
        if error.status == 403 and "cancel" in f"{error.code} {error.reason}".lower():
            if stream is not None and not stream.stopped:
                stream.stopped = True
                self.on_stop(stream.to)
            raise Stopped from error
