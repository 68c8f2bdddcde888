"""Names for groups of messages: the words that are common in one group and rare in the others (class-based TF-IDF)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

WORDS = 3
TOKEN = r"(?u)[a-z][a-z'+-]+|[\u4e00-\u9fff々]{2,}|[ァ-ヶー]{2,}"  # noqa: S105  # words, not a secret


def names(texts: Sequence[str], group: NDArray[np.int_]) -> list[str]:
    """A name for each group; empty where its messages hold no word that tells it apart."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer

    count = int(group.max()) + 1
    try:
        reader = CountVectorizer(token_pattern=TOKEN, stop_words=sorted(ENGLISH_STOP_WORDS), binary=True)
        found = reader.fit_transform(texts)
    except ValueError:  # no words at all
        return [""] * count
    told = np.zeros((count, found.shape[1]))
    for number in range(count):
        told[number] = found[group == number].sum(axis=0)
    common = told * np.log1p(told.sum() / count / np.maximum(told.sum(axis=0), 1.0))
    vocabulary = reader.get_feature_names_out()
    return [", ".join(_best(row, vocabulary)) for row in common]


def _best(row: NDArray[np.float64], vocabulary: NDArray[np.str_]) -> list[str]:
    return [str(vocabulary[place]) for place in np.argsort(-row, kind="stable")[:WORDS] if row[place] > 0]
