"""Passages as material: what may be quoted, what a sentence is checked against, and what a model is given to read.

A sentence that orders an assistant about is no knowledge of the company: it is neither quoted nor shown to a model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.knowledge.sentences import columns, is_finished, is_list_item, is_table_row, sentences
from bot.types import Passage

SHORT = 60
"""Columns of a heading at most; a CJK character takes two."""

_ORDER = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b[^.]{0,40}\b(?:previous|prior|earlier|above|all|your|other)\b[^.]{0,40}"
    r"\b(?:instruction|prompt|rule|message|question|passage)"
    r"|\b(?:you are now|from now on,? you|act as|pretend to be)\b"
    r"|\b(?:system|developer) (?:prompt|message|instruction)"
    r"|</?(?:system|assistant|user|instructions?)>|<\|?im_(?:start|end)\|?>|\[/?INST\]"
    r"|(?:これまで|以前|上記|前|すべて|全て)の(?:指示|命令|プロンプト)[^。]{0,20}(?:無視|忘れ|従わ)",
    re.I,
)

_NUMBERED = re.compile(
    r"(?:(?:chapter|section|part|annex|appendix)\s[\dA-Z]+\b|第\d+[章条節項部編]|\d{1,3}(?:[.-]\d{1,3}){0,9}[.)]?(?=\s))[,:.]?\s*",
    re.I,
)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_FIGURE = re.compile(r"[:：]|(?<![A-Za-z\d])\d+(?![A-Za-z\d])")
_DEEP = re.compile(r"\d{1,3}(?:[.-]\d{1,3}){1,9}\s+\S")


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence or table row of a passage as it stands there; `under` is the heading inside the text above it."""

    text: str
    row: bool = False
    under: str = ""


def told(text: str) -> list[Told]:
    """What a passage says: its usable sentences and rows without the headings among them, each with the one it is under."""
    units = [unit.strip() for unit in usable(text)]
    plain_lines = [unit for unit in units if not (is_table_row(unit) or _is_bullet(unit) or _NUMBERED.match(unit))]
    ends = sum(map(is_finished, plain_lines))
    ended = any(map(is_finished, units)) and 2 * ends >= len(plain_lines)
    found: list[Told] = []
    numbered = plain = ""
    for unit in units:
        if not _is_heading(unit, ended):
            found.append(Told(unit, is_table_row(unit), " > ".join(filter(None, (numbered, plain)))))
        elif _NUMBERED.match(unit):
            numbered, plain = unit, ""
        else:
            plain = unit
    return found


def heading_name(heading: str) -> str:
    """A heading without its number."""
    return _NUMBERED.sub("", heading, count=1)


def _is_heading(unit: str, ended: bool) -> bool:
    """Whether a line only names what follows: it is short, does not end like a sentence, and gives no figure.

    Where most lines have no end (`ended` is false: slides, notes), only capitals or a number like 29-11 make a heading.
    """
    if is_table_row(unit) or _is_bullet(unit) or is_finished(unit) or columns(unit) > SHORT:
        return False
    name = _YEAR.sub("", heading_name(unit))
    if _FIGURE.search(name) or not name:
        return False
    return ended or name.isupper() or _DEEP.match(unit) is not None


def _is_bullet(unit: str) -> bool:
    return is_list_item(unit) and not _NUMBERED.match(unit)


def usable(text: str) -> list[str]:
    """The sentences and table rows of a passage, without those that give orders to an assistant."""
    return [sentence for sentence in sentences(text) if sentence.strip() and not _ORDER.search(sentence)]


def context(passage: Passage) -> str:
    """What a passage says about itself beside its text: title and headings, once each."""
    return " > ".join(dict.fromkeys(part for part in (passage.title, *passage.heading) if part))


def numbered(passages: Sequence[Passage]) -> str:
    """Passages for a model to read, numbered from 1, each under what it says about itself."""
    return "\n\n".join(
        f"[{number}] {context(passage)}\n{''.join(usable(passage.text)).strip()}"
        for number, passage in enumerate(passages, 1)
    )
