"""JSON lines: one object a line, read with errors that name file and line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot.errors import ConfigError


def objects(path: Path, needs: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each object with its place (``file:line``); blank lines are passed over. `needs` says what an object should hold.

    A line ends at a line feed alone: JSON may hold the other separators of Unicode. Raises ConfigError.
    """
    for number, line in enumerate(lines(path), 1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            read = json.loads(line)
        except ValueError as error:
            raise ConfigError(f"{where}: not valid JSON: {error}") from error
        except RecursionError as error:
            raise ConfigError(f"{where}: not valid JSON: nested too deeply") from error
        if not isinstance(read, dict):
            raise ConfigError(f"{where}: needs an object with {needs}")
        yield where, read


def lines(path: Path) -> list[str]:
    """The lines of a UTF-8 file, with or without a byte order mark. Raises ConfigError."""
    try:
        return path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error
