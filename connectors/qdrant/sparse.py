"""Words to BM25 sparse vectors, the same for the embedded engine and for a server. The IDF part is Qdrant's `idf` modifier.

Qdrant Edge's own multilingual tokenizer drops numbers, and in a filing the year and the amount are half of the
question, so the terms are made here:

* a word counts three times: as its stem, as it is written, and with the word before it ("net revenue"), function
  words left out. The exact form and the neighbour are rarer than the stem, so IDF lets them decide between
  passages that share the same stems;
* numbers lose their thousands separators; letters with digits ("A320") stay together;
* Japanese and Chinese, written without spaces, become pairs of neighbouring characters, and single kanji.

Stemming and function words are Qdrant Edge's (English).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

K1 = 0.9
B = 0.4
"""Anserini's defaults for passages (Yang et al. 2017), gentler than Lucene's: passages are short and alike in length."""
AVERAGE_LENGTH = 170.0
"""Terms of a usual passage. A constant, because a stored vector cannot follow the mean of a growing index."""

_CJK = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_TERM = re.compile(rf"(?P<cjk>[{_CJK}]+)|(?P<number>\d+(?:[.,]\d+)+)|(?P<word>(?:(?![{_CJK}])[^\W_])+)")
_VOCABULARY = 200_000

Stem = Callable[[str], int | None]


@dataclass(frozen=True, slots=True)
class SparseVector:
    """A sparse vector as Qdrant takes it: distinct unsigned 32-bit indices, and their values in the same order."""

    indices: list[int]
    values: list[float]


class SparseEncoder:
    """BM25 term weights of documents, and unit weights of query terms."""

    def __init__(self) -> None:
        self._stem = _stemmer()

    def documents(self, texts: Sequence[str]) -> list[SparseVector]:
        """Make one vector a text: saturated term frequencies, corrected for the length of the text."""
        return [self._document(text) for text in texts]

    def query(self, text: str) -> SparseVector:
        """Make one vector: weight 1 for each distinct term. Empty if the text holds no term."""
        indices = sorted(set(terms(text, self._stem)))
        return SparseVector(indices, [1.0] * len(indices))

    def _document(self, text: str) -> SparseVector:
        counts = Counter(terms(text, self._stem))
        penalty = K1 * (1 - B + B * counts.total() / AVERAGE_LENGTH)
        return SparseVector(list(counts), [count * (K1 + 1) / (count + penalty) for count in counts.values()])


def terms(text: str, stem: Stem) -> Iterator[int]:
    """Hash the terms of a text. `stem` gives a word's stem as a number; None for a function word."""
    before = ""
    for found in _TERM.finditer(unicodedata.normalize("NFKC", text).lower()):
        word = found.group()
        if found.lastgroup == "cjk":
            yield from _characters(word)
            before = ""
            continue
        word = word.replace(",", "")
        root = stem(word)
        if root is None:
            continue
        yield root
        yield crc32(f"={word}".encode())
        if before:
            yield crc32(f"{before} {word}".encode())
        before = word


def _characters(run: str) -> Iterator[int]:
    for i, character in enumerate(run):
        if i + 1 < len(run):
            yield crc32(run[i : i + 2].encode())
        if character >= "\u3400" or len(run) == 1:
            yield crc32(character.encode())


def _stemmer() -> Stem:
    from qdrant_edge import Bm25, Bm25Config, TokenizerType

    bm25 = Bm25(Bm25Config(tokenizer=TokenizerType.Whitespace, language="english"))

    @lru_cache(maxsize=_VOCABULARY)
    def stem(word: str) -> int | None:
        indices = bm25.embed_query(word).indices
        return indices[0] if indices else None

    return stem
