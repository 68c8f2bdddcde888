"""Makes the example airline's PDF, Word, PowerPoint, Excel and CSV files from the texts in source/.

Run it as `python examples/airline/make.py [FOLDER]`: the same bytes come out each time.
"""

from __future__ import annotations

import csv
import re
import sys
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import docx
import yaml
from openpyxl import Workbook
from openpyxl.styles import Font
from pptx import Presentation
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import cm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import Flowable, PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

SOURCE = Path(__file__).parent / "source"
WRITTEN = datetime(2026, 3, 5, 9, 0)
JAPANESE_FONT = "HeiseiKakuGo-W5"
PDFS = {
    "filings/annual-report-2025.pdf": "annual-report-2025.md",
    "filings/shareholder-letter-ja.pdf": "shareholder-letter-ja.md",
    "maintenance/mel-m200.pdf": "mel.md",
}
WORDS = {
    "filings/quarterly-report-q1-2026.docx": "quarterly-report-q1-2026.md",
    "company/travel-policy.docx": "travel-policy.md",
    "company/code-of-conduct.docx": "code-of-conduct.md",
    "hr/parental-leave.docx": "parental-leave.md",
    "maintenance/engineering-order-72-014.docx": "engineering-order-72-014.md",
}
SLIDES = {"company/town-hall-2026-02.pptx": "town-hall-2026-02.md"}
FOLDERS = {"salary-bands-2026.xlsx": "hr"}

Block = tuple[str, Any]


def blocks(name: str) -> Iterator[Block]:
    """The parts of a source text: ("h1" | "h2" | "text" | "page", words) and ("table", rows)."""
    rows: list[list[str]] = []
    for line in [*(SOURCE / name).read_text(encoding="utf-8").splitlines(), ""]:
        if line.startswith("|"):
            if not re.fullmatch(r"[|\-: ]+", line):
                rows.append([cell.strip() for cell in line.strip("|").split("|")])
            continue
        if rows:
            yield "table", rows
            rows = []
        if line == "---":
            yield "page", ""
        elif line.startswith("#"):
            yield f"h{len(line) - len(line.lstrip('#'))}", line.lstrip("# ")
        elif line:
            yield "text", line


def make_pdf(source: str, target: Path) -> None:
    """A PDF with bookmarks, page numbers and ruled tables."""
    japanese = source.endswith("-ja.md")
    if japanese:
        pdfmetrics.registerFont(UnicodeCIDFont(JAPANESE_FONT))
    font, bold = (JAPANESE_FONT, JAPANESE_FONT) if japanese else ("Helvetica", "Helvetica-Bold")
    styles = {
        "h1": ParagraphStyle("h1", fontName=bold, fontSize=20, leading=26, spaceAfter=14, textColor="#0b3d5c"),
        "h2": ParagraphStyle("h2", fontName=bold, fontSize=14, leading=18, spaceBefore=10, spaceAfter=8, textColor="#0b3d5c"),
        "text": ParagraphStyle("text", fontName=font, fontSize=10.5, leading=15, spaceAfter=8, wordWrap="CJK" if japanese else None),
        "cell": ParagraphStyle("cell", fontName=font, fontSize=9, leading=11),
        "amount": ParagraphStyle("amount", fontName=font, fontSize=9, leading=11, alignment=2),
    }
    title, story = "", []
    for kind, value in blocks(source):
        if kind == "page":
            story.append(PageBreak())
        elif kind == "table":
            story += [table(value, styles), Spacer(1, 0.4 * cm)]
        else:
            title = title or value
            story.append(Bookmarked(value, styles[kind]) if kind in ("h1", "h2") else Paragraph(value, styles[kind]))
    document = SimpleDocTemplate(
        str(target), pagesize=A4, title=title, author="Ternfield Airways", invariant=1, leftMargin=2.2 * cm, rightMargin=2.2 * cm
    )
    document.build(story, onFirstPage=footer, onLaterPages=footer)


class Bookmarked(Paragraph):
    """A heading that the reader finds in the outline."""

    def draw(self) -> None:
        """Draw it, and set the bookmark where it stands."""
        words = self.getPlainText()
        key = re.sub(r"\W+", "-", words)
        self.canv.bookmarkPage(key)
        self.canv.addOutlineEntry(words, key, level=0 if self.style.name == "h1" else 1)
        super().draw()


