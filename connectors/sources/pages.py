"""What print does to a page, undone: columns beside each other, and lines that stand on every page."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

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
