"""Where code is tried: in the sandbox if there is one for its language, and under the linter's eye in any case.

What is known of a run is a `Trial`, made here from what the sandbox reports; nobody else says that something ran.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.assistant.engineer.codetext import PYTHON, Block
from bot.assistant.engineer.faults import Fault, read_fault
from bot.errors import BotError
from bot.ports import Finding, Language, Linter, Program, Ran, Sandbox

UNREADABLE = ("invalid-syntax", "E999")
UNDEFINED = "F821"
_NO_TABLE = re.compile(r"no such table: ([\w.]{1,80})")
_LANGUAGES: dict[str, Language] = {"python": "python", "shell": "shell", "sql": "sql"}


@dataclass(frozen=True, slots=True)
class Trial:
    """Code, and what came of running it with some checks behind it; `ran` is None if it was not tried at all.

    `held` says whether the checks were reached and all held; None if there were none.
    """

    code: str
    language: str
    ran: Ran | None = None
    checks: tuple[str, ...] = ()
    held: bool | None = None
    program: str = ""

    @property
    def began(self) -> bool:
        """Whether anything ran."""
        return self.ran is not None and self.ran.ending != "refused"

    @property
    def good(self) -> bool:
        """Whether it ran to its end without an error, and every check held."""
        return self.ran is not None and self.ran.good and self.held is not False

    @property
    def fault(self) -> Fault | None:
        """How it failed, with the line in the code (0 if it failed elsewhere)."""
        if self.ran is None or self.good:
            return None
        found = read_fault(self.ran.errors)
        if found is None or found.line <= len(self.code.splitlines()):
            return found
        inside = [int(line) for line in re.findall(r'File "[^"]+", line (\d+)', self.ran.errors)]
        own = [line for line in inside if line <= len(self.code.splitlines())]
        return replace(found, line=own[-1] if own and found.kind != "AssertionError" else 0)

    @property
    def endless(self) -> bool:
        """Whether it was stopped because it did not come to an end."""
        return self.ran is not None and self.ran.ending == "time"

    @property
    def no_table(self) -> str:
        """The table that a query needs and the empty database here does not have; that says nothing about the query."""
        found = _NO_TABLE.search(self.ran.errors) if self.ran and self.language == "sql" and not self.good else None
        made = found and re.search(rf"\bcreate\b[^;]{{0,40}}\b{re.escape(found[1])}\b", self.code, re.I)
        return found[1] if found and not made else ""

    @property
    def unreadable(self) -> bool:
        """Whether it failed because it could not even be read, in whatever language."""
        errors = self.ran.errors if self.ran and not self.good else ""
        return bool(self.fault and self.fault.syntax) or "syntax error" in errors.lower()

    @property
    def failed_check(self) -> str:
        """The check that failed, as it was written."""
        found = read_fault(self.ran.errors) if self.ran else None
        lines = self.program.splitlines()
        if found is None or not 0 < found.line <= len(lines):
            return ""
        if found.line <= len(self.code.splitlines()) and not self._own_check(found, lines[found.line - 1]):
            return ""
        return re.sub(r", repr\(.*\)$", "", lines[found.line - 1].strip())

    def _own_check(self, found: Fault, line: str) -> bool:
        """Whether a failure inside the code is one of a check that the person wrote there."""
        own = found.where.startswith("test") or line in self.checks
        return found.kind == "AssertionError" and line.lstrip().startswith("assert") and own


class Bench:
    """Tries code. Without a `sandbox` nothing runs; the linter reads Python in any case."""

    def __init__(self, sandbox: Sandbox | None, linter: Linter):
        self._sandbox = sandbox
        self._linter = linter

    @property
    def languages(self) -> frozenset[str]:
        """What can be run here; empty if there is no sandbox."""
        return frozenset(self._sandbox.languages) if self._sandbox else frozenset()

    async def run(
        self, code: str, language: str, person: str, checks: Sequence[str] = (), beside: Sequence[Block] = ()
    ) -> Trial:
        """Run code with its checks, for a person; a language that cannot be run here gives a trial without a run."""
        code, checks = code.rstrip(), tuple(checks) if language == PYTHON else ()
        if self._sandbox is None or language not in self.languages:
            return Trial(code, language, None, checks)
        mark = secrets.token_hex(8)
        program = _program(code, checks, mark)
        files = {block.name: block.text.encode() for block in beside if re.fullmatch(r"[\w.-]+", block.name)}
        ran = await self._sandbox.run(Program(_LANGUAGES[language], program, files=files), person)
        held = (mark in ran.output) if checks else None
        return Trial(code, language, replace(ran, output=_without(ran.output, mark)), checks, held, program)

    async def findings(self, code: str, language: str) -> tuple[Finding, ...] | None:
        """The linter's findings; None if it does not read this language. Raises BotError if it cannot tell."""
        return tuple(await self._linter.check(code)) if language == PYTHON else None

    async def broken(self, code: str) -> tuple[Finding, ...]:
        """What must keep Python code from working: lines that cannot be read, names that nothing sets; empty if unknown."""
        try:
            found = await self._linter.check(code)
        except BotError:
            return ()
        unreadable = tuple(one for one in found if one.code in UNREADABLE)
        return unreadable or tuple(one for one in found if one.code == UNDEFINED)

    async def reads_further(self, code: str, line: int) -> bool:
        """Whether Python can read the code, or at least beyond a line."""
        found = [one.line for one in await self.broken(code) if one.code in UNREADABLE]
        return not found or min(found) > line


def _program(code: str, checks: Sequence[str], mark: str) -> str:
    """The code, its checks, and a mark that is printed only if all of them held. Line numbers of the code stay."""
    if not checks:
        return code
    body = "\n".join(checks)
    calls = "\n".join(f"{name}()" for name in re.findall(r"^def (test_\w+)\(\)", body, re.M))
    return f"{code}\n{body}\n{calls}\n__import__('sys').stdout.write({f'{chr(10)}{mark}{chr(10)}'!r})\n"


def _without(output: str, mark: str) -> str:
    """What the program printed itself."""
    return output.replace(f"\n{mark}\n", "")
