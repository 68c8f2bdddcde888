"""Prose to PPTX: each heading of the first level begins a slide; a paragraph that begins with "Notes:" is spoken."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.shapes import MSO_SHAPE
from pptx.util import Inches, Pt

from source.package import write_package
from source.prose import Block, Prose

NAVY = RGBColor(0x12, 0x3B, 0x5D)
AMBER = RGBColor(0xE0, 0x8E, 0x2B)
_SPOKEN = "Notes: "


def write_slides(prose: Prose, path: Path) -> None:
    """Write one presentation: a title slide, then the slides of the blocks."""
    show = Presentation()
    facts = show.core_properties
    facts.title, facts.author, facts.last_modified_by = prose.title, prose.author, prose.author
    facts.created, facts.modified, facts.revision = prose.made, prose.made, 1
    first = show.slides.add_slide(show.slide_layouts[0])
    first.shapes.title.text = prose.title
    first.placeholders[1].text = prose.subtitle
    _stripe(first, show)
    slide: Any = first
    for block in prose.blocks:
        if block.kind == "heading" and block.level == 1:
            slide = show.slides.add_slide(show.slide_layouts[1])
            slide.shapes.title.text = block.text
            _stripe(slide, show)
        else:
            _add(slide, block)
    packed = BytesIO()
    show.save(packed)
    write_package(packed, path, prose.made)


def _stripe(slide: Any, show: Any) -> None:
    bar = slide.shapes.add_shape(MSO_SHAPE.RECTANGLE, 0, 0, show.slide_width, Inches(0.12))
    bar.fill.solid()
    bar.fill.fore_color.rgb = AMBER
    bar.line.fill.background()
    for paragraph in slide.shapes.title.text_frame.paragraphs:
        paragraph.font.color.rgb, paragraph.font.bold = NAVY, True


def _add(slide: Any, block: Block) -> None:
    if block.kind == "table":
        _table(slide, block)
    elif block.text.startswith(_SPOKEN):
        slide.notes_slide.notes_text_frame.text = block.text.removeprefix(_SPOKEN)
    else:
        frame = slide.placeholders[1].text_frame
        paragraph = frame.paragraphs[0] if not frame.text else frame.add_paragraph()
        paragraph.text = block.text
        paragraph.font.size = Pt(20)


def _table(slide: Any, block: Block) -> None:
    body = slide.placeholders[1]
    filled = bool(body.text_frame.text)
    top = Inches(4.2) if filled else Inches(1.8)
    if not filled:
        body.element.getparent().remove(body.element)
    size = len(block.rows), len(block.rows[0])
    table = slide.shapes.add_table(*size, Inches(0.6), top, Inches(8.8), Inches(0.4) * size[0]).table
    for row, texts in enumerate(block.rows):
        for column, text in enumerate(texts):
            cell = table.cell(row, column)
            cell.text = text
            cell.text_frame.paragraphs[0].font.size = Pt(14)
