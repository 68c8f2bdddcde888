"""What no rewriting may change: code, links, addresses, mentions, markers and placeholders are taken out and put back.

A model sees marks like ⟦3⟧ instead, so it can neither alter such a stretch nor make up another one in its place.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from bot.assistant.facts import quantities

_KEPT = re.compile(
    r"```.*?(?:```|\Z)"
    r"|`[^`\n]+`"
    r"|\[\d{1,3}\](?!\()"
    r"|<[@#!][^<>\s]+>|<https?:[^<>]*>"
    r"|(?:https?|ftp)://[^\s<>\"'）」、。]+(?<![.,;:!?)])"
    r"|\bwww\.[^\s<>\"'）」、。]+(?<![.,;:!?)])"
    r"|(?<![\w.+-])[\w.+-]++@[\w-]+(?:\.[\w-]+)+\b"
    r"|\{\{?\w+\}?\}|%\(?\w*\)?[sd]\b|\$\{\w+\}"
    r"|(?<![\w/])(?:/[\w.-]+){2,}/?|\b[A-Z]:\\[^\s]+"
    r"|(?<![A-Za-z\d])(?=[A-Z\d])(?=[A-Z\d-]{0,99}[A-Z])(?=[A-Z\d-]{0,99}\d)[A-Z\d]+(?:-[A-Z\d]+){0,15}"
    r"(?![A-Za-z\d])",
    re.S | re.ASCII,
)
_MARK = re.compile(r"⟦\s*(\d+)\s*⟧")
_LINK = re.compile(r"\b(?:https?|ftp)://|\bwww\.|(?<![\w.+-])[\w.+-]++@[\w-]+\.\w|\]\(", re.I)
_DIGITS = re.compile(r"\d+(?:[.,\u00a0\u202f' ]\d{3}(?!\d))*(?:[.,]\d+)?")


@dataclass(frozen=True, slots=True)
class Protected:
    """A text with marks in the place of what must stay, and what each mark stands for."""

    text: str
    kept: Mapping[str, str]

    def restored(self, written: str) -> str | None:
        """A rewritten text with everything back; None if a mark is missing, doubled or made up, or a link was added."""
        marks = _MARK.findall(written)
        if sorted(marks) != sorted(self.kept) or _LINK.search(written) or "⟦" in _MARK.sub("", written):
            return None
        return _MARK.sub(lambda found: self.kept[found[1]], written)

    def filled(self, written: str) -> str | None:
        """As `restored`, for a text that need not have every mark; None if one is made up or a link was added."""
        known = set(_MARK.findall(written)) <= set(self.kept)
        if not known or _LINK.search(written) or "⟦" in _MARK.sub("", written):
            return None
        return _MARK.sub(lambda found: self.kept[found[1]], written)

    @property
    def plain(self) -> str:
        """The text without its marks: what there is to rewrite."""
        return _MARK.sub(" ", self.text).strip()


def protect(text: str) -> Protected:
    """Take out what must not change. Marks that the text has by itself are taken out too, as text."""
    kept: dict[str, str] = {}

    def mark(found: re.Match[str]) -> str:
        number = str(len(kept) + 1)
        kept[number] = found.group()
        return f"⟦{number}⟧"

    return Protected(re.sub(f"{_KEPT.pattern}|⟦[^⟧]*⟧?|⟧", mark, text, flags=_KEPT.flags), kept)


def same_numbers(source: str, written: str) -> bool:
    """Whether a rewritten text has all numbers of the source, and none that the source has not.

    However they are grouped (1,482.6 or 1.482,6); what the source spells out may be written in digits.
    """
    return numbers(source) <= numbers(written) and not new_numbers(source, written)


def new_numbers(source: str, written: str) -> set[str]:
    """The numbers of a text that its source has neither in digits nor spelled out."""
    spelled = {_plain(str(value)) for one in quantities(source) for value in (one.value, one.bare)}
    return numbers(written) - numbers(source) - spelled


def numbers(text: str) -> set[str]:
    """The numbers of a text by their digits, however they are grouped."""
    folded = unicodedata.normalize("NFKC", _MARK.sub(" ", text))
    return {_plain(found) for found in _DIGITS.findall(folded)}


def _plain(number: str) -> str:
    return re.sub(r"\D", "", number).lstrip("0") or "0"
