"""Text to sentences, losing nothing: English, Japanese and others; a list item or a table row is a sentence too."""

from __future__ import annotations

import re

_TABLE_ROW = re.compile(r"\s\|\s|^\||\|$|\t")
_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s|$)|[。！？｡]+[」』）)\"”’]*")
_ABBREVIATION = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|prof|st|jr|sr|vs|etc|e\.g|i\.e|cf|fig|no|nos|vol|p|pp|sec|art|inc|ltd|corp|co|dept|est"
    r"|approx|ca|al|jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec|u\.s|u\.k)|\b[A-Za-z])\.$",
    re.IGNORECASE,
)


def sentences(text: str) -> list[str]:
    """The sentences of a text, in order; joined they are the text again."""
    return [text[start:end] for start, end in spans(text)]


def spans(text: str) -> list[tuple[int, int]]:
    """Start and end of each sentence; the first starts at 0, each starts where the one before ends."""
    found: list[tuple[int, int]] = []
    for start, line in _lines(text):
        if not line.strip() and found:
            found[-1] = (found[-1][0], start + len(line))
            continue
        for end in _ends(line):
            found.append((found[-1][1] if found else 0, start + end))
    return found


def is_table_row(line: str) -> bool:
    """Whether a line has cells: separated by `|` or by tabs."""
    return bool(_TABLE_ROW.search(line.rstrip("\n")))


def _lines(text: str) -> list[tuple[int, str]]:
    lines = text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    return list(zip(starts, lines, strict=False))


def _ends(line: str) -> list[int]:
    if is_table_row(line):
        return [len(line)]
    ends = []
    for match in _END.finditer(line):
        if match.group().startswith(".") and _ABBREVIATION.search(line[: match.end()]) and line[match.end() :].strip():
            continue
        rest = line[match.end() :]
        if rest.strip():
            ends.append(match.end() + len(rest) - len(rest.lstrip()))
    return [*ends, len(line)]
