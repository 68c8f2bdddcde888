"""HTML to sections: headings nest, tables keep their rows, scripts and navigation are left out."""

from __future__ import annotations

from collections.abc import Iterator

from bs4 import BeautifulSoup
from bs4.element import NavigableString, Tag

from bot.types import Section
from connectors.sources.flow import outline, table_text

_SILENT = ["script", "style", "noscript", "template", "nav", "header", "footer", "aside", "form", "iframe", "svg"]
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_MOST_COVERED = 100
"""Columns or rows that one cell covers at most."""
_BLOCKS = {"p", "li", "pre", "blockquote", "dt", "dd", "figcaption", "div", "section", "article", "main", "ul", "ol"}


def html_sections(html: str) -> tuple[str, Iterator[Section]]:
    """The page's title and its sections in reading order."""
    soup = BeautifulSoup(html, "lxml")
    title = soup.title.get_text() if soup.title else ""
    for tag in soup.find_all(_SILENT):
        if not (tag.name == "header" and tag.find(list(_HEADINGS))):
            tag.decompose()
    first = soup.find("h1")
    title = title or (first.get_text() if first else "")
    return title, outline(_blocks(soup.body or soup))


def _blocks(parent: Tag) -> Iterator[tuple[str, int, str]]:
    """Blocks below a tag: loose text counts as a paragraph, a list item keeps a bullet."""
    loose: list[str] = []

    def close() -> Iterator[tuple[str, int, str]]:
        text = " ".join("".join(loose).split())
        loose.clear()
        if text:
            yield "text", 0, f"- {text}" if parent.name == "li" else text

    for child in parent.children:
        if isinstance(child, NavigableString):
            loose.append(str(child) if type(child) is NavigableString else "")
        elif isinstance(child, Tag) and (child.name in _HEADINGS or child.name in _BLOCKS or child.name == "table"):
            yield from close()
            if child.name in _HEADINGS:
                yield "heading", _HEADINGS[child.name], child.get_text()
            elif child.name == "table":
                yield "table", 0, table_text(_rows(child))
            elif child.name == "pre":
                yield "text", 0, child.get_text()
            else:
                yield from _blocks(child)
        elif isinstance(child, Tag):
            nested = child.find([*_HEADINGS, *_BLOCKS, "table"])
            if nested:
                yield from close()
                yield from _blocks(child)
            else:
                loose.append("\n" if child.name == "br" else child.get_text())
    yield from close()


def _rows(table: Tag) -> Iterator[tuple[str, ...]]:
    """The rows. A cell over several columns or rows stands in each of them: figures stay below the names of their columns."""
    covered: dict[int, tuple[str, int]] = {}
    for row in table.find_all("tr"):
        cells: list[str] = []
        below: dict[int, tuple[str, int]] = {}

        def put(text: str, rows: int, cells: list[str] = cells, below: dict[int, tuple[str, int]] = below) -> None:
            if rows:
                below[len(cells)] = (text, rows - 1)
            cells.append(text)

        found = row.find_all(["td", "th"])
        for cell in found:
            while len(cells) in covered:
                put(*covered[len(cells)])
            for _ in range(_span(cell, "colspan")):
                put(cell.get_text(" "), _span(cell, "rowspan") - 1)
        while len(cells) in covered:
            put(*covered[len(cells)])
        covered = below
        yield tuple(cells if len(found) > 1 or len(set(cells)) > 1 else cells[:1])


def _span(cell: Tag, which: str) -> int:
    said = str(cell.get(which, "1")).strip()
    return max(1, min(int(said), _MOST_COVERED)) if said.isascii() and said.isdigit() else 1
