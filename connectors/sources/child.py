"""Parses files in a child process with limits, so that a bomb or a damaged file costs that process and nothing else."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.errors import UnreadableDocument
from bot.types import Section

SECONDS = 9.5
"""Wall-clock time for one file, the start of a fresh child included."""
MAX_ANSWER = 40 << 20
"""Bytes that the child may answer."""
_PACKAGES = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """What a file holds. `hash` is the SHA-256 of its bytes."""

    title: str
    sections: tuple[Section, ...]
    hash: str


class LimitedParser:
    """One child at a time, reused while it behaves. `parse` blocks: call it from a thread, one call at a time."""

    def __init__(self, seconds: float = SECONDS):
        self._seconds = seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._ending: Callable[[], object] = lambda: None

    def parse(self, path: Path) -> ParsedFile:
        """The title and sections of a file. Raises UnreadableDocument with the reason."""
        answer = self._ask(path)
        if answer.get("worn"):
            self.close()
        if "reason" in answer:
            raise UnreadableDocument(str(answer["reason"]))
        sections = (Section(s["text"], tuple(s["heading"]), s["page"], s["table"]) for s in answer["sections"])
        return ParsedFile(str(answer["title"]), tuple(sections), str(answer["hash"]))

    def close(self) -> None:
        """End the child."""
        self._ending()
        self._child = None

    def _ask(self, path: Path) -> dict[str, Any]:
        until = time.monotonic() + self._seconds
        if self._child is None or self._child.poll() is not None:
            self.close()
            self._child = _start()
            self._ending = weakref.finalize(self, _end, self._child)
        try:
            _write(self._child, path)
            answer: dict[str, Any] = json.loads(_line(self._child, until))
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
        env={"PYTHONPATH": str(_PACKAGES), "PATH": os.defpath, "LC_ALL": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1"},
        cwd="/",
    )


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()


def _write(child: subprocess.Popen[bytes], path: Path) -> None:
    if child.stdin is not None:
        child.stdin.write(json.dumps(str(path)).encode() + b"\n")
        child.stdin.flush()


def _line(child: subprocess.Popen[bytes], until: float) -> bytes:
    """One line of the child's output, within the time and the size. Raises TimeoutError or EOFError."""
    output = child.stdout.fileno() if child.stdout else -1
    waiting = select.poll()
    waiting.register(output, select.POLLIN)
    line = bytearray()
    while not line.endswith(b"\n"):
        left = until - time.monotonic()
        if left <= 0 or not waiting.poll(left * 1000):
            raise TimeoutError
        piece = os.read(output, 1 << 16)
        line += piece
        if not piece or len(line) > MAX_ANSWER:
            raise EOFError
    return bytes(line)
