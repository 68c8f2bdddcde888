"""Text to sentences, losing nothing: English, Japanese and others. A list item, a heading and a table row count as one.

Rules, not a model: measured beside pysbd and sentencex, neither keeps table rows or the list items of parsed
documents whole, and the rules below cut prose where they do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest

_CJK = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
_CLOSING = "\"'”’»)\\]」』）】〉》"
_TABLE_ROW = re.compile(r"\s\|\s|^\s*\||\|\s*$|\S[ ]*\t[ ]*\S")
_LIST_ITEM = re.compile(
    r"\s*(?:[-*+•‣▪◦·・●○■□◆※]\s*\S|[(（]?(?:\d{1,3}|[A-Za-z])[.)）](?:\s|$)|[①-⑳]|#{1,6}\s|第?\d+[章条節項])"
)
_END = (
    re.compile(  # a run is read from its first mark, once: else a line of dots takes time by the square of its length
        rf"[。！？｡।॥؟۔]+[{_CLOSING}]*"
        rf"|(?<![.!?…])[.!?…]++[{_CLOSING}]*+(?=\s|$)"
        rf"|(?<![.!?．…])[.!?．…]++[{_CLOSING}]*+(?=[{_CJK}])"
    )
)
_FINISHED = re.compile(rf"[.!?…:;。！？｡．：；।॥؟۔][{_CLOSING}]*\s*$")
_QUOTED_ON = re.compile(r"[。！？.!?][」』）)][\u3040-\u309f]")
_MARKER = re.compile(r"\s*[(（]?(?:\d{1,3}(?:\.\d{1,3})*|[A-Za-z])\.$")
_ALWAYS = re.compile(
    r"(?:^|[^\w.])(?:mr|mrs|ms|dr|prof|st|messrs|gen|capt|vs|cf|e\.g|i\.e|viz|approx|incl)\.$", re.IGNORECASE
)
_BEFORE_DIGIT = re.compile(
    r"(?:^|[^\w.])(?:nos?|figs?|vol|ch|pp?|sec|art|para|tab|eq|ref|rev|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|ca)\.$",
    re.IGNORECASE,
)
_OFTEN = re.compile(
    r"(?:^|[^\w.])(?:inc|ltd|corp|co|bros|dept|est|etc|jr|sr|a\.m|p\.m|al|(?:[A-Za-z]\.)*[A-Za-z])\.$", re.IGNORECASE
)
_OPENER = re.compile(
    r"(?:The|This|That|These|Those|There|It|He|She|We|They|You|I|In|On|At|For|If|When|As|A|An|But|And|Our|Its|See)\b"
)
_GAP = re.compile(r"\s*")
_LOOK = 40
WRAPPED = 45
"""From this many columns (a CJK character takes two) a line without an end was probably wrapped, not ended."""
WRAPPED_LOWER = 20
"""The same where the next line begins in lower case."""


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, in order, with the white space behind them; joined they are the text again."""
    return [text[start:end] for start, end in spans(text)]


def spans(text: str) -> list[tuple[int, int]]:
    """Return start and end of each sentence: the first starts at 0, each one where the one before ends."""
    ends: list[int] = []
    for start, end in _blocks(text):
        block = text[start:end]
        if not block.strip() and ends:
            ends[-1] = end
            continue
        ends.extend(start + stop for stop in ([len(block)] if is_table_row(block) else _stops(block)))
    return list(zip([0, *ends], ends, strict=False))


def is_table_row(line: str) -> bool:
    """Whether a line has cells: separated by `|` or by tabs."""
    return bool(_TABLE_ROW.search(line.rstrip("\r\n")))


def is_list_item(line: str) -> bool:
    """Whether a line begins like an item or a numbered heading: with a sign, a number or a letter of a list."""
    return bool(_LIST_ITEM.match(line))


def is_finished(line: str) -> bool:
    """Whether a line ends as a sentence does; a colon counts."""
    return bool(_FINISHED.search(line))


def goes_on(line: str, following: str) -> bool:
    """Whether a line's last sentence goes on in the next line, as in text that was wrapped or broken by a page."""
    if not line.strip() or not following.strip() or _FINISHED.search(line):
        return False
    if is_table_row(line) or is_table_row(following) or _LIST_ITEM.match(following) or line.lstrip().startswith("#"):
        return False
    return columns(line) >= (WRAPPED_LOWER if following.lstrip()[0].islower() else WRAPPED)


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Spans of lines that belong together: a paragraph, a list item, a row, or blank lines."""
    lines = text.splitlines(keepends=True)
    start = end = 0
    for line, following in zip_longest(lines, lines[1:], fillvalue=""):
        end += len(line)
        if not goes_on(line, following):
            yield start, end
            start = end


def _stops(block: str) -> list[int]:
    """Where the sentences of a paragraph end; the last end is the end of the paragraph."""
    stops: list[int] = []
    for match in _END.finditer(block):
        begin, end = stops[-1] if stops else 0, match.end()
        following = _GAP.match(block, end).end()  # type: ignore[union-attr]  # matches everywhere
        before, rest = block[max(begin, end - _LOOK) : end], block[following : following + _LOOK]
        if rest and not _inside(before, match.group(), block[end : end + 1], rest):
            stops.append(following)
    return [*stops, len(block)]


def _inside(before: str, mark: str, after: str, rest: str) -> bool:
    """Whether a mark does not end its sentence, by what is before it, right after it and behind the white space."""
    if rest[0].islower() or _QUOTED_ON.match(mark[-2:] + after):
        return True
    if mark != ".":
        return False
    if _MARKER.fullmatch(before) or _ALWAYS.search(before):
        return True
    if _BEFORE_DIGIT.search(before) and rest[0].isdigit():
        return True
    return bool(_OFTEN.search(before)) and not _OPENER.match(rest)


def columns(line: str) -> int:
    """The width of a line, white space around it left out; a CJK character takes two columns."""
    return sum(2 if character > "\u2e7f" else 1 for character in line.strip())
