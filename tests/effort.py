"""Ends what computes without end: for tests of texts that a careless pattern reads by the square of their length."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class TooMuch(BaseException):
    """Not an Exception, so that nothing on the way takes it for a failure of its own."""


@contextmanager
def processor_seconds(limit: float) -> Iterator[None]:
    """Raise TooMuch when this process has computed that long; how busy the machine is does not count."""

    def end(number: int, frame: FrameType | None) -> None:
        raise TooMuch(f"computed for more than {limit} seconds")

    before = signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, limit)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
