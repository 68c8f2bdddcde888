"""How a chat's next token is chosen: the likeliest or a random one, within a grammar if there is one."""

from __future__ import annotations

from typing import Any

import torch

from bot.errors import BotError

_CLOSERS = ('"', "}", "]", ",")
"""What ends a JSON value soonest, in this order: inside a string, a bracket would end nothing."""
_SLACK = 24
"""Tokens more than the shortest call takes, to end the value that is being written."""
_LONGEST_CALL = 256
"""Where the search for the shortest call gives up."""


class Grammars:
    """Makes matchers for one tokenizer. The first one takes about a second."""

    def __init__(self, tokenizer: Any, vocabulary: int, ends: frozenset[int]):
        self._tokenizer = tokenizer
        self._vocabulary = vocabulary
        self._ends = sorted(ends)
        self._made: Any = None
        self.closers = self._find_closers()

    def matcher(self, grammar: str) -> Any:
        """A matcher at its beginning. Raises BotError if a tool's schema cannot be followed."""
        from llguidance import LLMatcher
        from llguidance.hf import from_tokenizer

        if self._made is None:
            self._made = from_tokenizer(self._tokenizer, n_vocab=self._vocabulary, eos_token=self._ends)
        matcher = LLMatcher(self._made, grammar, log_level=0)
        if matcher.is_error():
            first = str(matcher.get_error()).splitlines()[0]
            raise BotError(f"The model cannot follow a tool's schema: {first}")
        return matcher

    def _find_closers(self) -> tuple[int, ...]:
        known = self._tokenizer.get_vocab()
        return tuple(known[text] for text in _CLOSERS if text in known)


class Free:
    """Any token: the likeliest at temperature 0, else drawn at random (the same ones for the same seed)."""

    finished = False

    def __init__(self, temperature: float = 0.0, seed: int | None = None):
        self._temperature = temperature
        self._random = torch.Generator()
        if seed is None:
            self._random.seed()
        else:
            self._random.manual_seed(seed)

    def pick(self, logits: torch.Tensor, left: int) -> list[int]:
        """The next token."""
        if self._temperature <= 0:
            return [int(logits.argmax())]
        chances = torch.softmax(logits.float().cpu() / self._temperature, -1)
        return [int(torch.multinomial(chances, 1, generator=self._random))]


class Constrained:
    """Tokens that a grammar allows; those that it forces are added without asking the model.

    Where the limit comes near, JSON is brought to its end rather than cut off in the middle. `call` is a matcher
    whose shortest text says how near that is.
    """

    def __init__(self, free: Free, matcher: Any, call: Any, closers: tuple[int, ...]):
        self._free = free
        self._matcher = matcher
        self._closers = closers
        self._haste = _shortest(call, closers) + _SLACK

    @property
    def finished(self) -> bool:
        """Whether the grammar is at its end."""
        return bool(self._matcher.is_stopped())

    def pick(self, logits: torch.Tensor, left: int) -> list[int]:
        """The next token and those forced by it. Raises BotError if the grammar turns out too hard to follow."""
        allowed = _allowed(self._matcher)[: logits.shape[-1]].to(logits.device)
        hasty = left <= self._haste and not self._matcher.is_accepting()
        token = _closing(allowed, self._closers) if hasty else None
        if token is None:
            token = self._free.pick(logits.masked_fill(~allowed, float("-inf")), left)[0]
        return _follow(self._matcher, token)


def _allowed(matcher: Any) -> torch.Tensor:
    return torch.frombuffer(bytearray(matcher.compute_logit_bias()), dtype=torch.uint8) != 0


def _closing(allowed: torch.Tensor, closers: tuple[int, ...]) -> int | None:
    return next((token for token in closers if allowed[token]), None)


def _follow(matcher: Any, token: int) -> list[int]:
    """Tell the matcher what was chosen; returns that and what must come after it."""
    forced = list(matcher.compute_ff_tokens()) if matcher.consume_token(token) and not matcher.is_stopped() else []
    if forced:
        matcher.consume_tokens(forced)
    if matcher.is_error():
        raise BotError(f"The model lost its way in a tool's schema: {str(matcher.get_error()).splitlines()[0]}")
    return [token, *forced]


def _shortest(matcher: Any, closers: tuple[int, ...]) -> int:
    """About how many tokens the shortest text takes that the grammar allows."""
    count = 0
    while not matcher.is_stopped() and count < _LONGEST_CALL:
        allowed = _allowed(matcher)
        token = _closing(allowed, closers)
        count += len(_follow(matcher, int(allowed.nonzero()[0]) if token is None else token))
    return count
