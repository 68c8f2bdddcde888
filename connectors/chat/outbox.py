"""The files of an answer at the terminal: listed by name, type and size, and written into a folder if one is named."""

from __future__ import annotations

import itertools
import mimetypes
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath

from bot.errors import ConfigError
from bot.types import Attachment

UNNAMED = "file"


def media_type(file: Attachment) -> str:
    """What kind of file the name says that it is."""
    return mimetypes.guess_type(file.name)[0] or "application/octet-stream"


def save(files: Sequence[Attachment], folder: Path) -> list[Path]:
    """Write files into a folder, which is made if it is not there, and say where each one is.

    Nothing is ever overwritten: a name that is taken gets a number. Raises ConfigError if it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [_written(file, folder) for file in files]
    except OSError as error:
        raise ConfigError(f"--out: {folder}: {error.strerror}; name a folder that can be written") from error


def _written(file: Attachment, folder: Path) -> Path:
    name = PurePosixPath(PureWindowsPath(file.name).name).name.lstrip(".") or UNNAMED
    stem, suffix = PurePosixPath(name).stem, PurePosixPath(name).suffix
    for number in itertools.count(1):
        path = folder / (name if number == 1 else f"{stem}-{number}{suffix}")
        try:
            with path.open("xb") as opened:
                opened.write(file.content)
        except FileExistsError:
            continue
        return path
    raise AssertionError("numbers do not run out")