def table(rows: list[list[str]], styles: dict[str, ParagraphStyle]) -> Flowable:
    """A table whose amounts are set flush right."""
    wide = 16.5 * cm
    words = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    widths = [wide * min(max(size, 9), 46) / sum(min(max(size, 9), 46) for size in words) for size in words]
    cells = [
        [Paragraph(cell, styles["amount" if re.fullmatch(r"[-\d.,]+", cell) and column else "cell"]) for column, cell in enumerate(row)]
        for row in rows
    ]
    made = Table(cells, colWidths=widths, repeatRows=1, hAlign="LEFT")
    made.setStyle(TableStyle([("LINEBELOW", (0, 0), (-1, -1), 0.3, colors.grey), ("BACKGROUND", (0, 0), (-1, 0), "#e8eff4")]))
    return made


def footer(canvas: Any, document: Any) -> None:
    """The page number below each page."""
    canvas.setFont("Helvetica", 8)
    canvas.drawCentredString(A4[0] / 2, 1.2 * cm, str(document.page))


def make_word(source: str, target: Path) -> None:
    """A Word document with real headings and tables."""
    document = docx.Document()
    for kind, value in blocks(source):
        if kind == "table":
            made = document.add_table(len(value), len(value[0]), style="Light Grid Accent 1")
            for row, cells in zip(made.rows, value, strict=True):
                for cell, words in zip(row.cells, cells, strict=True):
                    cell.text = words
        elif kind == "h1":
            document.add_heading(value, 0)
            document.core_properties.title = value
        elif kind == "h2":
            document.add_heading(value, 1)
        else:
            document.add_paragraph(value)
    document.core_properties.author = "Ternfield Airways"
    document.save(str(target))


def make_slides(source: str, target: Path) -> None:
    """A presentation: one slide a heading, one bullet a line."""
    show = Presentation()
    body = None
    for kind, value in blocks(source):
        if kind == "h1":
            slide = show.slides.add_slide(show.slide_layouts[0])
            slide.shapes.title.text = show.core_properties.title = value
            slide.placeholders[1].text = "Ternfield Airways"
        elif kind == "h2":
            slide = show.slides.add_slide(show.slide_layouts[1])
            slide.shapes.title.text = value
            body = slide.placeholders[1].text_frame
            body.text = ""
        else:
            paragraph = body.paragraphs[0] if not body.text else body.add_paragraph()
            paragraph.text = value
    show.save(str(target))


def make_book(sheets: dict[str, Any], target: Path) -> None:
    """A workbook: amounts are numbers with thousands separators."""
    book = Workbook()
    book.remove(book.active)
    for name, content in sheets.items():
        sheet = book.create_sheet(name)
        sheet.append(content["columns"])
        for cell in sheet[1]:
            cell.font = Font(bold=True)
        for row in content["rows"]:
            sheet.append(row)
            for cell in sheet[sheet.max_row]:
                if isinstance(cell.value, int):
                    cell.number_format = "#,##0"
                elif isinstance(cell.value, float):
                    cell.number_format = "#,##0.0"
    book.save(target)


def make_csv(content: dict[str, Any], target: Path) -> None:
    """An export with semicolons, as the ERP system writes it."""
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
        writer.writerow(content["columns"])
        writer.writerows(content["rows"])


def settle(path: Path) -> None:
    """Give a packed office file fixed times and one order, so that it is the same each time."""
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in sorted(package.namelist(), key=lambda n: (n != "[Content_Types].xml", n))}
    stamp = WRITTEN.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    core = "docProps/core.xml"
    parts[core] = re.sub(rb"(<dcterms:(created|modified)[^>]*>)[^<]*", rb"\g<1>" + stamp, parts[core])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(zipfile.ZipInfo(name, WRITTEN.timetuple()[:6]), content, zipfile.ZIP_DEFLATED)


def make(target: Path) -> list[Path]:
    """Make every generated document below a folder; returns their paths."""
    made = []

    def place(name: str) -> Path:
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        made.append(path)
        return path

    for name, source in PDFS.items():
        make_pdf(source, place(name))
    for name, source in WORDS.items():
        make_word(source, place(name))
    for name, source in SLIDES.items():
        make_slides(source, place(name))
    for name, content in yaml.safe_load((SOURCE / "sap.yaml").read_text(encoding="utf-8")).items():
        path = place(f"{FOLDERS.get(name, 'sap')}/{name}")
        make_csv(content, path) if name.endswith(".csv") else make_book(content, path)
    for path in made:
        if path.suffix in (".docx", ".pptx", ".xlsx"):
            settle(path)
    return made


if __name__ == "__main__":
    for path in make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "documents"):
        sys.stdout.write(f"{path}\n")
