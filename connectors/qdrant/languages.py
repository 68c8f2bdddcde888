"""Which languages an embedding model reads, found by asking it: model cards are not there offline, and err."""

from __future__ import annotations

import numpy as np
from langchain_core.embeddings import Embeddings

from bot.language import Language

ENOUGH = 0.75
"""Share of sentences that must find their paraphrase among eight. all-MiniLM-L6-v2 finds 3 of 8 in Japanese."""

_JAPANESE = (
    ("車を買いました。", "新しい自動車を購入した。"),
    ("会議は明日に延期された。", "打ち合わせの日程を変更し、次の日にする。"),
    ("彼は医者です。", "男性は病院で患者を診察する。"),
    ("雨が激しく降っている。", "外は大変な悪天候だ。"),
    ("給料はいつ支払われますか。", "賃金の振り込みは毎月二十五日である。"),
    ("この部屋は禁煙です。", "ここでタバコを吸ってはいけない。"),
    ("駅までどう行けばいいですか。", "電車の乗り場への道順を教えてください。"),
    ("エンジンから異音がする。", "発動機の音がおかしい。"),
)


def languages_read(embeddings: Embeddings) -> frozenset[Language]:
    """Return the languages in which the model tells paraphrases from other sentences; English is taken for granted.

    Embeds sixteen short sentences, so keep the answer.
    """
    vectors = np.asarray(embeddings.embed_documents([text for pair in _JAPANESE for text in pair]), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9
    found = (vectors[0::2] @ vectors[1::2].T).argmax(axis=1) == np.arange(len(_JAPANESE))
    return frozenset({"en", "ja"} if found.mean() >= ENOUGH else {"en"})
