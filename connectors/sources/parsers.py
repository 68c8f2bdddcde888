"""Files to titles and sections. Runs inside the limited child process only: see worker.py.

A section is text under one heading on one page; a table is lines of cells joined by " | ", its header line first.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from bot.errors import UnreadableDocument
from bot.types import Section
from connectors.sources.flow import one_line, outline, table_text
from connectors.sources.webpage import html_sections

MAX_TEXT = 20_000_000
"""Characters of text in one document."""
MAX_PAGES = 5_000
"""Pages of one PDF, slides of one presentation."""
MAX_UNPACKED = 200 << 20
"""Bytes that a DOCX, PPTX or XLSX may unpack to."""
MAX_RATIO = 300
"""How much smaller a packed member may be than its content: office files stay under 100."""
MAX_MEMBERS = 10_000


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a file holds."""

    title: str
    sections: tuple[Section, ...]


def parse(path: Path) -> Parsed:
    """Read one file by its ending. Raises UnreadableDocument with the reason."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise UnreadableDocument(
            f"{path.suffix or 'no ending'}: this kind is not read; known: {', '.join(sorted(READERS))}"
        )
    title, found = reader(path)
    sections: list[Section] = []
    size = 0
    for section in found:
        text = section.text.strip()
        size += len(text)
        if size > MAX_TEXT:
            raise UnreadableDocument(f"holds more than {MAX_TEXT:,} characters of text")
        if text:
            sections.append(Section(text, section.heading, section.page, section.table))
    if not sections:
        raise UnreadableDocument("holds no text; a scan needs text recognition first")
    return Parsed(one_line(title) or _title_in(sections) or _from_name(path), tuple(sections))


def _title_in(sections: list[Section]) -> str:
    first = sections[0]
    return first.heading[0] if first.heading and not first.table else ""


def _from_name(path: Path) -> str:
    return re.sub(r"[-_]+", " ", path.stem).strip().capitalize()


def decode(raw: bytes) -> str:
    """Text in UTF-8 (with or without a mark), UTF-16 with a mark, Shift JIS, or else Latin-1."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16")
    if b"\x00" in raw[:4096]:
        raise UnreadableDocument("is not text")
    for encoding in ("utf-8-sig", "cp932", "euc_jp"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def _text(path: Path) -> tuple[str, Iterator[Section]]:
    text = decode(path.read_bytes())
    paragraphs = (" ".join(part.split()) if "|" not in part else part for part in re.split(r"\n\s*\n", text))
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    title = first if len(first) <= 80 and not first.endswith((".", "。")) else ""
    return title, iter([Section("\n\n".join(paragraphs), (title,) if title else ())])


def _markdown(path: Path) -> tuple[str, Iterator[Section]]:
    from markdown_it import MarkdownIt

    text = decode(path.read_bytes())
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.S)
    return html_sections(MarkdownIt("commonmark", {"html": False}).enable("table").render(text))


def _html(path: Path) -> tuple[str, Iterator[Section]]:
    return html_sections(decode(path.read_bytes()))


