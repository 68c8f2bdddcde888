"""The linter: ruff in a process of its own, with a configuration of its own. It reads code and never runs it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

from ruff import find_ruff_bin

from bot.errors import BotError
from bot.ports import Finding

RULES = "E9,F,B,PLE,PLW0127,PLW0128,W605,RET503,SIM103"
"""What is a mistake, or nearly always one; nothing about style."""
PATIENCE = 10.0
"""Seconds."""


class Ruff:
    """A `Linter`."""

    def __init__(self, patience: float = PATIENCE):
        self._patience = patience
        self._program = find_ruff_bin()

    async def check(self, code: str) -> Sequence[Finding]:
        """What ruff finds, in the order of lines. Raises BotError if it does not answer."""
        printed = await self._run(code, "--output-format", "json", "--exit-zero")
        return tuple(_finding(one) for one in json.loads(printed))

    async def _run(self, code: str, *options: str) -> str:
        arguments = (
            "check",
            "--isolated",
            "--no-cache",
            "--select",
            RULES,
            *options,
            "--stdin-filename",
            "code.py",
            "-",
        )
        process = await asyncio.create_subprocess_exec(
            self._program,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={},
        )
        try:
            async with asyncio.timeout(self._patience):
                printed, _ = await process.communicate(code.encode("utf-8", errors="replace"))
        except TimeoutError as error:
            raise BotError("it did not answer in time") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:  # code that is nested thousands of levels deep overflows its stack
            raise BotError("the code is beyond what it can read")
        return printed.decode("utf-8")


def _finding(given: dict[str, object]) -> Finding:
    location = given["location"]
    line = int(location["row"]) if isinstance(location, dict) else 0
    return Finding(line, str(given["code"] or ""), str(given["message"]))
