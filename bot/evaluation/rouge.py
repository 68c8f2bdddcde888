"""ROUGE-L: how much of a text's wording stands, in the same order, in another (Lin, "ROUGE", 2004). No stemming."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+")


def rouge_l(made: str, reference: str) -> float:
    """The F1 of the longest common subsequence of words, 0 to 1; a kana or kanji is a word."""
    left, right = _tokens(made), _tokens(reference)
    if not left or not right:
        return 0.0
    return 2 * _common(left, right) / (len(left) + len(right))


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(unicodedata.normalize("NFKC", text).lower())


def _common(left: Sequence[str], right: Sequence[str]) -> int:
    """The length of the longest common subsequence."""
    row = [0] * (len(right) + 1)
    for one in left:
        before = 0
        for place, other in enumerate(right, 1):
            above = row[place]
            row[place] = before + 1 if one == other else max(above, row[place - 1])
            before = above
    return row[-1]
