"""A directory.yaml that may change while it is used: read again when it did, and kept as it was while it is broken."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from bot.errors import ConfigError
from bot.types import Principal, Room
from connectors.directory_file import FileDirectory

_LOG = logging.getLogger("rolecall.directory")


class LiveFileDirectory:
    """Implements the Directory port over a file that is looked at before each answer."""

    def __init__(self, path: Path):
        self._path = path
        self._stamp = _stamp(path)
        self._directory = FileDirectory(path)

    async def person(self, ref: str) -> Principal | None:
        """The person behind a reference or alias, as the file says it now."""
        return await self._current().person(ref)

    async def room(self, ref: str) -> Room | None:
        """The room behind a reference or alias, as the file says it now."""
        return await self._current().room(ref)

    async def members(self, room: Room) -> Sequence[Principal] | None:
        """Everybody who reads a room, as the file says it now."""
        return await self._current().members(room)

    def _current(self) -> FileDirectory:
        stamp = _stamp(self._path)
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._directory = FileDirectory(self._path)
            except ConfigError as error:
                _LOG.error("%s; the last good directory stays in force", error)
        return self._directory


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """What changes whenever a file does; None if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
