"""DOCX, PPTX and XLSX to sections. Runs inside the limited child process only: see worker.py."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

from bot.errors import UnreadableDocument
from bot.types import Section
from connectors.sources.cells import shown
from connectors.sources.flow import Block, one_line, outline, table_text, tables

MAX_SLIDES = 2_000
MAX_UNPACKED = 200 << 20
"""Bytes that a file may unpack to."""
MAX_RATIO = 300
"""How much smaller a packed part of more than a megabyte may be than its content; tables of zeros reach about 200."""
MAX_PARTS = 10_000
_PROLOGUE = 1 << 16
_ROOT = re.compile(rb"<[A-Za-z_]")


def docx(raw: bytes) -> tuple[str, Iterator[Section]]:
    """Headings, paragraphs, list items and tables of a Word document, in order."""
    from docx import Document
    from docx.table import Table

    _check_package(raw)
    document = Document(io.BytesIO(raw))

    def blocks() -> Iterator[Block]:
        for block in document.iter_inner_content():
            if isinstance(block, Table):
                yield "table", 0, table_text(_docx_rows(block))
                continue
            style = (block.style.name if block.style else "") or ""
            level = int(style[8:]) if re.fullmatch(r"Heading [1-9]", style) else int(style == "Title")
            listed = not level and (
                style.startswith("List") or (block._p.pPr is not None and block._p.pPr.numPr is not None)
            )
            yield ("heading" if level else "text"), level, f"- {block.text}" if listed and block.text else block.text

    return document.core_properties.title or "", outline(blocks())


def _docx_rows(table: Any) -> Iterator[tuple[str, ...]]:
    """The rows. A merged cell stands in each column that it covers, but once if it is the whole row."""
    for row in table.rows:
        cells = list(row.cells)
        yield tuple(cell.text for cell in (cells if any(cell._tc is not cells[0]._tc for cell in cells) else cells[:1]))


def pptx(raw: bytes) -> tuple[str, Iterator[Section]]:
    """Slides as pages: the title as heading, text, notes, tables and the figures behind charts."""
    from pptx import Presentation

    _check_package(raw)
    show = Presentation(io.BytesIO(raw))
    if len(show.slides) > MAX_SLIDES:
        raise UnreadableDocument(f"has {len(show.slides):,} slides; at most {MAX_SLIDES:,} are read")
    sections = (section for number, slide in enumerate(show.slides, 1) for section in _slide(slide, number))
    return show.core_properties.title or "", sections


def _slide(slide: Any, number: int) -> Iterator[Section]:
    title = slide.shapes.title.text.strip() if slide.shapes.title is not None else ""
    heading = (one_line(title),) if title else ()
    shapes = list(_flat(slide.shapes))
    frames = [s.text_frame for s in shapes if s.has_text_frame and s.text_frame.text.strip() != title]
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        frames.append(slide.notes_slide.notes_text_frame)
    texts = [" ".join(paragraph.text.split()) for frame in frames for paragraph in frame.paragraphs]
    # A blank line between: the lines of a slide seldom end like sentences, and are none that was wrapped.
    yield Section("\n\n".join(text for text in texts if text) or title, heading, number)
    for shape in shapes:
        if getattr(shape, "has_table", False):
            rows = (tuple(cell.text for cell in row.cells) for row in shape.table.rows)
            yield Section(table_text(rows), heading, number, table=True)
        if getattr(shape, "has_chart", False):
            yield Section(table_text(_chart(shape.chart)), heading, number, table=True)


def _flat(shapes: Iterable[Any]) -> Iterator[Any]:
    for shape in shapes:
        if hasattr(shape, "shapes"):
            yield from _flat(shape.shapes)
        else:
            yield shape


def _chart(chart: Any) -> Iterator[tuple[str, ...]]:
    """A line of series names, then a line for each category."""
    for plot in chart.plots:
        series = list(plot.series)
        yield ("", *(one.name for one in series))
        for i, category in enumerate(plot.categories):
            yield (str(category), *(shown(one.values[i], "General") if i < len(one.values) else "" for one in series))


def xlsx(raw: bytes) -> tuple[str, Iterator[Section]]:
    """Sheets as tables under the sheet's name; a line with one cell above a table is its heading."""
    from openpyxl import load_workbook

    _check_package(raw)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns about style extensions that carry no text
        book = load_workbook(io.BytesIO(raw), read_only=True, data_only=True)

    def sheets() -> Iterator[Section]:
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # a sheet may claim a million empty columns
            rows = (tuple(shown(cell.value, cell.number_format or "") for cell in row) for row in sheet.iter_rows())
            yield from tables(sheet.title, rows)

    return book.properties.title or "", sheets()


def _check_package(raw: bytes) -> None:
    """Refuse a packed file that would unpack to something monstrous, or whose XML declares entities."""
    if raw[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise UnreadableDocument("is encrypted, or in the format of Office 97; remove the password or save it anew")
    with zipfile.ZipFile(io.BytesIO(raw)) as package:
        parts = package.infolist()
        if len(parts) > MAX_PARTS:
            raise UnreadableDocument(f"is packed from {len(parts):,} parts; at most {MAX_PARTS:,} are read")
        if sum(part.file_size for part in parts) > MAX_UNPACKED:
            raise UnreadableDocument(f"unpacks to more than {MAX_UNPACKED >> 20} MB")
        for part in parts:
            _check_part(package, part)


def _check_part(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    if part.filename.startswith("/") or ".." in PurePosixPath(part.filename.replace("\\", "/")).parts:
        raise UnreadableDocument(f"holds a part outside itself: {part.filename}")
    if part.file_size > 1 << 20 and part.file_size > MAX_RATIO * max(part.compress_size, 1):
        raise UnreadableDocument(f"{part.filename} unpacks to {part.file_size >> 20} MB from nothing: a bomb")
    if part.filename.lower().endswith((".xml", ".rels", ".vml")):
        with package.open(part) as file:
            start = file.read(_PROLOGUE).replace(b"\x00", b"")  # without zeros, UTF-16 and UTF-32 read like ASCII
        root = _ROOT.search(start)
        if b"<!DOCTYPE" in start[: root.start() if root else None].upper():
            raise UnreadableDocument(f"{part.filename} declares a document type, as attacks with XML entities do")
        if root is None and part.file_size > _PROLOGUE:
            raise UnreadableDocument(f"{part.filename} does not begin like XML")
