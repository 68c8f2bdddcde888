"""Lines against one number, panel beside panel, as SVG or PNG: by hand, since three panels need no plotting library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

WIDTH, HEIGHT, MARGIN = 300, 240, 44
"""Of one panel, in pixels."""
COLOURS = ("#1565c0", "#c62828", "#2e7d32")
INK, GRID = "#424242", "#e0e0e0"
SIZE = 12
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Panel:
    """Lines by their names; each has one value for each number on the axis. `top` is the axis' end if it is fixed."""

    title: str
    lines: Mapping[str, Sequence[float]]
    top: float | None = None


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through points."""

    points: Sequence[Point]
    colour: str
    width: int = 1


@dataclass(frozen=True, slots=True)
class Words:
    """A text at a point, which is the middle of it, its start or its end (SVG's text-anchor)."""

    at: Point
    text: str
    anchor: str = "middle"
    colour: str = INK


def draw(path: Path, axis: str, numbers: Sequence[float], panels: Sequence[Panel]) -> None:
    """Write the picture. Raises ValueError unless the file is to be an .svg or a .png."""
    if path.suffix not in (".svg", ".png"):
        raise ValueError(f"--plot: {path.name}: choices: a file that ends in .svg or .png")
    marks = [mark for place, panel in enumerate(panels) for mark in _panel(place * WIDTH, axis, numbers, panel)]
    width = WIDTH * len(panels)
    if path.suffix == ".svg":
        path.write_text(_svg(marks, width), encoding="utf-8")
    else:
        _png(marks, width, path)


def _panel(left: float, axis: str, numbers: Sequence[float], panel: Panel) -> list[Stroke | Words]:
    """The numbers stand at even distances: they usually double."""
    top = panel.top or max(max(line) for line in panel.lines.values()) * 1.05 or 1.0
    step = (WIDTH - 2 * MARGIN) / max(len(numbers) - 1, 1)
    across = [left + MARGIN + place * step for place in range(len(numbers))]

    def up(value: float) -> float:
        return HEIGHT - MARGIN - value / top * (HEIGHT - 2 * MARGIN)

    made: list[Stroke | Words] = [
        Words((left + WIDTH / 2, 16), panel.title),
        Words((left + WIDTH / 2, HEIGHT - 8), axis),
    ]
    for share in (0.0, 0.5, 1.0):
        level = up(share * top)
        made.append(Stroke([(left + MARGIN, level), (left + WIDTH - MARGIN, level)], GRID))
        made.append(Words((left + MARGIN - 4, level + 4), f"{share * top:.3g}", "end"))
    made += [Words((x, HEIGHT - MARGIN + 16), f"{number:g}") for x, number in zip(across, numbers, strict=True)]
    for place, (name, line) in enumerate(panel.lines.items()):
        colour = COLOURS[place % len(COLOURS)]
        made.append(Stroke([(x, up(value)) for x, value in zip(across, line, strict=True)], colour, 2))
        made.append(Words((left + MARGIN + 6, MARGIN + 16 + 14 * place), name, "start", colour))
    return made


def _svg(marks: Sequence[Stroke | Words], width: int) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT}" font-family="sans-serif"'
    lines = [f'{head} font-size="{SIZE}">', '<rect width="100%" height="100%" fill="white"/>']
    for mark in marks:
        if isinstance(mark, Stroke):
            points = " ".join(f"{x:.1f},{y:.1f}" for x, y in mark.points)
            lines.append(
                f'<polyline points="{points}" fill="none" stroke="{mark.colour}" stroke-width="{mark.width}"/>'
            )
        else:
            (x, y), text = mark.at, escape(mark.text)
            lines.append(
                f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{mark.anchor}" fill="{mark.colour}">{text}</text>'
            )
    return "\n".join([*lines, "</svg>\n"])


def _png(marks: Sequence[Stroke | Words], width: int, path: Path) -> None:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (width, HEIGHT), "white")
    pen = ImageDraw.Draw(image)
    for mark in marks:
        if isinstance(mark, Stroke):
            pen.line([(x, y) for x, y in mark.points], fill=mark.colour, width=mark.width)
        else:
            anchor = {"middle": "ms", "start": "ls", "end": "rs"}[mark.anchor]
            pen.text(mark.at, mark.text, fill=mark.colour, anchor=anchor, font_size=SIZE)
    image.save(path, "PNG")
