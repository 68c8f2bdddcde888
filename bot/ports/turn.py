"""What one turn needs: who answers it, the files that came with it, and code that is checked or run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from bot.types import Attachment, Reply, Turn, Upload


class FileReader(Protocol):
    """Reads a file that came with a message, in the same limited way as a source's."""

    async def read(self, file: Attachment) -> Upload:
        """The file's sections, or the reason for which it cannot be read. Never raises for what the file holds."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a linter says of a line (counted from 1). `code` names the rule; ``invalid-syntax`` if it cannot be read."""

    line: int
    code: str
    message: str


class Linter(Protocol):
    """Reads Python without running it."""

    async def check(self, code: str) -> Sequence[Finding]:
        """The mistakes it finds, in the order of lines. Raises BotError if it cannot tell."""


class Assistant(Protocol):
    """Answers one turn."""

    def answer(self, turn: Turn) -> AsyncIterator[Reply]:
        """Status and checked text as they come, then exactly one Done."""


Language = Literal["python", "shell", "sql"]
"""What a sandbox may run; which of these it does run is its own `languages`."""


@dataclass(frozen=True, slots=True)
class Program:
    """Code that nobody trusts. `files` are laid beside it, by name; `sql` runs against an empty SQLite database."""

    language: Language
    code: str
    stdin: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)


Ending = Literal["finished", "time", "memory", "killed", "refused"]
"""How a run ended: by itself, at a limit of time or memory, by a signal, or not begun (no sandbox, or it is busy)."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What really happened in one run. `exit` is None unless it finished; `cut` says that output was longer than shown.

    `reason` says why it was refused or ended, in words for the person.
    """

    ending: Ending
    exit: int | None = None
    output: str = ""
    errors: str = ""
    cut: bool = False
    seconds: float = 0.0
    reason: str = ""

    @property
    def good(self) -> bool:
        """Whether it finished without a failure."""
        return self.ending == "finished" and self.exit == 0


class Sandbox(Protocol):
    """Runs code that nobody trusts: no network, no files of this machine, bounded in everything, or not at all."""

    tier: str
    languages: frozenset[Language]

    async def run(self, program: Program, person: str = "") -> Ran:
        """Run a program to its end or to a limit; one at a time for each person. It never raises for what the code does."""
