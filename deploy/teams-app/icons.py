"""Draws the two icons of the app: a roll of names with one called out. Run it after changing the drawing."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

HERE = Path(__file__).parent
BLUE, WHITE, GOLD = (31, 78, 121, 255), (255, 255, 255, 255), (255, 196, 61, 255)
SCALE = 8
"""Drawn so many times larger, so that edges come out smooth."""


def drawn(size: int, ground: tuple[int, ...], line: tuple[int, ...], called: tuple[int, ...]) -> Image.Image:
    """Three lines of a list, each with its mark; the second is called out."""
    big = size * SCALE
    image = Image.new("RGBA", (big, big), ground)
    draw = ImageDraw.Draw(image)
    unit = big / 32
    for row, colour in enumerate((line, called, line)):
        y = (9 + row * 7) * unit
        draw.ellipse((6 * unit, y - 1.8 * unit, 9.6 * unit, y + 1.8 * unit), fill=colour)
        width = 14 if row == 1 else 11
        draw.rounded_rectangle(
            (12 * unit, y - 1.4 * unit, (12 + width) * unit, y + 1.4 * unit), 1.4 * unit, fill=colour
        )
    return image.resize((size, size), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    drawn(192, BLUE, WHITE, GOLD).save(HERE / "color.png", optimize=True)
    clear = (255, 255, 255, 0)
    drawn(32, clear, WHITE, WHITE).save(HERE / "outline.png", optimize=True)