def _csv(path: Path) -> tuple[str, Iterator[Section]]:
    text = decode(path.read_bytes())
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff(text[:8192], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    rows = (tuple(cell.strip() for cell in row) for row in csv.reader(io.StringIO(text), dialect))
    return "", iter([Section(table_text(rows), (), None, table=True)])


def _xlsx(path: Path) -> tuple[str, Iterator[Section]]:
    from openpyxl import load_workbook

    _check_package(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns about style extensions that carry no text
        book = load_workbook(path, read_only=True, data_only=True)

    def sheets() -> Iterator[Section]:
        for sheet in book.worksheets:
            rows = (tuple(_shown(cell) for cell in row) for row in sheet.iter_rows())
            yield Section(table_text(rows), (sheet.title,), None, table=True)

    return book.properties.title or "", sheets()


def _shown(cell: Any) -> str:
    """A cell's value as the sheet shows it: thousands, decimals, percent and dates."""
    value, form = cell.value, cell.number_format or ""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d" if value.time() == time() else "%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    places = len(match.group(1)) if (match := re.search(r"0\.(0+)", form)) else 0
    if "%" in form:
        return f"{value * 100:.{places}f}%"
    if "0" in form:
        return f"{value:,.{places}f}" if "," in form else f"{value:.{places}f}"
    return f"{value:.10g}"


def _docx(path: Path) -> tuple[str, Iterator[Section]]:
    import docx
    from docx.table import Table

    _check_package(path)
    document = docx.Document(str(path))

    def blocks() -> Iterator[tuple[str, int, str]]:
        for block in document.iter_inner_content():
            if isinstance(block, Table):
                yield "table", 0, table_text(_docx_rows(block))
                continue
            style = (block.style.name if block.style else "") or ""
            level = int(style[8:]) if re.fullmatch(r"Heading [1-9]", style) else int(style == "Title")
            yield ("heading" if level else "text"), level, block.text

    return document.core_properties.title or "", outline(blocks())


def _docx_rows(table: Any) -> Iterator[tuple[str, ...]]:
    for row in table.rows:
        cells: list[Any] = []
        for cell in row.cells:
            if not cells or cell._tc is not cells[-1]._tc:  # a merged cell is listed once for each column it covers
                cells.append(cell)
        yield tuple(cell.text for cell in cells)


def _pptx(path: Path) -> tuple[str, Iterator[Section]]:
    from pptx import Presentation

    _check_package(path)
    show = Presentation(str(path))
    if len(show.slides) > MAX_PAGES:
        raise UnreadableDocument(f"has more than {MAX_PAGES:,} slides")

    def slides() -> Iterator[Section]:
        for number, slide in enumerate(show.slides, 1):
            title = slide.shapes.title.text.strip() if slide.shapes.title is not None else ""
            heading = (one_line(title),) if title else ()
            texts = [s.text_frame.text for s in slide.shapes if s.has_text_frame and s.text_frame.text.strip() != title]
            if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
                texts.append(slide.notes_slide.notes_text_frame.text)
            yield Section("\n".join(texts) or title, heading, number)
            for shape in slide.shapes:
                if shape.has_table:
                    rows = (tuple(cell.text for cell in row.cells) for row in shape.table.rows)
                    yield Section(table_text(rows), heading, number, table=True)

    return show.core_properties.title or "", slides()


def _pdf(path: Path) -> tuple[str, Iterator[Section]]:
    from connectors.sources.pdf import pdf_sections

    return pdf_sections(path, MAX_PAGES)


def _check_package(path: Path) -> None:
    """Refuse a packed office file that would unpack to something monstrous, or that declares XML entities."""
    with zipfile.ZipFile(path) as package:
        members = package.infolist()
        if len(members) > MAX_MEMBERS:
            raise UnreadableDocument(f"is packed from more than {MAX_MEMBERS:,} parts")
        if sum(member.file_size for member in members) > MAX_UNPACKED:
            raise UnreadableDocument(f"unpacks to more than {MAX_UNPACKED >> 20} MB")
        for member in members:
            if member.file_size > 1 << 20 and member.file_size > MAX_RATIO * max(member.compress_size, 1):
                raise UnreadableDocument(f"{member.filename} unpacks to {member.file_size:,} bytes: a bomb")
            if member.filename.startswith("/") or ".." in Path(member.filename).parts:
                raise UnreadableDocument(f"holds a part outside itself: {member.filename}")
            if member.filename.endswith((".xml", ".rels")):
                with package.open(member) as part:
                    if b"<!DOCTYPE" in part.read(4096).upper():
                        raise UnreadableDocument(f"{member.filename} declares a document type")


Reader = Callable[[Path], tuple[str, Iterator[Section]]]
READERS: dict[str, Reader] = {
    ".md": _markdown,
    ".markdown": _markdown,
    ".txt": _text,
    ".text": _text,
    ".html": _html,
    ".htm": _html,
    ".pdf": _pdf,
    ".docx": _docx,
    ".pptx": _pptx,
    ".xlsx": _xlsx,
    ".csv": _csv,
}
