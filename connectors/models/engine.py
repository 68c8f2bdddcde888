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
from connectors.models.guessing import Guesses
from connectors.models.ragged import Memory, Piece, step

CHUNK = 512
"""Tokens of prompts that are read in one step, at most."""
GUESSED = 8
"""Tokens that are guessed ahead for a chat in one step, at most."""
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
    guesses: Guesses
    guess: list[int] = field(default_factory=list)
    memory: Memory = field(default_factory=Memory)
    written: int = 0

    @property
    def reading(self) -> bool:
        return self.memory.length < len(self.request.prompt)


class Engine:
    """Serves up to `places` requests at once, and lets a bounded number wait for a place, first come first served."""

    def __init__(self, model: Any, places: int, context: int, guessed: int = GUESSED):
        self._model = model
        self._guessed = guessed
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
                    self._chats.append(_Chat(request, list(request.prompt), Guesses(request.prompt, self._guessed)))
            self._working = bool(self._chats)
            return self._working

    def _step(self) -> None:
        pieces = self._next_pieces()
        ready = [len(piece.tokens) >= len(chat.unread) for chat, piece in pieces]
        wanted = [1 + len(chat.guess) if whole else 0 for (chat, _), whole in zip(pieces, ready, strict=True)]
        logits = step(self._model, [piece for _, piece in pieces], wanted)
        for (chat, piece), rows, whole in zip(pieces, logits, ready, strict=True):
            del chat.unread[: len(piece.tokens)]
            if whole:
                self._write(chat, rows)

    def _next_pieces(self) -> list[tuple[_Chat, Piece]]:
        """What every chat wrote last and may write next, and up to a chunk of prompts, a different one first each time."""
        budget = CHUNK
        pieces: list[tuple[_Chat, Piece]] = []
        for chat in list(self._chats):
            size = len(chat.unread)
            if chat.reading:
                size = min(size, CHUNK - chat.memory.length % CHUNK)
                if size > budget:
                    continue
                budget -= size
            else:
                chat.guess = chat.guesses.next(chat.request.limit - chat.written - 1)
            pieces.append((chat, Piece(chat.unread[:size] + chat.guess, chat.memory)))
        self._chats.rotate(-1)
        return pieces

    def _write(self, chat: _Chat, rows: torch.Tensor) -> None:
        """Choose after each token that was guessed, as long as the guess is what is chosen; forget what was guessed wrong."""
        new: list[int] = []
        reason: Reason | None = None
        for place, logits in enumerate(rows):
            try:
                tokens, reason = self._choose(chat, logits)
            except BotError as error:
                chat.request.cancel()
                chat.request.deliver(error)
                return
            new += tokens
            if reason or tokens != chat.guess[place : place + 1]:
                break
        chat.memory.length -= len(chat.guess) - place
        chat.guesses.learn(len(chat.guess), place)
        chat.guesses.add(new)
        chat.guess = []
        if reason is None:
            chat.unread = tokens
        else:
            chat.request.cancel()
        chat.request.deliver(Tokens(new, reason))

    @staticmethod
    def _choose(chat: _Chat, logits: torch.Tensor) -> tuple[list[int], Reason | None]:
        """The next token, with those that it forces, and why nothing follows, if so."""
        request = chat.request
        left = request.limit - chat.written
        tokens = request.chooser.pick(logits, left)[:left]
        for place, token in enumerate(tokens):
            if token in request.ends:
                return tokens[:place], "stop"
        chat.written += len(tokens)
        if request.chooser.finished:
            return tokens, "stop"
        return tokens, "length" if chat.written >= request.limit else None
