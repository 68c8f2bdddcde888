"""One program in one tier, from the order to what really happened in words. Blocks; knows no queue and no person."""

from __future__ import annotations

import marshal
import re
import secrets
import signal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.ports import Program, Ran
from connectors.sandbox.cell import FLOOD, Cell, Ended
from connectors.sandbox.tiers import MAIN, Launch, Limits, Tier

FILES = 8 << 20
"""Bytes of a program with its files and its input."""
_NAME = re.compile(r"[^/\0]{1,100}")
_SQL = Path(__file__).with_name("table.py")
_FORMAT = 4  # of marshal: every Python reads it


def refusal(program: Program) -> str:
    """Why a program is not even begun; nothing if it may be."""
    taken = set(MAIN.values()) | {".", ".."}
    for name in program.files:
        if not _NAME.fullmatch(name) or name in taken:
            return f"a file cannot be called {name!r}: plain names only, and not {', '.join(sorted(MAIN.values()))}"
    size = len(program.code.encode()) + len(program.stdin.encode()) + sum(map(len, program.files.values()))
    if size > FILES:
        return f"the program with its files and input has {size >> 20} MB; {FILES >> 20} MB is the most"
    return ""


def run_in(tier: Tier, program: Program, limits: Limits, user: int, cell: Cell) -> Ran:
    """Run a program in a tier. Whatever the program does, this returns."""
    token = secrets.token_hex(16)
    try:
        with tier.open(program.language, limits, user) as launch:
            order = launch.order | {"token": token, "files": _files(program)}
            if program.language == "sql":
                order |= {"main": MAIN["python"]}
            ended = cell.run(launch.command, launch.folder, _given(launch, order, program))
    except OSError as error:
        return Ran("refused", reason=f"the sandbox could not be started: {error}")
    return _told(ended, program, limits, token.encode())


def _files(program: Program) -> dict[str, bytes]:
    files: Mapping[str, bytes] = program.files
    own = {MAIN[program.language]: program.code.encode()}
    runner = {MAIN["python"]: _SQL.read_bytes()} if program.language == "sql" else {}
    return {**files, **own, **runner}


def _given(launch: Launch, order: dict[str, Any], program: Program) -> bytes:
    body = marshal.dumps(order, _FORMAT)
    return len(body).to_bytes(4, "little") + body + program.stdin.encode()


def _told(ended: Ended, program: Program, limits: Limits, token: bytes) -> Ran:
    errors = ended.errors
    if token in errors:
        why = errors.partition(token)[2].decode(errors="replace")
        return Ran("refused", reason=f"the sandbox could not be set up: {why}")
    shown = Ran(
        "finished",
        output=ended.output.decode(errors="replace"),
        errors=errors.decode(errors="replace"),
        cut=ended.cut,
        seconds=ended.seconds,
    )
    if ended.stopped == "time":
        return replace(shown, ending="time", reason=f"it was stopped after {limits.seconds:g} seconds")
    if ended.stopped == "flood":
        return replace(shown, ending="killed", reason=f"it was stopped after printing {FLOOD >> 20} MB")
    if ended.stopped == "asked":
        return replace(shown, ending="killed", reason="it was stopped on request")
    return _by_itself(shown, ended.code, program, limits)


def _by_itself(shown: Ran, code: int, program: Program, limits: Limits) -> Ran:
    """Bubblewrap tells a signal as 128 and its number, as shells do."""
    number = -code if code < 0 else code - 128 if code > 128 else 0
    if number == signal.SIGXCPU:
        return replace(shown, ending="time", reason=f"it used {limits.cpu} seconds of processor time")
    if number in signal.valid_signals() and program.language != "shell":
        name = signal.Signals(number).name
        return replace(shown, ending="killed", reason=f"it was ended by {name}")
    last = shown.errors.rstrip().rpartition("\n")[2]
    if (
        code
        and last.startswith(("MemoryError", "main.sql"))
        and (last.startswith("MemoryError") or "out of memory" in last)
    ):
        return replace(
            shown, ending="memory", exit=None, reason=f"it wanted more than {limits.memory >> 20} MB of memory"
        )
    return replace(shown, exit=code)
