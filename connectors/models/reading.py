"""Turns a chat's tokens into text that may be shown: whole characters, nothing after a stop sequence, no tool calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence


class Reader:
    """Collects the text of one answer. Text that may be the beginning of a stop sequence or a call is held back."""

    def __init__(self, decode: Callable[[int], str | None], stops: Sequence[str] = (), trigger: str = ""):
        self._decode = decode
        self._stops = tuple(stop for stop in stops if stop)
        self._trigger = trigger
        self._held = ""
        self.calls = ""
        self.stopped = False

    def feed(self, tokens: Sequence[int]) -> str:
        """Take new tokens; returns the text that may be shown now."""
        self._held += "".join(self._decode(token) or "" for token in tokens)
        if self.stopped or self.calls:
            return self._keep()
        return self._cut() if self._found() else self._show()

    def rest(self) -> str:
        """What was held back, when no more tokens will come."""
        if self.stopped:
            return ""
        if self.calls:
            return self._keep()
        shown, self._held = self._held, ""
        return shown

    def _found(self) -> bool:
        return any(mark in self._held for mark in self._marks())

    def _marks(self) -> tuple[str, ...]:
        return (*self._stops, self._trigger) if self._trigger else self._stops

    def _cut(self) -> str:
        place, mark = min((self._held.index(mark), mark) for mark in self._marks() if mark in self._held)
        shown, rest = self._held[:place], self._held[place:]
        self._held = ""
        if mark in self._stops:
            self.stopped = True
        else:
            self.calls = rest
        return shown

    def _keep(self) -> str:
        if not self.stopped:
            self.calls += self._held
        self._held = ""
        return ""

    def _show(self) -> str:
        """All but the longest end that could grow into a mark."""
        longest = max((len(mark) for mark in self._marks()), default=1) - 1
        for size in range(min(longest, len(self._held)), 0, -1):
            if any(mark.startswith(self._held[-size:]) for mark in self._marks()):
                shown, self._held = self._held[:-size], self._held[-size:]
                return shown
        shown, self._held = self._held, ""
        return shown
