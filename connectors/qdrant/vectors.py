"""What is stored of a passage besides its payload: three named vectors, made here for every engine.

* ``bm25``: sparse, with Qdrant's ``idf`` modifier; finds passages by words.
* ``dense``: one unit vector, the direction of the mean of the windows; has the HNSW graph; finds passages by meaning.
* ``sentences``: a multivector (max-sim comparator, HNSW ``m=0``: never searched, only scored): one unit vector for
  each window of the passage, a sentence or a few short table rows. A question is about one sentence or row, and
  one vector for the whole passage hides it: on TAT-QA dev, passages of 100 words have an nDCG@10 of 0.57 by one
  vector and of 0.67 by max-sim over windows, for about the same number of embedded tokens.

A search is two queries, each with the access filter in every part:

1. ``bm25`` nearest, `CANDIDATES` hits: the BM25 leg (left out, also below, if the question has no terms);
2. prefetch [``dense`` nearest `CANDIDATES`, ``bm25`` nearest `CANDIDATES`], then ``sentences`` nearest with
   ``[query vector]``, limit 2 * `CANDIDATES`: the dense leg, with a score for each candidate of either leg.

`fuse` makes one ranking of the two. The dense leg alone, for measuring, prefetches ``dense`` only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from unicodedata import normalize

import numpy as np
from langchain_core.embeddings import Embeddings

from bot.knowledge.sentences import is_table_row, sentences
from bot.types import Passage
from connectors.qdrant.sparse import SparseEncoder, SparseVector

BM25 = "bm25"
DENSE = "dense"
SENTENCES = "sentences"
CANDIDATES = 100
"""Hits of each leg that are fused."""
ROW_WORDS = 15
"""Words up to which table rows share a window: a row with its neighbours says more than a row of two numbers."""
LONGEST_WINDOW = 600
"""Characters of a window at most, about 150 English tokens: the embedded model reads 256."""

_CELLS = re.compile(r"(?<![\s|])[\s|]*[|\t][\s|]*")


@dataclass(frozen=True, slots=True)
class Vectors:
    """The vectors of one passage. `dense` and each of `sentences` have length 1; `sentences` is never empty."""

    bm25: SparseVector
    dense: list[float]
    sentences: list[list[float]]


def encode(passages: Sequence[Passage], embeddings: Embeddings, sparse: SparseEncoder) -> list[Vectors]:
    """Embed passages, in order. Each distinct window of the batch is embedded once, so big batches are faster."""
    windowed = [windows(passage) for passage in passages]
    distinct = sorted({window for group in windowed for window in group}, key=lambda text: (len(text), text))
    vectors = dict(zip(distinct, embeddings.embed_documents(distinct), strict=True))
    words = sparse.documents([searchable(passage) for passage in passages])
    return [_vectors(words[i], [vectors[window] for window in group]) for i, group in enumerate(windowed)]


def searchable(passage: Passage) -> str:
    """Give the text that the BM25 leg reads: title, headings and body."""
    return "\n".join(part for part in (passage.title, *passage.heading, passage.text) if part)


def windows(passage: Passage) -> list[str]:
    """Give the texts that the dense leg reads: the title with its headings, then each sentence or group of short rows.

    Full-width letters and digits are made narrow, as in questions: models read them badly.
    """
    above = ": ".join(part for part in (passage.title, *passage.heading) if part.strip())
    found = [piece for text in _grouped(passage.text) for piece in _short(text)]
    return [normalize("NFKC", text) for text in ([above, *found] if above else (found or [passage.text]))]


def _grouped(text: str) -> Iterator[str]:
    rows: list[str] = []
    size = 0
    for sentence in sentences(text):
        if not is_table_row(sentence):
            yield from _flushed(rows)
            size = 0
            yield sentence.strip()
            continue
        row = _CELLS.sub(" | ", sentence).strip(" |\n")
        words = len(row.split())
        if size + words > ROW_WORDS:
            yield from _flushed(rows)
            size = 0
        rows.append(row)
        size += words
    yield from _flushed(rows)


def _flushed(rows: list[str]) -> Iterator[str]:
    text = "\n".join(row for row in rows if row)
    rows.clear()
    if text:
        yield text


def _short(text: str) -> list[str]:
    """Pieces of a run-on sentence: a model that reads 256 tokens would miss its end."""
    return [text[i : i + LONGEST_WINDOW] for i in range(0, len(text), LONGEST_WINDOW)]


def _vectors(words: SparseVector, group: list[list[float]]) -> Vectors:
    mean = np.mean(np.asarray(group, dtype=np.float32), axis=0)
    length = float(np.linalg.norm(mean))
    return Vectors(words, (mean / length).tolist() if length else group[0], group)
