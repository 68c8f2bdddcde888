"""Runs one command with a clock, a cap on output and nothing of this process's environment, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import Literal

OUTPUT, ERRORS = 48 << 10, 16 << 10
"""Bytes that are kept: the first of the output, and the last of the errors, where a traceback says what happened."""
FLOOD = 16 << 20
"""Bytes at which a program that prints without end is stopped."""
ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "PATH": "/bin",
    "HOME": "/tmp",  # noqa: S108 - the sandbox's own
    "OPENBLAS_NUM_THREADS": "1",
}
"""All that a program finds in its environment. It says nothing about this machine."""
_STEP = 0.05


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended. `code` is negative for a signal; `stopped` says what we stopped it for."""

    code: int
    output: bytes
    errors: bytes
    cut: bool
    seconds: float
    stopped: Literal["", "time", "flood", "asked"] = ""


class Kept:
    """The first bytes of a stream, or the last ones, and how many there were."""

    def __init__(self, most: int, last: bool = False):
        self._most, self._last = most, last
        self.kept = bytearray()
        self.seen = 0

    def add(self, piece: bytes) -> None:
        """Take a piece, keep what is to be kept."""
        self.seen += len(piece)
        if self._last:
            self.kept += piece
            del self.kept[: -self._most]
        else:
            self.kept += piece[: self._most - len(self.kept)]

    @property
    def cut(self) -> bool:
        """Whether there was more than is kept."""
        return self.seen > self._most


class Cell:
    """One run. `run` blocks; `stop` ends it from another thread."""

    def __init__(self, seconds: float):
        self._seconds = seconds
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End the run soon; no harm if it has ended."""
        self._stopped.set()

    def run(self, command: list[str], folder: str, given: bytes) -> Ended:
        """Run a command in a folder with `given` as standard input. Raises OSError if it cannot be started."""
        started = time.monotonic()
        output, errors = Kept(OUTPUT), Kept(ERRORS, last=True)
        process = subprocess.Popen(  # noqa: S603 - running such things is what a cell is for
            command,
            cwd=folder,
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            stopped = self._attend(process, given, output, errors, started + self._seconds)
        finally:
            _end(process)
        return Ended(
            process.returncode,
            bytes(output.kept),
            bytes(errors.kept),
            output.cut or errors.cut,
            time.monotonic() - started,
            stopped,
        )

    def _attend(
        self, process: subprocess.Popen[bytes], given: bytes, output: Kept, errors: Kept, until: float
    ) -> Literal["", "time", "flood", "asked"]:
        """Feed and read until the program has ended, or until there is a reason to end it: returns the reason."""
        left = memoryview(given)
        with selectors.DefaultSelector() as waiting:
            for stream, kept in ((process.stdout, output), (process.stderr, errors)):
                if stream is not None:
                    waiting.register(stream, selectors.EVENT_READ, kept)
            if process.stdin is not None:
                os.set_blocking(process.stdin.fileno(), False)
                waiting.register(process.stdin, selectors.EVENT_WRITE)
            while waiting.get_map() or process.poll() is None:
                if self._stopped.is_set():
                    return "asked"
                if time.monotonic() >= until:
                    return "time"
                if output.seen + errors.seen > FLOOD:
                    return "flood"
                if not waiting.get_map():
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(_STEP)
                    continue
                for key, _ in waiting.select(_STEP):
                    if key.data is None:
                        left = _feed(key, left, waiting)
                    else:
                        _drain(key, waiting)
        return ""


def _feed(key: selectors.SelectorKey, left: memoryview, waiting: selectors.BaseSelector) -> memoryview:
    try:
        left = left[os.write(key.fd, left[: 1 << 16]) :]
    except BlockingIOError:
        return left
    except BrokenPipeError:
        left = left[:0]
    if not left:
        waiting.unregister(key.fileobj)
        with contextlib.suppress(BrokenPipeError):
            key.fileobj.close()  # type: ignore[union-attr]  # it is the pipe that Popen made
    return left


def _drain(key: selectors.SelectorKey, waiting: selectors.BaseSelector) -> None:
    piece = os.read(key.fd, 1 << 16)
    if piece:
        key.data.add(piece)
    else:
        waiting.unregister(key.fileobj)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of it, and wait for it: with bubblewrap's outer process its whole process namespace ends."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with contextlib.suppress(BrokenPipeError):
                stream.close()
