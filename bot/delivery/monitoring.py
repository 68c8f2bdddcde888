"""Nobody watches: what counts and times where no monitor is given. And which answer a line of the log is about."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import Literal

from bot.ports import Ended, Verdict
from bot.types import Answer

CURRENT: ContextVar[str] = ContextVar("rolecall_answer", default="")
"""The id of the answer that is being made, for the log; empty outside answers."""


class Unwatched:
    """Implements the Monitor port by doing nothing."""

    def received(self, door: str, verdict: Verdict) -> None:
        """Count nothing."""

    def waited(self, until: Literal["first_word", "answer"], seconds: float) -> None:
        """Time nothing."""

    def answered(self, answer: Answer) -> None:
        """Count nothing."""

    def ended(self, how: Ended) -> None:
        """Count nothing."""

    def made(self, answer: Answer) -> None:
        """Trace nothing."""

    def step(self, name: str, **about: str) -> AbstractContextManager[None]:
        """Trace nothing."""
        return nullcontext()
