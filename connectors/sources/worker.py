"""The child process that parses: reads a path a line from standard input, writes one JSON object a line.

It limits itself before it imports any parser, and again before each file: whatever a file does, it does to this process.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from dataclasses import asdict
from pathlib import Path

MEMORY = 1 << 30
"""Bytes of address space beyond which allocation fails."""
CPU_SECONDS = 9
"""Processor time for one file."""


def main() -> None:
    """Serve until standard input closes."""
    _limit()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a parser prints must not look like an answer
    for line in sys.stdin:
        _grant_cpu()
        answers.write(json.dumps(_answer(Path(json.loads(line)))) + "\n")
        answers.flush()


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def _grant_cpu() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    allowed = int(used.ru_utime + used.ru_stime) + CPU_SECONDS + 1
    resource.setrlimit(resource.RLIMIT_CPU, (allowed, resource.RLIM_INFINITY))


def _answer(path: Path) -> dict[str, object]:
    from bot.errors import UnreadableDocument
    from connectors.sources.parsers import parse

    try:
        parsed = parse(path)
    except UnreadableDocument as error:
        return {"reason": str(error)}
    except MemoryError:
        return {"reason": f"needs more than {MEMORY >> 20} MB of memory to read", "spent": True}
    except Exception as error:  # noqa: BLE001 - a damaged file may raise anything in a parser; the reason goes to the admin
        return {"reason": f"is damaged: {type(error).__name__}: {error}"[:300]}
    return {"title": parsed.title, "sections": [asdict(section) for section in parsed.sections]}


if __name__ == "__main__":
    main()
