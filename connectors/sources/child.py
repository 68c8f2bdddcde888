"""Parses files in a child process with limits, so that a bomb or a damaged file costs that process and nothing else."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bot.errors import UnreadableDocument
from bot.types import Section

SECONDS = 9.5
"""Wall-clock time for one file, a fresh child included."""
MAX_FILE = 50 << 20
"""Bytes of a file that is read at all."""
MAX_ANSWER = 100 << 20
"""Bytes that the child may answer."""
_ROOT = Path(__file__).parents[2]


class LimitedParser:
    """One child at a time, reused while it behaves. `parse` blocks: call it from a thread."""

    def __init__(self, seconds: float = SECONDS):
        self._seconds = seconds
        self._child: subprocess.Popen[bytes] | None = None

    def parse(self, path: Path) -> tuple[str, tuple[Section, ...]]:
        """The title and sections of a file. Raises UnreadableDocument with the reason."""
        size = path.stat().st_size
        if size > MAX_FILE:
            raise UnreadableDocument(f"has {size >> 20} MB; at most {MAX_FILE >> 20} MB are read")
        if not size:
            raise UnreadableDocument("is empty")
        answer = self._ask(path)
        if answer.get("spent"):
            self.close()
        if "reason" in answer:
            raise UnreadableDocument(str(answer["reason"]))
        sections = (Section(s["text"], tuple(s["heading"]), s["page"], s["table"]) for s in answer["sections"])
        return str(answer["title"]), tuple(sections)

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child = None

    def _ask(self, path: Path) -> dict[str, Any]:
        until = time.monotonic() + self._seconds
        child = self._child = self._child or _start()
        try:
            _write(child, path)
            answer: dict[str, Any] = json.loads(_line(child, until))
        except (OSError, EOFError, ValueError, TimeoutError) as error:
            self.close()
            late = isinstance(error, TimeoutError)
            reason = f"takes longer than {self._seconds:.0f} seconds to read" if late else "made the parser stop"
            raise UnreadableDocument(f"{reason}; it may be damaged or made to do harm") from error
        return answer


def _start() -> subprocess.Popen[bytes]:
    """A child with no environment but what Python needs: nothing secret is within a parser's reach."""
    return subprocess.Popen(
        [sys.executable, "-s", "-B", "-W", "ignore", "-m", "connectors.sources.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PYTHONPATH": str(_ROOT), "PATH": os.defpath, "LC_ALL": "C.UTF-8"},
        cwd="/",
    )


def _write(child: subprocess.Popen[bytes], path: Path) -> None:
    if child.stdin is not None:
        child.stdin.write(json.dumps(str(path.resolve())).encode() + b"\n")
        child.stdin.flush()


def _line(child: subprocess.Popen[bytes], until: float) -> bytes:
    """One line of the child's output, within the time and the size. Raises TimeoutError or EOFError."""
    output = child.stdout.fileno() if child.stdout else -1
    pieces: list[bytes] = []
    size = 0
    while not pieces or not pieces[-1].endswith(b"\n"):
        left = until - time.monotonic()
        if left <= 0 or not select.select([output], [], [], left)[0]:
            raise TimeoutError
        piece = os.read(output, 1 << 16)
        size += len(piece)
        if not piece or size > MAX_ANSWER:
            raise EOFError
        pieces.append(piece)
    return b"".join(pieces)
