"""Guesses how a text goes on: as it did the last time that the same tokens stood in it.

Answers that rest on a prompt repeat names, numbers and phrases of it. A guess costs little to check, for a processor reads
a few tokens in about the time of one, and a wrong one changes nothing but the time (known as prompt lookup decoding).
"""

from __future__ import annotations

from collections.abc import Sequence

_SAME = 3
"""Tokens that must stand there again."""


class Guesses:
    """What one chat may say next. It guesses more after it was right, and less after it was wrong."""

    def __init__(self, tokens: Sequence[int], most: int):
        self._tokens: list[int] = []
        self._after: dict[tuple[int, ...], int] = {}
        self._most = most
        self._size = most
        self.add(tokens)

    def add(self, tokens: Sequence[int]) -> None:
        """What was said, in order."""
        for token in tokens:
            if len(self._tokens) >= _SAME:
                self._after[tuple(self._tokens[-_SAME:])] = len(self._tokens)
            self._tokens.append(token)

    def next(self, left: int) -> list[int]:
        """At most `left` tokens that may come now; often none."""
        place = self._after.get(tuple(self._tokens[-_SAME:]))
        return [] if place is None else self._tokens[place : place + min(left, self._size)]

    def learn(self, guessed: int, right: int) -> None:
        """Hear how many of the last guess were right."""
        if guessed:
            self._size = min(self._most, 2 * self._size) if right == guessed else max(1, right, self._size // 2)
