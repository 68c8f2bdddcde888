"""Tables to XLSX and CSV. In a workbook each heading of the first level begins a sheet; text stands above its table."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from io import BytesIO
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter

from source.package import write_package
from source.prose import Prose

Rows = Sequence[Sequence[str]]

_NUMBER = re.compile(r"-?(\d{1,4}|\d{1,3}(,\d{3})+)(\.\d+)?%?")
_HEAD = Font(bold=True, color="FFFFFF")
_NAVY = PatternFill("solid", fgColor="123B5D")


def write_book(prose: Prose, path: Path) -> None:
    """Write a workbook from prose."""
    sheets: dict[str, list[tuple[str, ...]]] = {}
    rows: list[tuple[str, ...]] = []
    for block in prose.blocks:
        if block.kind == "heading":
            rows = sheets.setdefault(block.text, [])
        else:
            rows.extend(block.rows or [(block.text,)])
    write_sheets(prose.title, prose.author, prose.made, sheets, path)


def write_sheets(title: str, author: str, made: datetime, sheets: dict[str, list[tuple[str, ...]]], path: Path) -> None:
    """Write a workbook from rows by sheet. The first row with more than one cell is the header."""
    book = Workbook()
    book.remove(book.active)
    facts = book.properties
    facts.title, facts.creator, facts.created, facts.modified = title, author, made.replace(tzinfo=None), None
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        header = next(number for number, row in enumerate(rows, 1) if len(row) > 1)
        for number, row in enumerate(rows, 1):
            for column, text in enumerate(row, 1):
                cell = sheet.cell(number, column)
                cell.value, cell.number_format = _typed(text)
                if number == header:
                    cell.font, cell.fill = _HEAD, _NAVY
        sheet.freeze_panes = f"A{header + 1}"
        for column, texts in enumerate(zip(*(row for row in rows if len(row) > 1), strict=True), 1):
            sheet.column_dimensions[get_column_letter(column)].width = max(map(len, texts)) + 3
    packed = BytesIO()
    book.save(packed)
    write_package(packed, path, made)


def write_csv(rows: Iterable[Sequence[str]], path: Path, encoding: str = "utf-8") -> None:
    """Write a CSV the way SAP does: semicolons between cells."""
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=";", lineterminator="\r\n").writerows(rows)


def _typed(text: str) -> tuple[str | int | float, str]:
    """A cell's value and number format. Digits without thousands separators, if more than four, are a code."""
    if not _NUMBER.fullmatch(text):
        return text, "General"
    places = len(text.rstrip("%").partition(".")[2])
    decimals = "." + "0" * places if places else ""
    if text.endswith("%"):
        return round(float(text[:-1]) / 100, places + 2), f"0{decimals}%"
    bare = text.replace(",", "")
    form = f"#,##0{decimals}" if "," in text or places else "General"
    return (float(bare) if places else int(bare)), form
