"""Tables for people: as Markdown, as CSV that no spreadsheet executes, and a small chart of moods as a picture."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

CELL = 90
"""Characters of a cell that are shown; the file has all."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_SPACE = " \u00a0\u3000\u200b\ufeff"
_WIDE = str.maketrans("＝＋－＠", "=+-@")
WIDTH, HEIGHT, MARGIN = 640, 240, 16
GREEN, GREY, RED, INK = "#2e7d32", "#9e9e9e", "#c62828", "#424242"


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; what stands in a cell cannot end it or begin another."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(shown, line))} |" for line in lines)


def shown(cell: str) -> str:
    """A cell on one line, cut where it is long."""
    line = " ".join(cell.split()).replace("\\", "\\\\").replace("|", "\\|")
    return line if len(line) <= CELL else f"{line[: CELL - 1].rstrip(chr(92))}…"


def as_csv(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """A CSV file in UTF-8 with a byte order mark, which spreadsheets need to read Japanese.

    A cell that a spreadsheet would take for a formula begins with an apostrophe (OWASP, "CSV Injection"); plain numbers stay.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerows([list(map(harmless, line)) for line in [header, *rows]])
    return out.getvalue().encode("utf-8-sig")


def harmless(cell: str) -> str:
    """A cell that is read as text or as a number, never as a formula."""
    start = cell.lstrip(_SPACE).translate(_WIDE)
    return f"'{cell}" if start.startswith(_FORMULA) and not _is_number(cell) else cell


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def mood_chart(scores: Sequence[float], mild: float) -> bytes:
    """A PNG: one bar a message in their order, up in green if it is positive, down in red if negative; below, the shares."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(image)
    inner, floor = WIDTH - 2 * MARGIN, HEIGHT - 56
    middle, reach = floor // 2 + MARGIN // 2, floor // 2 - MARGIN // 2
    draw.line([(MARGIN, middle), (WIDTH - MARGIN, middle)], fill=INK)
    step = inner / len(scores)
    for number, score in enumerate(scores):
        left = MARGIN + number * step
        right = max(left + step * 0.8, left + 1)
        top, bottom = sorted((middle - score * reach, middle - 2 if score >= 0 else middle + 2))
        draw.rectangle([left, top, right, bottom], fill=_colour(score, mild))
    left = float(MARGIN)
    for colour in (GREEN, GREY, RED):
        count = sum(_colour(score, mild) == colour for score in scores)
        right = left + inner * count / len(scores)
        if count:
            draw.rectangle([left, HEIGHT - 40, right - 1, HEIGHT - 16], fill=colour)
            draw.text(((left + right) / 2, HEIGHT - 28), str(count), fill="white", anchor="mm", font_size=14)
        left = right
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _colour(score: float, mild: float) -> str:
    return GREY if abs(score) <= mild else GREEN if score > 0 else RED
