"""Stops asking a service that keeps failing, so that nobody waits for it, and tries it again after a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

FAILURES = 5
"""Failures in a row that open it."""
PAUSE = 30.0
"""Seconds for which it stays open before one call may try."""


class Breaker:
    """Counts the failures of one service. `failure` is what counts as one, and `words` is what it says while it is open.

    Everything happens on one event loop; `clock` counts seconds.
    """

    def __init__(self, failure: type[Exception], words: str, clock: Callable[[], float]):
        self._failure = failure
        self._words = words
        self._clock = clock
        self._failures = 0
        self._tries_at = 0.0

    @property
    def open(self) -> bool:
        """Whether calls are refused without asking the service."""
        return self._failures >= FAILURES and self._clock() < self._tries_at

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """Around one call. Raises the failure, in our words, while it is open."""
        if self.open:
            raise self._failure(self._words)
        if self._failures >= FAILURES:
            self._tries_at = self._clock() + PAUSE  # this call tries; the others go on being refused
        try:
            yield
        except self._failure:
            self._failures += 1
            self._tries_at = self._clock() + PAUSE
            raise
        self._failures = 0
