"""Files as office programs make them, and files as attackers and bad disks make them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import docx
from openpyxl import Workbook
from pptx import Presentation
from pptx.util import Inches
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import BaseDocTemplate, Frame, PageBreak, PageTemplate, Paragraph, SimpleDocTemplate, Table

FIGURES = [["Segment", "2025", "2024"], ["Cargo", "142.7", "131.2"], ["Passengers", "1,196.3", "1,098.4"]]


def docx_file(path: Path) -> None:
    document = docx.Document()
    document.core_properties.title = "Parental leave"
    document.add_heading("Entitlement", 1)
    document.add_paragraph("Each parent may take 20 weeks.")
    document.add_heading("Notice", 2)
    document.add_paragraph("eight weeks before", style="List Bullet")
    table = document.add_table(2, 3)
    for row, texts in zip(table.rows, FIGURES, strict=False):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    table.rows[0].cells[1].merge(table.rows[0].cells[2])
    document.save(str(path))


def pptx_file(path: Path) -> None:
    show = Presentation()
    slide = show.slides.add_slide(show.slide_layouts[5])
    slide.shapes.title.text = "Results"
    slide.shapes.add_textbox(0, 0, Inches(3), Inches(1)).text_frame.text = "Cargo grew."
    table = slide.shapes.add_table(3, 3, 0, 0, Inches(4), Inches(2)).table
    for i, row in enumerate(FIGURES):
        for j, text in enumerate(row):
            table.cell(i, j).text = text
    slide.notes_slide.notes_text_frame.text = "Thank the crews."
    show.slides.add_slide(show.slide_layouts[5]).shapes.title.text = "Outlook"
    show.save(str(path))


def xlsx_file(path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Costs"
    sheet.append(["Cost centres 2025"])
    sheet.append([])
    sheet.append(["Centre", "Budget", "Change", "Code"])
    sheet.append(["Line maintenance", 1234567.891, 0.0875, 42])
    for cell, form in zip(sheet[4], ("General", "#,##0.00", "0.0%", "0000"), strict=True):
        cell.number_format = form
    sheet.append([])
    sheet.append(["Month", "Tonnes"])
    sheet.append(["May", 12])
    book.create_sheet("Notes")["XFD1048576"] = "far away"
    book.save(path)


def pdf_file(path: Path, pages: int = 2) -> None:
    style = getSampleStyleSheet()
    sentence = "Net revenue rose to 1,482.6 million dollars, because more people flew and each of them paid more."
    flow = [
        part
        for page in range(1, pages + 1)
        for part in (Paragraph(f"Part {page}", style["Heading1"]), Paragraph(sentence), Table(FIGURES), PageBreak())
    ]
    SimpleDocTemplate(str(path), pagesize=A4, title="Annual report").build(flow)


def two_column_pdf(path: Path) -> None:
    """Three pages of prose in two columns, with a running head and a foot."""
    width, height = A4

    def paper(canvas: Any, document: Any) -> None:
        canvas.drawString(60, 30, f"Ternfield Airways | Annual report      {document.page}")
        canvas.drawString(60, height - 30, "CONFIDENTIAL")

    half = (width - 120) / 2
    frames = [Frame(50, 60, half, height - 120), Frame(70 + half, 60, half, height - 120)]
    style = getSampleStyleSheet()["BodyText"]
    text = "Paragraph {} tells of the fleet and of the network in so many words that it wraps over some lines. It ends here."
    document = BaseDocTemplate(str(path), pagesize=A4)
    document.addPageTemplates([PageTemplate(frames=frames, onPage=paper)])
    document.build([Paragraph(text.format(number), style) for number in range(90)])


def package(path: Path, parts: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name, content)


def changed(path: Path, parts: dict[str, bytes]) -> None:
    """Replace or add parts of a packed file."""
    with zipfile.ZipFile(path) as old:
        kept = {name: old.read(name) for name in old.namelist() if name not in parts}
    package(path, kept | parts)


def raw_pdf(objects: list[bytes]) -> bytes:
    """A PDF of these objects, the first of which is the catalogue."""
    out = io.BytesIO(b"")
    out.write(b"%PDF-1.7\n")
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(out.tell())
        out.write(b"%d 0 obj\n" % number + content + b"\nendobj\n")
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.writelines(b"%010d 00000 n \n" % offset for offset in offsets)
    out.write(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start))
    return out.getvalue()
