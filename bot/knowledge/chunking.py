"""Documents to passages: pieces small enough to cite and to quote, never cut inside a sentence or a table row."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import groupby, takewhile
from uuid import UUID

from bot.knowledge.sentences import goes_on, is_table_row, sentences
from bot.types import Document, Passage, Section

LIMIT = 100
"""Words of a passage at most; a kana or kanji is half a word. Only a longer sentence makes a longer passage."""
SENTENCE_LIMIT = 1000
"""Words from which a sentence is no sentence (an encoded file, a dump) and is cut between words after all."""

LONG_WORD = 40
"""Characters of a word at most, on average over a text."""

_HEADER_ROWS = 3
_SHORT_TAIL = LIMIT // 5
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
_WORD = re.compile(r"[^\W\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+")
_RULE = re.compile(r"[\s|:+=-]+")


def passages(document: Document) -> list[Passage]:
    """Return the passages of a document in reading order.

    A passage lies under one heading on one page; each piece of a table repeats the table's header rows. Its id
    is a UUID made from the document's id and everything in the passage but labels and modification time, so
    that a new version of a document keeps the ids of what did not change.
    """
    seen: dict[str, int] = {}
    return [
        _passage(document, section, text, seen)
        for section in _sections(document.sections)
        for text in _pieces(_units(section))
    ]


def size(text: str) -> float:
    """Count the words of a text; a kana or kanji is half a word.

    A text with few of them counts by its length: an encoded file is one word, a line of signs none.
    """
    return max(len(_WORD.findall(text)) + len(_CJK.findall(text)) / 2, len(text) / LONG_WORD)


def _sections(sections: Sequence[Section]) -> Iterator[Section]:
    """Join neighbours under one heading on one page, and sentences that a page break cut."""
    last: Section | None = None
    for _, group in groupby(sections, lambda one: (one.heading, one.page, one.table)):
        section = _joined(list(group))
        if last is not None:
            last, section = _mended(last, section)
            yield last
        last = section
    if last is not None:
        yield last


def _joined(sections: Sequence[Section]) -> Section:
    """Neighbours as one, put together once: a file may have a million of them."""
    *others, last = (section.text for section in sections)
    texts = [text.rstrip() for text in others if text.strip()]
    return replace(sections[0], text="\n\n".join([*texts, last]))


def _mended(last: Section, section: Section) -> tuple[Section, Section]:
    """Give the rest of a sentence that goes on over a page break to the page where it begins."""
    if last.table or section.table or last.heading != section.heading:
        return last, section
    end = last.text.rstrip().rpartition("\n")[2]
    if not goes_on(end, section.text.lstrip().partition("\n")[0]):
        return last, section
    rest = sentences(section.text)[0]
    joined = f"{last.text.rstrip()} {rest.strip()}"
    return replace(last, text=joined), replace(section, text=section.text[len(rest) :])


def _units(section: Section) -> list[tuple[str, bool]]:
    """List what may not be cut, each with whether it is a table row."""
    if section.table:
        return [(line, True) for line in section.text.splitlines(keepends=True) if line.strip()]
    whole = [(text, is_table_row(text)) for text in sentences(section.text)]
    return [(part, row) for text, row in whole for part in _run_on(text)]


def _run_on(sentence: str) -> list[str]:
    if size(sentence) <= SENTENCE_LIMIT:
        return [sentence]
    width = SENTENCE_LIMIT * 5
    return [sentence[i : i + width] for i in range(0, len(sentence), width)]


def _pieces(units: Sequence[tuple[str, bool]]) -> Iterator[str]:
    piece: list[str] = []
    header = ""
    used = 0.0
    left = sum(size(text) for text, _ in units)
    for i, (text, row) in enumerate(units):
        begins = row and not (i and units[i - 1][1])
        header = (_header(_run(units, i)) if begins else header) if row else ""
        words = size(text)
        if piece and used + words > LIMIT and used + left > LIMIT + _SHORT_TAIL:
            yield "".join(piece).strip("\n")
            repeated = "" if begins else header
            piece, used = ([repeated] if repeated else []), size(repeated)
        piece.append(text)
        used += words
        left -= words
    if "".join(piece).strip():
        yield "".join(piece).strip("\n")


def _run(units: Sequence[tuple[str, bool]], start: int) -> list[str]:
    """The rows of the table that begins there."""
    return [units[place][0] for place in takewhile(lambda place: units[place][1], range(start, len(units)))]


def _header(table: Sequence[str]) -> str:
    """Find the rows that name the columns: the first, or the first few whose first cell is empty; and a rule below."""
    count = max(1, sum(1 for _ in takewhile(lambda text: not _first_cell(text), table)))
    if len(table) > count and _RULE.fullmatch(table[count]):
        count += 1
    header = "".join(table[: min(count, _HEADER_ROWS)])
    return header if size(header) <= LIMIT / 3 else ""


def _first_cell(row: str) -> str:
    return re.split(r"[|\t]", row.removeprefix("|"), maxsplit=1)[0].strip()


def _passage(document: Document, section: Section, text: str, seen: dict[str, int]) -> Passage:
    content = json.dumps([document.id, document.title, section.heading, section.page, document.url, text])
    copy = seen.get(content, 0)
    seen[content] = copy + 1
    return Passage(
        id=str(UUID(bytes=sha256(f"{copy}{content}".encode()).digest()[:16])),
        document=document.id,
        text=text,
        labels=document.labels,
        title=document.title,
        heading=section.heading,
        page=section.page,
        url=document.url,
        modified=document.modified,
    )
