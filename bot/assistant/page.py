"""An answer as it grows: its text, with markers made from provenance, and its sources in the order of their first use."""

from __future__ import annotations

from bot.types import Citation, Delta, Passage

_FULL_STOPS = "。！？」』）"
"""Behind these, which take a whole column, no space follows."""


class Page:
    """Sentences one after the other; one with a passage gets the marker of its source."""

    def __init__(self) -> None:
        self.text = ""
        self.citations: list[Citation] = []
        self._alone = False
        self._last = 0

    def add(self, sentence: str, passage: Passage | None, alone: bool, quoted: bool = False) -> Delta:
        """Append one sentence; `alone` puts it on a line of its own.

        Quotations from two sources do not follow each other on a line: no text has them together.
        """
        number, cited = 0, tuple[Citation, ...]()
        if passage is not None:
            citation = self._cite(passage)
            number, cited = citation.number, (citation,)
        apart = alone or self._alone or (quoted and number != self._last)
        between = "" if not self.text else "\n" if apart else "" if self.text[-1] in _FULL_STOPS else " "
        piece = f"{between}{sentence} [{number}]" if number else f"{between}{sentence}"
        self.text += piece
        self._alone, self._last = alone, number
        return Delta(piece, cited)

    def _cite(self, passage: Passage) -> Citation:
        for known in self.citations:
            if (known.document, known.page) == (passage.document, passage.page):
                return known
        number = len(self.citations) + 1
        made = Citation(number, passage.document, passage.title, passage.labels, passage.page, passage.url)
        self.citations.append(made)
        return made
