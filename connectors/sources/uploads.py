"""Reads the files that come with messages: fetched by the door they came through, parsed like a source's files.

What is text but no kind of document (code, logs, JSON) is taken as it is.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path, PurePath

from bot.errors import UnreadableDocument
from bot.types import Attachment, Section, Upload
from connectors.sources.child import LimitedParser
from connectors.sources.encodings import decode
from connectors.sources.parsers import READERS

MAX_UPLOAD = 20 << 20
"""Bytes of one file that is read."""
MAX_PLAIN = 1_000_000
"""Characters of a plain text file that are read."""

Fetch = Callable[[Attachment], Awaitable[bytes]]
"""Gets a file's bytes. Raises UnreadableDocument if the platform will never give them, DoorUnavailable if not now."""


class UploadReader:
    """Implements the FileReader port. `fetchers` are by the door's name, with which a file's `ref` starts."""

    def __init__(self, fetchers: Mapping[str, Fetch]):
        self._fetchers = fetchers
        self._parser = LimitedParser()
        self._turn = asyncio.Lock()

    async def read(self, file: Attachment) -> Upload:
        """The file's sections, or the reason for which it cannot be read. Raises DoorUnavailable if it cannot be now."""
        name = PurePath(file.name).name
        try:
            _within(file.size)
            fetched = file if file.content else replace(file, content=await self._fetched(file))
            _within(len(fetched.content))
            return Upload(name, await self._sections(name, fetched.content), fetched.content)
        except UnreadableDocument as error:
            return Upload(name, problem=str(error))

    async def _fetched(self, file: Attachment) -> bytes:
        fetch = self._fetchers.get(file.ref.partition(":")[0])
        if fetch is None:
            raise UnreadableDocument("is empty" if not file.ref else "cannot be fetched: no such door is open")
        return await fetch(file)

    async def _sections(self, name: str, content: bytes) -> tuple[Section, ...]:
        if PurePath(name).suffix.lower() not in READERS:
            return (Section(_plain(name, content)),)
        async with self._turn:
            return await asyncio.to_thread(self._parsed, name, content)

    def _parsed(self, name: str, content: bytes) -> tuple[Section, ...]:
        with tempfile.TemporaryDirectory(prefix="rolecall-") as folder:
            path = Path(folder) / f"upload{PurePath(name).suffix.lower()}"
            path.write_bytes(content)
            return self._parser.parse(path).sections

    def close(self) -> None:
        """End the parser's process."""
        self._parser.close()


def _within(size: int) -> None:
    if size > MAX_UPLOAD:
        raise UnreadableDocument(f"has {size / (1 << 20):.1f} MB; at most {MAX_UPLOAD >> 20} MB are read")


def _plain(name: str, content: bytes) -> str:
    """The text of a file that no parser knows. Raises UnreadableDocument if it is no text."""
    if b"\x00" in content[:8192]:
        kinds = ", ".join(sorted(READERS))
        raise UnreadableDocument(
            f"{PurePath(name).suffix or 'no ending'}: this kind is not read; known: plain text, code, {kinds}"
        )
    text = decode(content).strip("\ufeff")
    if not text.strip():
        raise UnreadableDocument("is empty")
    if len(text) > MAX_PLAIN:
        raise UnreadableDocument(f"holds {len(text):,} characters; at most {MAX_PLAIN:,} are read")
    return text
