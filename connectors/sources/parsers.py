"""Files to titles and sections. Runs inside the limited child process only: see worker.py.

A section is text under one heading on one page; a table is lines of cells joined by " | ", its header line first.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath

from bot.errors import UnreadableDocument
from bot.types import Section
from connectors.sources.encodings import decode, decode_html
from connectors.sources.flow import Block, one_line, outline, storable, tables
from connectors.sources.office import docx, pptx, xlsx
from connectors.sources.pdf import pdf
from connectors.sources.webpage import html_sections

MAX_TEXT = 10_000_000
"""Characters of text in one document: about 3,000 pages."""
_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n", re.S)
_FRONT_TITLE = re.compile(r"^title:[^\S\n]*+['\"]?+(.*[^\s'\"])", re.M)
_STANDS_OUT = re.compile(r"【[^【】]{1,40}】|(?=.*[A-Z]{4})[A-Z][A-Z0-9 ,.&/'()-]{3,60}")
"""A heading in plain text."""
_NO_TITLE = re.compile(r"untitled|\(anonymous\)|powerpoint presentation|(microsoft word - )?[^ ]+\.\w{3,4}", re.I)
"""What programs write where a title should be."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a file holds."""

    title: str
    sections: tuple[Section, ...]


def parse(name: str, raw: bytes) -> Parsed:
    """Read one file by the ending of its name. Raises UnreadableDocument with the reason."""
    reader = READERS.get(PurePath(name).suffix.lower())
    if reader is None:
        kinds = ", ".join(sorted(READERS))
        raise UnreadableDocument(f"{PurePath(name).suffix or 'no ending'}: this kind is not read; known: {kinds}")
    if not raw.strip(b"\x00 \t\r\n"):
        raise UnreadableDocument("is empty")
    title, found = reader(raw)
    sections: list[Section] = []
    size = 0
    for section in found:
        text = storable(section.text).rstrip().lstrip("\n")
        size += len(text)
        if size > MAX_TEXT:
            raise UnreadableDocument(f"holds more than {MAX_TEXT:,} characters of text; split it")
        if text:
            heading = tuple(storable(part) for part in section.heading)
            sections.append(Section(text, heading, section.page, section.table))
    if not sections:
        raise UnreadableDocument("holds no text; a scan needs text recognition first")
    named = one_line(storable(title))
    named = "" if _NO_TITLE.fullmatch(named) else named
    return Parsed(named or _title_in(sections) or _from_name(name), tuple(sections))


def _title_in(sections: list[Section]) -> str:
    """The first heading; the name of a sheet is not what the document is about."""
    first = sections[0]
    return first.heading[0] if first.heading and not (first.table and first.page is None) else ""


def _from_name(name: str) -> str:
    stem = re.sub(r"[-_\s]+", " ", PurePath(name).stem).strip()
    return stem[:1].upper() + stem[1:]


def _text(raw: bytes) -> tuple[str, Iterator[Section]]:
    text = decode(raw)
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    title = first if len(first) <= 80 and not first.endswith((".", "。", ",", "、")) and "|" not in first else ""
    return title, outline(_plain_blocks(text, title))


def _plain_blocks(text: str, title: str) -> Iterator[Block]:
    """Plain text under the lines that stand out as headings: in capitals or in 【】, behind an empty line."""
    if title:
        yield "heading", 1, title
    part: list[str] = []
    before = ""
    for line in text.splitlines():
        if _STANDS_OUT.fullmatch(line.strip()) and not before.strip():
            yield "text", 0, "\n".join(part)
            part = []
            yield "heading", 2, line.strip().strip("【】")
        else:
            part.append(line)
        before = line
    yield "text", 0, "\n".join(part)


def _markdown(raw: bytes) -> tuple[str, Iterator[Section]]:
    from markdown_it import MarkdownIt

    text = decode(raw)
    front = _FRONT_MATTER.match(text)
    named = _FRONT_TITLE.search(front.group(1)) if front else None
    body = text[front.end() :] if front else text
    title, sections = html_sections(MarkdownIt("commonmark", {"html": False}).enable("table").render(body))
    return named.group(1) if named else title, sections


def _html(raw: bytes) -> tuple[str, Iterator[Section]]:
    return html_sections(decode_html(raw))


def _csv(raw: bytes) -> tuple[str, Iterator[Section]]:
    text = decode(raw)
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff(text[:8192], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    return "", tables("", (tuple(cell.strip() for cell in row) for row in csv.reader(io.StringIO(text), dialect)))


Reader = Callable[[bytes], tuple[str, Iterator[Section]]]
READERS: dict[str, Reader] = {
    ".md": _markdown,
    ".markdown": _markdown,
    ".txt": _text,
    ".text": _text,
    ".html": _html,
    ".htm": _html,
    ".pdf": pdf,
    ".docx": docx,
    ".pptx": pptx,
    ".xlsx": xlsx,
    ".csv": _csv,
}
