"""Lets several chats share one model: a step reads the next token of each chat that is talking, in one batch.

Each step is a turn on torch's thread. Requests join and leave between two steps. Long prompts are read in chunks, so that
nobody waits for them; the chunks lie at fixed places, so that what a chat computes does not depend on its company.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import torch

from bot.errors import BotError, ModelUnavailable
from connectors.models import thread
from connectors.models.ragged import Memory, Piece, step

CHUNK = 512
"""Tokens of prompts that are read in one step, at most."""
WAITING = 8
"""Requests that may wait for each one that is served; more are refused."""

Reason = Literal["stop", "length"]


class Chooser(Protocol):
    """Picks a chat's next token."""

    def pick(self, logits: torch.Tensor, left: int) -> list[int]:
        """The next token, and those that must follow it. `left` tokens may still be written."""

    @property
    def finished(self) -> bool:
        """Whether nothing may follow any more."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """New tokens of a chat; `reason` is set on the last event."""

    ids: list[int]
    reason: Reason | None = None


Event = Tokens | BaseException


@dataclass(slots=True, eq=False)
class Request:
    """One answer to write. `deliver` is called on torch's thread and must not block."""

    prompt: list[int]
    limit: int
    ends: frozenset[int]
    chooser: Chooser
    deliver: Callable[[Event], None]
    cancelled: bool = False

    def cancel(self) -> None:
        """Stop writing before the next step and free the place."""
        self.cancelled = True


@dataclass(slots=True, eq=False)
class _Chat:
    request: Request
    unread: list[int]
    memory: Memory = field(default_factory=Memory)
    written: int = 0

    @property
    def reading(self) -> bool:
        return self.memory.length < len(self.request.prompt)


class Engine:
    """Serves up to `places` requests at once, and lets a bounded number wait for a place, first come first served."""

    def __init__(self, model: Any, places: int, context: int):
        self._model = model
        self._places = places
        self._context = context
        self._lock = threading.Lock()
        self._waiting: deque[Request] = deque()
        self._chats: deque[_Chat] = deque()
        self._working = False

    @property
    def busy(self) -> int:
        """How many requests are served or wait."""
        with self._lock:
            return len(self._chats) + len(self._waiting)

    def submit(self, request: Request) -> None:
        """Queue a request. Raises BotError if it is too long, ModelUnavailable if too many wait already."""
        room = self._context - len(request.prompt)
        if room < 1:
            raise BotError(
                f"This is too long for the model: {len(request.prompt)} tokens, where {self._context - 1} would fit."
            )
        request.limit = min(request.limit, room)
        with self._lock:
            if len(self._waiting) >= WAITING * self._places:
                raise ModelUnavailable("The model is busy with too many requests; please try again in a minute.")
            self._waiting.append(request)
            if not self._working:
                self._working = True
                self._go_on()

    def _go_on(self) -> None:
        thread.submit(self._turn).add_done_callback(self._after)

    def _turn(self) -> bool:
        """One step, if anybody wants one; whether there was one."""
        if not self._admit():
            return False
        with torch.inference_mode():
            self._step()
        return True

    def _after(self, future: Future[bool]) -> None:
        """Take the next turn. If one failed, everybody who waits hears of it, and the next request starts afresh."""
        error = future.exception()
        if error is None:
            if future.result():
                self._go_on()
            return
        with self._lock:
            left = [chat.request for chat in self._chats] + list(self._waiting)
            self._chats.clear()
            self._waiting.clear()
            self._working = False
        for request in left:
            request.deliver(error)

    def _admit(self) -> bool:
        with self._lock:
            self._chats = deque(chat for chat in self._chats if not chat.request.cancelled)
            while self._waiting and len(self._chats) < self._places:
                request = self._waiting.popleft()
                if not request.cancelled:
                    self._chats.append(_Chat(request, list(request.prompt)))
            self._working = bool(self._chats)
            return self._working

    def _step(self) -> None:
        pieces = self._next_pieces()
        ready = [chat for chat, piece in pieces if len(piece.tokens) == len(chat.unread)]
        logits = step(self._model, [piece for _, piece in pieces], [chat in ready for chat, _ in pieces])
        for chat, piece in pieces:
            del chat.unread[: len(piece.tokens)]
        for chat, row in zip(ready, logits, strict=False):
            self._write(chat, row)

    def _next_pieces(self) -> list[tuple[_Chat, Piece]]:
        """A token or two of every chat that is writing, and up to a chunk of prompts, a different one first each time."""
        budget = CHUNK
        pieces: list[tuple[_Chat, Piece]] = []
        for chat in list(self._chats):
            size = len(chat.unread)
            if chat.reading:
                size = min(size, CHUNK - chat.memory.length % CHUNK)
                if size > budget:
                    continue
                budget -= size
            pieces.append((chat, Piece(chat.unread[:size], chat.memory)))
        self._chats.rotate(-1)
        return pieces

    def _write(self, chat: _Chat, logits: torch.Tensor) -> None:
        request = chat.request
        left = request.limit - chat.written
        try:
            tokens = request.chooser.pick(logits, left)[:left]
        except BotError as error:
            request.cancel()
            request.deliver(error)
            return
        reason: Reason | None = None
        for place, token in enumerate(tokens):
            if token in request.ends:
                tokens, reason = tokens[:place], "stop"
                break
        chat.written += len(tokens)
        if reason is None and request.chooser.finished:
            reason = "stop"
        elif reason is None and chat.written >= request.limit:
            reason = "length"
        if reason is None:
            chat.unread = list(tokens)
        else:
            request.cancel()
        request.deliver(Tokens(tokens, reason))
