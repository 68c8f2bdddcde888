"""Texts as vectors for comparing: by the embedding model, or by their characters where that cannot read them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import numpy as np
from langchain_core.embeddings import Embeddings

from bot.assistant.grouping import FAR, Vectors, units
from bot.language import language

CHUNK = 64
"""Texts embedded between two signs of progress, and between two moments in which the work can be stopped."""
BUCKETS = 4096
FAR_BY_CHARACTERS = 0.06
WEAK = 0.22
"""The cosine below which a label is in doubt. On our own messages (tests/assistant/topics.yaml) that, or a close call, marks
28 of 36 whose label was left out, and 6 of the 29 that are right."""
_PAIR = ("経費の精算は月末までに申請してください。", "Please submit your expense claims by the end of the month.")
_OTHER = "格納庫の扉が開いたままになっていました。"


class Meaning:
    """Vectors of texts. Whether the embedding model reads Japanese is found out by asking it."""

    def __init__(self, embeddings: Embeddings):
        self._embeddings = embeddings
        self._reads_japanese: bool | None = None

    def embed(self, texts: Sequence[str]) -> Vectors:
        """By the embedding model alone."""
        return units(self._embeddings.embed_documents(list(texts)))

    def reads(self, texts: Sequence[str]) -> bool:
        """Whether the embedding model can compare these: a few Japanese ones among many do no harm."""
        japanese = sum(language(text) == "ja" for text in texts)
        if 5 * japanese <= len(texts):
            return True
        if self._reads_japanese is None:
            here, meant, other = self.embed([*_PAIR, _OTHER])
            self._reads_japanese = bool(here @ meant > here @ other)
        return self._reads_japanese

    async def vectors(self, texts: Sequence[str]) -> AsyncIterator[Vectors]:
        """The embeddings of many texts, a part at a time."""
        for start in range(0, len(texts), CHUNK):
            yield await asyncio.to_thread(self.embed, texts[start : start + CHUNK])


def by_characters(texts: Sequence[str]) -> Vectors:
    """Vectors of what characters stand beside each other; kana that only bind words count little by their frequency."""
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

    counts = HashingVectorizer(
        analyzer="char_wb", ngram_range=(1, 3), n_features=BUCKETS, alternate_sign=False, norm=None
    ).transform(texts)
    return units(TfidfTransformer(sublinear_tf=True).fit_transform(counts).toarray())


def is_far(
    best: np.ndarray[tuple[int], np.dtype[np.float32]], embedded: bool
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which messages are near no label at all, by the cosine with their nearest."""
    return best < (FAR if embedded else FAR_BY_CHARACTERS)


def is_weak(
    chosen: np.ndarray[tuple[int], np.dtype[np.float32]], embedded: bool
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which messages are not near the label that they were sorted under, by the cosine with it."""
    return chosen < (WEAK if embedded else FAR_BY_CHARACTERS)
