"""A folder of documents as a source. Labels come from path patterns: the first that fits decides, none means refused."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from bot.errors import ConfigError, UnreadableDocument
from bot.ports import Listed
from bot.settings import FilesSource as FilesSettings
from bot.types import Document, Labels
from connectors.sources.child import LimitedParser

_OWN = ("user:", "group:")


class FilesSource:
    """The files below one folder. Hidden files and links that lead out of it are not there."""

    def __init__(self, settings: FilesSettings, base: Path, declared: Collection[str] | None = None):
        self.name = settings.name
        self._root = (base / settings.path).resolve()
        self._url = settings.url.rstrip("/") + "/" if settings.url else ""
        self._patterns = _patterns(settings.name, settings.labels, declared)
        self._parser = LimitedParser()

    def list(self) -> Iterator[Listed]:
        """Every file. Raises ConfigError if the folder is not there: a vanished folder must not delete its documents."""
        if not self._root.is_dir():
            raise ConfigError(f"sources.{self.name}.path: {self._root} is not a folder; nothing was deleted")
        for path in sorted(_walk(self._root)):
            found = path.stat()
            relative = path.relative_to(self._root).as_posix()
            yield Listed(f"{self.name}/{relative}", f"{found.st_size}-{found.st_mtime_ns}", self._labels(relative))

    def read(self, listed: Listed) -> Document:
        """Parse one file in the limited child. Raises UnreadableDocument with the reason."""
        relative = listed.id.removeprefix(f"{self.name}/")
        if not listed.labels:
            raise UnreadableDocument(f"no label pattern of source {self.name} fits it, so nobody could see it")
        path = self._root / relative
        try:
            digest = _hash(path)
            modified = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            title, sections = self._parser.parse(path)
        except OSError as error:
            raise UnreadableDocument(f"cannot be opened: {error.strerror}") from error
        url = self._url + quote(relative) if self._url else ""
        return Document(listed.id, self.name, title, listed.labels, digest, sections, url, modified)

    def close(self) -> None:
        """End the parser's process."""
        self._parser.close()

    def _labels(self, relative: str) -> Labels:
        return next((labels for pattern, labels in self._patterns if pattern.fullmatch(relative)), frozenset())


def _walk(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(folder) / name
            if not name.startswith((".", "~$")) and path.is_file() and path.resolve().is_relative_to(root):
                yield path


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _patterns(
    source: str, given: Mapping[str, Collection[str]], declared: Collection[str] | None
) -> list[tuple[re.Pattern[str], Labels]]:
    made = []
    for pattern, labels in given.items():
        where = f"sources.{source}.labels: {pattern!r}"
        if not labels:
            raise ConfigError(f"{where}: names no label, so nobody could see these files")
        for label in labels:
            if declared is not None and label not in declared and not label.startswith(_OWN):
                raise ConfigError(
                    f"{where}: {label!r} is not declared in the policy; known: {', '.join(sorted(declared))}"
                )
        made.append((_translate(pattern), frozenset(labels)))
    return made


def _translate(pattern: str) -> re.Pattern[str]:
    """`*` and `?` stay inside one folder, `**` crosses folders, everything else is itself."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    signs = {"**/": r"(?:[^/]+/)*", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
    return re.compile("".join(signs.get(part, re.escape(part)) for part in parts), re.S)
