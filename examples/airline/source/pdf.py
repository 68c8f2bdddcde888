"""Prose to PDF: a cover or a letterhead, headings with bookmarks, striped tables. Text stays text, page by page.

Japanese uses the fonts that every PDF reader brings along (Adobe-Japan1), so none is embedded. Pages are not
compressed: the bytes are then the same with every zlib, and a change shows in a diff.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from reportlab.lib import colors
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageBreak, PageTemplate, Paragraph, Spacer, Table

from source.prose import Block, Prose

NAVY = colors.HexColor("#123B5D")
AMBER = colors.HexColor("#E08E2B")
MIST = colors.HexColor("#EEF3F7")
GREY = colors.HexColor("#5B6B7A")
_FACES = {"en": ("Helvetica", "Helvetica-Bold"), "ja": ("HeiseiMin-W3", "HeiseiKakuGo-W5")}
_MARGIN = 22 * mm


def write_pdf(prose: Prose, path: Path) -> None:
    """Write one PDF. `look: report` gives it a cover of its own; everything else gets a letterhead."""
    for face in _FACES["ja"]:
        pdfmetrics.registerFont(UnicodeCIDFont(face))
    styles = _styles(prose.language)
    document = _Document(prose, str(path))
    story: list[Flowable] = []
    if prose.look == "report":
        story += [_Cover(prose), PageBreak()]
    else:
        story += [Paragraph(escape(prose.title), styles["title"]), Paragraph(escape(prose.subtitle), styles["sub"])]
    for block in prose.blocks:
        story += _flowables(block, styles)
    document.build(story, canvasmaker=_canvas)


def _canvas(*arguments: Any, **options: Any) -> Canvas:
    return Canvas(*arguments, **options | {"invariant": 1, "pageCompression": 0})


class _Document(BaseDocTemplate):  # type: ignore[misc]
    """Numbers pages at their foot and lists headings in the bookmarks."""

    def __init__(self, prose: Prose, path: str):
        super().__init__(path, pagesize=A4, title=prose.title, author=prose.author, lang=prose.language)
        self._prose = prose
        self._headings = 0
        self._above: list[int] = []
        frame = Frame(_MARGIN, 22 * mm, A4[0] - 2 * _MARGIN, A4[1] - 44 * mm, 0, 0, 0, 0)
        self.addPageTemplates(PageTemplate("page", [frame], onPage=self._foot))

    def afterFlowable(self, flowable: Flowable) -> None:  # noqa: N802 (reportlab calls it by this name)
        level = getattr(flowable, "outline", 0)
        if level:
            self._headings += 1
            self._above = [one for one in self._above if one < level]
            self.canv.bookmarkPage(f"h{self._headings}")
            self.canv.addOutlineEntry(flowable.getPlainText(), f"h{self._headings}", len(self._above))
            self._above.append(level)

    def _foot(self, canvas: Canvas, document: BaseDocTemplate) -> None:
        if self._prose.look == "report" and document.page == 1:
            return
        canvas.saveState()
        canvas.setFillColor(AMBER)
        canvas.rect(0, A4[1] - 4 * mm, A4[0], 4 * mm, stroke=0, fill=1)
        canvas.setFillColor(GREY)
        canvas.setFont(_FACES[self._prose.language][0], 8)
        canvas.drawCentredString(A4[0] / 2, 11 * mm, f"{self._prose.title}  ·  {document.page}")
        canvas.restoreState()


class _Cover(Flowable):  # type: ignore[misc]
    """The first page of a report: a coloured page with the title."""

    def __init__(self, prose: Prose):
        super().__init__()
        self._prose = prose

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        return width, height - 1

    def draw(self) -> None:
        canvas, (_, bold) = self.canv, _FACES[self._prose.language]
        canvas.saveState()
        canvas.translate(-_MARGIN, -22 * mm)
        canvas.setFillColor(NAVY)
        canvas.rect(-mm, -mm, A4[0] + 2 * mm, A4[1] + 2 * mm, stroke=0, fill=1)
        canvas.setFillColor(AMBER)
        path = canvas.beginPath()
        for step, (x, y) in enumerate([(0, 70), (210, 118), (210, 124), (0, 82)]):
            (path.lineTo if step else path.moveTo)(x * mm, y * mm)
        canvas.drawPath(path, stroke=0, fill=1)
        canvas.setFillColor(colors.white)
        canvas.setFont(bold, 34)
        canvas.drawString(_MARGIN, 205 * mm, self._prose.title)
        canvas.setFont(bold, 14)
        canvas.drawString(_MARGIN, 192 * mm, self._prose.subtitle)
        canvas.setFont(bold, 16)
        canvas.drawString(_MARGIN, 30 * mm, self._prose.author)
        canvas.restoreState()


def _styles(language: str) -> dict[str, ParagraphStyle]:
    plain, bold = _FACES[language]
    wrap = {"wordWrap": "CJK"} if language == "ja" else {}
    text = ParagraphStyle("text", fontName=plain, fontSize=10, leading=14.5, spaceAfter=7, **wrap)
    made = {"text": text, "item": ParagraphStyle("item", text, leftIndent=14, spaceAfter=4)}
    for level, size in ((1, 18), (2, 13), (3, 10.5)):
        made[f"h{level}"] = ParagraphStyle(
            f"h{level}", text, fontName=bold, fontSize=size, leading=size * 1.35, textColor=NAVY,
            spaceBefore=14, spaceAfter=6, keepWithNext=1,
        )  # fmt: skip
    made["title"] = ParagraphStyle("title", made["h1"], fontSize=19, leading=25, spaceBefore=4)
    made["sub"] = ParagraphStyle("sub", text, textColor=GREY, fontSize=9, spaceAfter=12)
    made["cell"] = ParagraphStyle("cell", text, fontSize=9, leading=12, spaceAfter=0)
    made["number"] = ParagraphStyle("number", made["cell"], alignment=TA_RIGHT)
    made["head"] = ParagraphStyle("head", made["cell"], fontName=bold, textColor=colors.white)
    return made


def _flowables(block: Block, styles: dict[str, ParagraphStyle]) -> list[Flowable]:
    if block.kind == "break":
        return [PageBreak()]
    if block.kind == "table":
        return [_table(block, styles), Spacer(0, 10)]
    if block.kind == "heading":
        heading = Paragraph(escape(block.text), styles[f"h{min(block.level, 3)}"])
        heading.outline = block.level
        return [heading]
    bold = styles["h3"].fontName
    marked = "".join(f'<font name="{bold}">{escape(r.text)}</font>' if r.bold else escape(r.text) for r in block.runs)
    if block.kind == "item":
        sign = "–" if block.sign == "•" else block.sign  # the bullet of Helvetica is lost when text is extracted
        return [Paragraph(f"{sign} {marked}", styles["item"])]
    return [Paragraph(marked, styles["text"])]


def _table(block: Block, styles: dict[str, ParagraphStyle]) -> Table:
    def cell(text: str, row: int) -> Paragraph:
        number = text.strip("()-–%+").replace(",", "").replace(".", "").isdigit()
        return Paragraph(escape(text), styles["head" if row == 0 else "number" if number else "cell"])

    face, size = styles["cell"].fontName, 9
    widths = [
        max(pdfmetrics.stringWidth(text, face, size) for text in column) + 18
        for column in zip(*block.rows, strict=True)
    ]
    room = A4[0] - 2 * _MARGIN
    widths = [width * room / sum(widths) for width in widths] if sum(widths) > room else widths
    rows = [[cell(text, number) for text in row] for number, row in enumerate(block.rows)]
    dress = [
        ("BACKGROUND", (0, 0), (-1, 0), NAVY),
        ("ROWBACKGROUNDS", (0, 1), (-1, -1), [colors.white, MIST]),
        ("LINEBELOW", (0, -1), (-1, -1), 0.8, NAVY),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
    ]
    return Table(rows, widths, style=dress, hAlign="LEFT", repeatRows=1)
