"""How much came with a message: counted without reading it, so that what is too long is refused before any work is done."""

from __future__ import annotations

from collections.abc import Iterable

from bot.types import Turn, Upload


def beside(turn: Turn) -> int:
    """Characters of the files and the quoted messages that came beside the text of a message."""
    return of_files(turn.uploads) + sum(len(one.text) for one in turn.message.excerpts)


def of_files(uploads: Iterable[Upload]) -> int:
    """Characters of files as they were parsed."""
    return sum(len(section.text) for upload in uploads for section in upload.sections)
