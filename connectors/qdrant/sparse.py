"""Words to BM25 sparse vectors, the same for the embedded engine and for a server. The IDF part is Qdrant's `idf` modifier.

The segmentation is ours and the weighting is Qdrant Edge's: its own multilingual tokenizer drops numbers, and in a
filing the year and the amount are half of the question. Japanese and Chinese become overlapping pairs of characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qdrant_edge import Bm25

K1 = 1.2
B = 0.75
AVERAGE_LENGTH = 120.0

_CJK = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_TERM = re.compile(rf"(?P<cjk>[{_CJK}]+)|(?P<number>\d+(?:[.,]\d+)*)|(?P<word>[^\W\d_{_CJK}]+)")


@dataclass(frozen=True, slots=True)
class SparseVector:
    """A sparse vector as Qdrant takes it: distinct unsigned 32-bit indices, and their values in the same order."""

    indices: list[int]
    values: list[float]


class SparseEncoder:
    """BM25 term weights of documents, and unit weights of query terms."""

    def __init__(self) -> None:
        self._bm25 = _bm25()

    def documents(self, texts: Sequence[str]) -> list[SparseVector]:
        """One vector a text: saturated term frequencies, corrected for the length of the text."""
        return [self._document(text) for text in texts]

    def query(self, text: str) -> SparseVector:
        """One vector: weight 1 for each distinct term. Empty if the text holds no term."""
        vector = self._bm25.embed_query(" ".join(terms(text)))
        return SparseVector(list(vector.indices), list(vector.values))

    def _document(self, text: str) -> SparseVector:
        vector = self._bm25.embed_document(" ".join(terms(text)))
        return SparseVector(list(vector.indices), list(vector.values))


def terms(text: str) -> Iterator[str]:
    """Lower-case words, numbers without thousands separators, and pairs of neighbouring CJK characters."""
    for found in _TERM.finditer(unicodedata.normalize("NFKC", text).lower()):
        if found.lastgroup == "cjk":
            yield from _pairs(found.group())
        elif found.lastgroup == "number":
            yield found.group().replace(",", "")
        else:
            yield found.group()


def _pairs(run: str) -> Iterable[str]:
    if len(run) == 1:
        return [run]
    return [run[i : i + 2] for i in range(len(run) - 1)]


def _bm25() -> Bm25:
    from qdrant_edge import Bm25, Bm25Config, TokenizerType

    config = Bm25Config(k=K1, b=B, avg_len=AVERAGE_LENGTH, tokenizer=TokenizerType.Whitespace, language="english")
    return Bm25(config)
