"""What all formats share: a flow of headings, text and tables becomes sections; rows become lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.types import Section


def one_line(text: str) -> str:
    """A title or heading on one line, at most 300 characters."""
    return " ".join(text.split())[:300]


def table_text(rows: Iterable[tuple[str, ...]]) -> str:
    """Rows as lines of cells; empty rows and empty columns at the end are left out."""
    lines = []
    for row in rows:
        cells = [" ".join(cell.split()).replace("|", "/") for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if any(cells):
            lines.append(" | ".join(cells))
    return "\n".join(lines)


def outline(blocks: Iterable[tuple[str, int, str]]) -> Iterator[Section]:
    """Sections from a flow of (``heading`` | ``text`` | ``table``, level, text): headings nest by their level."""
    path: list[tuple[int, str]] = []
    texts: list[str] = []

    def close() -> Iterator[Section]:
        if texts:
            yield Section("\n".join(texts), tuple(name for _, name in path))
            texts.clear()

    for kind, level, raw in blocks:
        text = raw.strip()
        if not text:
            continue
        if kind != "heading":
            texts.append(text)
            continue
        yield from close()
        while path and path[-1][0] >= level:
            path.pop()
        path.append((level, one_line(text)))
    yield from close()
