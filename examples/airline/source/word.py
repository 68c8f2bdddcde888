"""Prose to DOCX."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import docx
from docx.document import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.oxml.ns import qn
from docx.shared import Pt, RGBColor

from source.package import write_package
from source.prose import Block, Prose

NAVY = RGBColor(0x12, 0x3B, 0x5D)
TABLE = "Light Grid Accent 1"
GREY = RGBColor(0x5B, 0x6B, 0x7A)


def write_word(prose: Prose, path: Path) -> None:
    """Write one document: its title, who issued it, then the blocks."""
    document = docx.Document()
    _lighten(document)
    _dress(document, "Yu Gothic" if prose.language == "ja" else "Calibri")
    facts = document.core_properties
    facts.title, facts.author, facts.last_modified_by, facts.comments = prose.title, prose.author, prose.author, ""
    facts.language, facts.created, facts.modified, facts.revision = prose.language, prose.made, prose.made, 1
    document.add_paragraph(prose.title, style="Title")
    if prose.subtitle:
        line = document.add_paragraph().add_run(prose.subtitle)
        line.font.color.rgb, line.font.size = GREY, Pt(10)
    for block in prose.blocks:
        _add(document, block)
    packed = BytesIO()
    document.save(packed)
    write_package(packed, path, prose.made)


def _lighten(document: Document) -> None:
    """Leave out what the template brings and nobody uses: a hundred table styles, and all styles a second time."""
    for style in list(document.styles.element.style_lst):
        if style.get(qn("w:type")) == "table" and style.name_val not in ("Normal Table", TABLE):
            style.getparent().remove(style)
    for key, relation in list(document.part.rels.items()):
        if relation.reltype.endswith("/stylesWithEffects"):
            del document.part.rels[key]


def _dress(document: Document, face: str) -> None:
    for name in ("Normal", "Title", "Heading 1", "Heading 2", "Heading 3"):
        style = document.styles[name]
        style.font.name = face
        style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), face)
        if name != "Normal":
            style.font.color.rgb = NAVY
    document.styles["Normal"].font.size = Pt(10.5)


def _add(document: Document, block: Block) -> None:
    if block.kind == "break":
        document.add_page_break()
    elif block.kind == "heading":
        document.add_heading(block.text, block.level)
    elif block.kind == "table":
        _table(document, block)
    else:
        numbered = block.sign not in ("", "•")
        style = "List Bullet" if block.sign == "•" else None
        paragraph = document.add_paragraph(style=style)
        if numbered:  # Word's own numbering would go on from list to list
            paragraph.add_run(f"{block.sign} ")
        for run in block.runs:
            paragraph.add_run(run.text).bold = run.bold


def _table(document: Document, block: Block) -> None:
    table = document.add_table(len(block.rows), len(block.rows[0]), style=TABLE)
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    for row, texts in zip(table.rows, block.rows, strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    document.add_paragraph()
