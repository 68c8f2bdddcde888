"""The child process that parses: reads a path a line from standard input, writes one JSON object a line.

It limits itself before it imports any parser, and again before each file: whatever a file does, it does to this process.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import sys
from dataclasses import asdict
from pathlib import Path

MAX_FILE = 50 << 20
"""Bytes of a file that is read at all."""
MEMORY = 1 << 30
"""Bytes of address space beyond which allocation fails."""
CPU_SECONDS = 9
"""Processor time for one file."""
_WORN = MEMORY // 4


def main() -> None:
    """Serve until standard input closes."""
    _limit()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a parser prints must not look like an answer
    for line in sys.stdin:
        _grant_cpu()
        answers.write(json.dumps(_answer(Path(json.loads(line))), ensure_ascii=False) + "\n")
        answers.flush()


def _limit() -> None:
    for limit, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_NPROC, 0),  # no effect for root, who should not run this
    ):
        resource.setrlimit(limit, (most, most))


def _grant_cpu() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    allowed = int(used.ru_utime + used.ru_stime) + CPU_SECONDS + 1
    resource.setrlimit(resource.RLIMIT_CPU, (allowed, resource.RLIM_INFINITY))


def _answer(path: Path) -> dict[str, object]:
    """What the file holds and the hash of its content, or the reason for which it cannot be read.

    `worn` says that this process has grown: the next file deserves a fresh one.
    """
    from bot.errors import UnreadableDocument
    from connectors.sources.parsers import parse

    try:
        raw = _content(path)
        parsed = parse(path.name, raw)
    except UnreadableDocument as error:
        return {"reason": str(error), "worn": _worn()}
    except OSError as error:
        return {"reason": f"cannot be opened: {error.strerror}"}
    except MemoryError:
        return {"reason": f"needs more than {MEMORY >> 20} MB of memory to read", "worn": True}
    except Exception as error:  # noqa: BLE001 - a damaged file may raise anything in a parser; the reason goes to the admin
        reason = " ".join(f"is damaged: {type(error).__name__}: {error}".split())
        return {"reason": reason[:300], "worn": _worn()}
    sections = [asdict(section) for section in parsed.sections]
    return {"title": parsed.title, "sections": sections, "hash": hashlib.sha256(raw).hexdigest(), "worn": _worn()}


def _content(path: Path) -> bytes:
    """The file's bytes, read once, so that what is hashed is what is parsed. A link is not followed."""
    from bot.errors import UnreadableDocument

    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        raw = file.read(MAX_FILE + 1)
    if len(raw) > MAX_FILE:
        raise UnreadableDocument(f"has more than {MAX_FILE >> 20} MB, the most that is read; split it")
    return raw


def _worn() -> bool:
    """By what it holds now: the peak that getrusage knows is inherited from the process that started this one."""
    resident = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    return resident > _WORN


if __name__ == "__main__":
    main()
