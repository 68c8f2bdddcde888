"""What all formats share: a flow of headings, text and tables becomes sections; rows become lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain, groupby, islice

from bot.types import Section

Block = tuple[str, int, str]
"""(``heading`` | ``text`` | ``table``, level of a heading from 1, text)."""
_ROWS = 1000
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b-\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def one_line(text: str) -> str:
    """A title or heading on one line, at most 300 characters."""
    return " ".join(text.split())[:300]


def storable(text: str) -> str:
    """The text without what no database takes: half characters, zeros and other controls."""
    return _UNSTORABLE.sub("", text)


def table_text(rows: Iterable[tuple[str, ...]]) -> str:
    """Rows as lines of cells; empty rows and empty cells at the end of a row are left out."""
    lines = []
    for row in rows:
        cells = [" ".join(cell.split()).replace("|", "/") for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if any(cells):
            lines.append(" | ".join(cells))
    return "\n".join(lines)


def tables(name: str, rows: Iterable[tuple[str, ...]]) -> Iterator[Section]:
    """The tables of a sheet. An empty line ends one: the figures below do not belong to the header above.

    A line with one cell above a table is its heading. Rows come a thousand at a time, so that a huge sheet is
    noticed before it fills the memory.
    """
    caption = ""
    count = 0
    for filled, block in groupby(rows, lambda row: any(cell.strip() for cell in row)):
        for row in block if filled else ():
            cells = [cell for cell in row if cell.strip()]
            if len(cells) == 1:
                yield _sheet(name, "", [(caption,)])
                caption = cells[0]
                continue
            count += 1
            rest = chain([row], block)
            while part := list(islice(rest, _ROWS)):
                yield _sheet(name, caption or (f"Table {count}" if count > 1 else ""), part)
            caption = ""
    yield _sheet(name, "", [(caption,)])


def _sheet(name: str, caption: str, rows: Iterable[tuple[str, ...]]) -> Section:
    return Section(table_text(rows), tuple(one_line(part) for part in (name, caption) if part), None, table=True)


def outline(blocks: Iterable[Block]) -> Iterator[Section]:
    """Sections from a flow of blocks: headings nest by their level."""
    path: list[tuple[int, str]] = []
    texts: list[str] = []

    def close() -> Iterator[Section]:
        if texts:
            yield Section("\n".join(texts), tuple(name for _, name in path))
            texts.clear()

    for kind, level, raw in blocks:
        text = raw.strip() if kind != "table" else raw.rstrip()  # an empty first cell keeps the others in their columns
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
