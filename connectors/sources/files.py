"""A folder of documents as a source. Labels come from path patterns: the first that fits decides, none means refused."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote
from zlib import crc32

from bot.errors import ConfigError, UnreadableDocument
from bot.ports import Listed
from bot.settings import FilesSource as FilesSettings
from bot.types import Document, Labels
from connectors.sources.child import LimitedParser

_ESCAPED = re.compile(r"\\udc[89a-f][0-9a-f]")
"""A byte of a name that is no UTF-8, as it is listed."""
_OWN = ("user:", "group:")
"""Labels that name a reader need no declaration in the policy."""


class FilesSource:
    """The files below one folder. Hidden files and links are not there: a link could give a file another's labels."""

    def __init__(self, settings: FilesSettings, base: Path, declared: Collection[str] | None = None):
        self.name = settings.name
        self._root = Path(os.path.realpath(base / settings.path))
        self._url = settings.url.rstrip("/") + "/" if settings.url else ""
        self._patterns = _patterns(settings.name, settings.labels, declared)
        self._parser = LimitedParser()

    def list(self) -> Iterator[Listed]:
        """Every file. Raises ConfigError if a folder cannot be read or a pattern is in vain; nothing is deleted then."""
        found = sorted(self._walk())
        names = [relative for relative, _ in found]
        _refuse_vain(self.name, self._patterns, names, self._root)
        place = f"{crc32(self._url.encode()):08x}"  # documents are cited anew when the folder moves to another URL
        for relative, status in found:
            fingerprint = f"{status.st_size}-{status.st_mtime_ns}-{place}"
            yield Listed(f"{self.name}/{_written(relative)}", fingerprint, self._labels(relative))

    def read(self, listed: Listed) -> Document:
        """Parse one file in the limited child. Raises UnreadableDocument with the reason."""
        if not listed.labels:
            raise UnreadableDocument(f"no label pattern of source {self.name} fits it, so nobody could see it")
        relative = listed.id.removeprefix(f"{self.name}/")
        if _ESCAPED.search(relative):
            raise UnreadableDocument("its name is not UTF-8 text; rename it")
        path = self._root / relative
        try:
            modified = datetime.fromtimestamp(path.lstat().st_mtime, UTC)
        except OSError as error:
            raise UnreadableDocument(f"cannot be opened: {error.strerror}") from error
        if os.path.realpath(path) != str(path):
            raise UnreadableDocument("is behind a link, which is not followed")
        file = self._parser.parse(path)
        url = self._url + quote(relative) if self._url else ""
        return Document(listed.id, self.name, file.title, listed.labels, file.hash, file.sections, url, modified)

    def close(self) -> None:
        """End the parser's process."""
        self._parser.close()

    def _labels(self, relative: str) -> Labels:
        return next((pattern.labels for pattern in self._patterns if pattern.fits(relative)), frozenset())

    def _walk(self) -> Iterator[tuple[str, os.stat_result]]:
        """Relative path and status of each file. A folder that cannot be read is an error, not an empty folder."""
        for folder, folders, names in os.walk(self._root, onerror=self._unreadable):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in names:
                path = Path(folder) / name
                try:
                    status = path.lstat()
                except FileNotFoundError:
                    continue
                if not name.startswith((".", "~$")) and path.is_file() and not path.is_symlink():
                    yield path.relative_to(self._root).as_posix(), status

    def _unreadable(self, error: OSError) -> NoReturn:
        raise ConfigError(
            f"sources.{self.name}.path: {error.filename}: {error.strerror}; nothing was deleted"
        ) from error


def _written(relative: str) -> str:
    """A name in bytes that are not UTF-8 is listed in an escaped form, under which it cannot be opened, and so reported."""
    return relative.encode("utf-8", "backslashreplace").decode()


@dataclass(frozen=True, slots=True)
class _Pattern:
    text: str
    form: re.Pattern[str]
    labels: Labels

    def fits(self, relative: str) -> bool:
        return self.form.fullmatch(unicodedata.normalize("NFC", relative)) is not None


def _patterns(source: str, given: Mapping[str, Collection[str]], declared: Collection[str] | None) -> list[_Pattern]:
    made = []
    for text, labels in given.items():
        where = f"sources.{source}.labels: {text!r}"
        if not labels:
            raise ConfigError(f"{where}: names no label, so nobody could see these files")
        for label in labels:
            if declared is not None and label not in declared and not label.startswith(_OWN):
                known = ", ".join(sorted(declared))
                raise ConfigError(f"{where}: {label!r} is not declared in the policy; known: {known}")
        made.append(_Pattern(text, _translate(text), frozenset(labels)))
    return made


def _refuse_vain(source: str, patterns: Collection[_Pattern], names: Collection[str], root: Path) -> None:
    """A pattern that decides nothing is a mistake that could show files to the wrong people.

    Either an earlier one takes all its files, or the folder that it begins with is not there. That a folder is there
    but holds nothing that fits is no mistake: its documents were deleted.
    """
    left = set(names)
    for pattern in patterns:
        where = f"sources.{source}.labels: {pattern.text!r}"
        fitting = {name for name in names if pattern.fits(name)}
        if fitting and not fitting & left:
            raise ConfigError(f"{where}: never decides, earlier patterns fit all its files; put it before them")
        left -= fitting
        folder = re.split(r"[*?]", pattern.text, maxsplit=1)[0].rpartition("/")[0]
        if not fitting and not (root / folder).is_dir():
            raise ConfigError(f"{where}: there is no folder {folder!r} in {root}; nothing was deleted")


def _translate(pattern: str) -> re.Pattern[str]:
    """`*` and `?` stay inside one folder, `**` crosses folders, everything else is itself."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", unicodedata.normalize("NFC", pattern))
    signs = {"**/": r"(?:[^/]+/)*", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
    return re.compile("".join(signs.get(part, re.escape(part)) for part in parts), re.S)
