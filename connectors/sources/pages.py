"""What print does to a page, undone: columns beside each other, cells that were wrapped, lines that stand on every page."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

GAP = re.compile(r" {3,}")
"""What stands between two cells of a row."""
_CELL = re.compile(r"\S+(?: {1,2}\S+)*")
_MOST_LINES = 4
"""Lines of one row at most."""
_START = re.compile(r" {3}\S")
_SIGN = re.compile(r"^\S\s+(?=\S)")
_WORDS = re.compile(r".*[^\W\d]{2}.* .*[^\W\d]{2}.* .*[^\W\d]{2}")
_COUNTING = re.compile(r"\W*(?:page\s)?#\W*$", re.I)
_HANGING = re.compile(r"(?:^|  )\s*[●○•▪■◆・*–-]$")
_TRIED = 3
_FEWEST_PAIRS = 8
_LEAST_WIDTH = 20
_EDGE = 2
"""Lines at the top and at the foot of a page that may be there on every page."""
_REPEATED = 0.6
"""The share of pages, at least three, from which a line at an edge belongs to the paper and not to the text."""


def unfolded(lines: list[str]) -> list[str]:
    """The lines of a page in layout form; of two columns of prose the left one first, between lines over both."""
    gutter = _gutter(lines)
    if not gutter:
        return lines
    out: list[str] = []
    left: list[str] = []
    right: list[str] = []
    for line in lines:
        if line[gutter - 2 : gutter].strip():
            out += [*left, "", *right, "", line, ""]
            left, right = [], []
        else:
            mine, sign = _hung(line[:gutter].rstrip()) if line[gutter:] else (line[:gutter].rstrip(), "")
            left.append(mine)
            right.append(f"{sign} {line[gutter:].rstrip()}" if sign else line[gutter:].rstrip())
    return [*out, *left, "", *right]


def _hung(left: str) -> tuple[str, str]:
    """What is left of a gutter, without the list sign that hangs there before the right half."""
    match = _HANGING.search(left)
    return (left[: match.start()], match.group().strip()) if match else (left, "")


def _gutter(lines: Sequence[str]) -> int:
    """The column at which the right half begins; 0 if the lines are not prose on both sides of one."""
    starts = Counter(match.end() - 1 for line in lines for match in _START.finditer(line))
    for column, count in starts.most_common(_TRIED):
        if count < _FEWEST_PAIRS or column < _LEAST_WIDTH:
            continue
        both = [(line[:column].strip(), line[column:].strip()) for line in lines if line[:column].strip()]
        both = [(left, right) for left, right in both if right]
        crossed = sum(1 for line in lines if line[column - 2 : column].strip() and line[column:].strip())
        prose = sum(1 for left, right in both if _is_prose(left) and _is_prose(right))
        if prose >= max(_FEWEST_PAIRS, len(both) / 2) and crossed <= len(both) / 5:
            return column
    return 0


def _is_prose(text: str) -> bool:
    text = _SIGN.sub("", text)
    return len(text) >= _LEAST_WIDTH and _WORDS.match(text) is not None and "   " not in text


def whole_rows(lines: Iterable[str]) -> list[str]:
    """The lines of a page in layout form, with the cells that were wrapped inside a row whole again.

    Where the rows of a table stand apart, with an empty line between them, what is right below a row is the rest of it.
    Where they do not, it is if it begins behind the first column and gives no figures: that would be another row.
    """
    runs = [list(group) for _, group in groupby(lines, lambda line: bool(line.strip()))]
    out: list[str] = []
    for place, run in enumerate(runs):
        apart = len(run) <= _MOST_LINES and any(
            _lined_up(run[0], other[0]) for other in (*runs[max(0, place - 2) : place], *runs[place + 2 : place + 3])
        )
        row: list[tuple[int, int, str]] = []
        for line in run:
            cells = _cells(line)
            joined = _continued(row, cells, apart)
            if not joined:
                out.append(line)
                row = cells
                continue
            out[-1] = "   ".join(text for _, _, text in joined)
            row = joined
    return out


def _cells(line: str) -> list[tuple[int, int, str]]:
    """Start, end and text of each cell."""
    return [(match.start(), match.end(), match.group()) for match in _CELL.finditer(line)]


def _continued(
    row: Sequence[tuple[int, int, str]], cells: Sequence[tuple[int, int, str]], apart: bool
) -> list[tuple[int, int, str]]:
    """The row with what is below its cells; empty if that is another row, or no part of one."""
    below = [_above(row, cell) for cell in cells]
    if len(row) < 2 or len(cells) >= len(row) or None in below or len(set(below)) < len(below):
        return []
    if not apart and (0 in below or any(re.search(r"\d|^\W*$", text) for _, _, text in cells)):
        return []
    joined = list(row)
    for place, (start, end, text) in zip(below, cells, strict=True):
        if place is not None:
            first, last, said = joined[place]
            joined[place] = (min(first, start), max(last, end), f"{said}{_between(said, text)}{text}")
    return joined


def _above(row: Sequence[tuple[int, int, str]], cell: tuple[int, int, str]) -> int | None:
    """Which cell of a row this one stands under; None if it stands under none, or under several, as prose does."""
    under = [place for place, (start, end, _) in enumerate(row) if start < cell[1] and cell[0] < end]
    return under[0] if len(under) == 1 else None


def _lined_up(one: str, other: str) -> bool:
    """Whether two lines are rows of as many cells, each below or above another one."""
    cells, others = _cells(one), _cells(other)
    return len(cells) > 1 and len(cells) == len(others) and all(_above(others, cell) is not None for cell in cells)


def _between(said: str, text: str) -> str:
    return "" if said[-1] > "\u2e7f" or text[0] > "\u2e7f" else " "


def without_furniture(pages: Sequence[Sequence[str]]) -> list[list[str]]:
    """Pages without running heads, feet and page numbers; a running head stays where it is first.

    A line that counts the pages goes there too if the text says the same elsewhere: it repeats the title.
    """
    least = max(3, _REPEATED * len(pages))
    counts = Counter(
        line for number, page in enumerate(pages, 1) for line in {_same(page[i], number) for i in _edges(page)}
    )
    text = " ".join(" ".join(line.split()) for page in pages for line in page)
    often = max(2, _REPEATED * len(pages))
    titles = {
        line
        for line, count in counts.items()
        if "#" in line and count >= often and text.count(_COUNTING.sub("", line)) > count
    }
    seen: set[str] = set()
    kept = []
    for number, page in enumerate(pages, 1):
        gone = set()
        for i in _edges(page):
            line = _same(page[i], number)
            if line == "#" or line in titles or (counts[line] >= least and line in seen):
                gone.add(i)
            seen.add(line)
        kept.append([line for i, line in enumerate(page) if i not in gone])
    return kept


def _edges(page: Sequence[str]) -> set[int]:
    filled = [i for i, line in enumerate(page) if line.strip()]
    return {*filled[:_EDGE], *filled[-_EDGE:]}


def _same(line: str, number: int) -> str:
    """The line with its page number replaced; other numbers stay: the last row of a table is not furniture."""
    return re.sub(rf"(?<![\d.,]){number}(?![\d.,])", "#", " ".join(line.split()))
