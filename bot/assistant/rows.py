"""Table rows as sentences: each cell with the name of its column, so that a row can be read, quoted and checked alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import takewhile

from bot.assistant.facts import mentioned_units, quantities
from bot.assistant.terms import fold
from bot.knowledge.sentences import is_table_row

_RULE = re.compile(r"[\s|:+=-]*")
_PERIOD = re.compile(r"(?:fy\s?|q[1-4]\s?|h[12]\s?)?(?:19|20)\d\d(?:\s?(?:年度?|q[1-4]))?|q[1-4]|\d{1,2}月", re.I)
_SCALE = re.compile("thousand|million|billion|percent|per cent|[千万億兆]", re.I)
_KANJI_WORD = re.compile(r"(?<![\u4e00-\u9fff])[\u4e00-\u9fff]+[分日度年週秒](?![\u4e00-\u9fff])")
"""A word that ends like a unit and is none, as the one for "category"."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `caption` holds for the whole table ("in millions"), `group` for the rows below a row without amounts."""

    raw: str
    label: str
    columns: tuple[tuple[str, str], ...]
    head: str = ""
    group: str = ""
    caption: str = ""

    @property
    def shown(self) -> str:
        """The row as a sentence: "Net revenue (EUR million): 2025: 1,482.6; 2024: 1,371.4"."""
        return self._with(self.columns)

    def about(self, claim: str) -> str:
        """The cells that a claim mentions; empty if it names the column of one cell and the amount of another."""
        folded, amounts = fold(claim), {n for one in quantities(claim) for n in (one.value, one.bare)}
        used = [pair for pair in self.columns if _cited(pair[1], folded, amounts)]
        named = fold(" ".join(name for name, _ in used))
        others = [fold(name) for name, _ in self.columns if name and fold(name) not in named]
        if used and any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", folded) for name in others):
            return ""
        return self._with(used or self.columns)

    def _with(self, columns: Sequence[tuple[str, str]]) -> str:
        pairs = "; ".join(f"{name}: {cell}" if name else cell for name, cell in columns)
        scaled = bool(_SCALE.search(self.head) or mentioned_units(_KANJI_WORD.sub("", self.head)))
        label = f"{self.head}: {self.label}" if self.head and not scaled else self.label
        notes = ", ".join(note for note in (self.group, self.head if scaled else "", self.caption) if note)
        start = f"{label} ({notes})" if notes else label
        if not start or not pairs:
            return start or pairs
        return f"{start}{'; ' if self.head and not scaled else ': '}{pairs}"


def rows(text: str) -> list[Row]:
    """The rows of the tables in a passage, headers and rules left out. A part without a header takes the one before it."""
    found: list[Row] = []
    header: list[list[str]] = []
    for block in _blocks(text):
        names = _header(block)
        if names or not header or len(header[-1]) != len(_cells(block[-1])):
            header = [_cells(line) for line in names]
        found += _rows(block[len(names) :], header)
    return found


def _blocks(text: str) -> Iterator[list[str]]:
    block: list[str] = []
    for line in text.splitlines():
        if is_table_row(line):
            block.append(line)
        elif block:
            yield block
            block = []
    if block:
        yield block


def _header(block: Sequence[str]) -> list[str]:
    """The lines that name the columns: those whose first cell is empty, or the first one if it holds no amounts."""
    lines = list(takewhile(lambda line: not _cells(line)[0] or _RULE.fullmatch(line), block))[:3]
    if not lines and len(block) > 1 and not any(_amount(cell) for cell in _cells(block[0])[1:]):
        lines = [block[0]]
    return lines if len(lines) < len(block) else []


def _rows(lines: Sequence[str], header: Sequence[Sequence[str]]) -> Iterator[Row]:
    width = max((len(_cells(line)) for line in lines), default=0)
    names, captions = _names([line for line in header if not _RULE.fullmatch("|".join(line))], width)
    group = ""
    for line in lines:
        label, *cells = _cells(line)
        if _RULE.fullmatch(line):
            continue
        if not any(cells):
            group = label.rstrip(":")
            continue
        columns = tuple((name, cell) for name, cell in zip(names[1:], cells, strict=False) if cell)
        yield Row(line.strip(), label, columns, names[0], group, captions)


def _names(header: Sequence[Sequence[str]], width: int) -> tuple[list[str], str]:
    """A name for each column, and what stands alone in its line: a caption for all."""
    captions, names = [], [""] * width
    for line in header:
        filled = [cell for cell in line if cell]
        if len(filled) == 1 and width > 2:
            captions.append(filled[0].strip("(), "))
            continue
        shift = 1 if line[0] and len(line) == width - 1 else 0
        for place, cell in enumerate(line, shift):
            if place < width and cell:
                names[place] = f"{names[place]} {cell}".strip()
    return names, ", ".join(captions)


def _cells(line: str) -> list[str]:
    inner = line.rstrip("\n\r ")
    if inner.startswith("|") and inner.endswith("|") and len(inner) > 1:
        inner = inner[1:-1]
    return [" ".join(cell.split()) for cell in re.split(r"\||\t", inner)]


def _amount(cell: str) -> bool:
    """Whether a cell holds a number that is no year or other period."""
    return bool(re.search(r"\d", _PERIOD.sub("", fold(cell)))) and not re.search(
        r"[a-z]{3}|[\u3040-\u9fff]{2}", fold(cell)
    )


def _cited(cell: str, claim: str, amounts: set[Decimal]) -> bool:
    values = [one.value for one in quantities(cell)]
    return any(value in amounts for value in values) if values else len(cell) > 2 and fold(cell) in claim
