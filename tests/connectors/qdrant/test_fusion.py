"""Fusion: the hybrid follows the leg that knows."""

import random

import pytest

from bot.types import Passage
from connectors.qdrant.fusion import Hit, fuse

ENGLISH = "what was the net revenue"
JAPANESE = "純売上高はいくらですか"


def leg(scores: dict[str, float]) -> list[Hit]:
    best = sorted(scores.items(), key=lambda item: -item[1])
    return [Hit(id_, score, Passage(id_, "document", id_, frozenset({"company"}))) for id_, score in best]


def flat(score: float, but: dict[str, float]) -> dict[str, float]:
    """Thirty hits that score nearly the same, in another order for each leg, but for some."""
    return {f"p{i:02}": score - i / 10_000 for i in range(30)} | but


def ids(hits: list[Hit]) -> list[str]:
    return [hit.id for hit in hits]


@pytest.mark.parametrize("query", [ENGLISH, JAPANESE])
def test_a_leg_that_is_sure_wins_over_one_that_is_not(query: str) -> None:
    unsure_meaning = leg(flat(0.5, {"right": 0.48}))
    assert ids(fuse(query, leg(flat(3.0, {"right": 20.0})), unsure_meaning, 3))[0] == "right"
    unsure_words = leg(flat(3.0, {"right": 2.9}))
    assert ids(fuse(ENGLISH, unsure_words, leg(flat(0.3, {"right": 0.9})), 3))[0] == "right"


def test_words_decide_in_a_language_that_the_model_does_not_read() -> None:
    words, meaning = leg({"words": 9.0, "meaning": 5.0, "x": 1.0}), leg({"meaning": 0.9, "words": 0.5, "x": 0.4})
    assert ids(fuse(JAPANESE, words, meaning, 1)) == ["words"]
    assert ids(fuse("какова чистая выручка", words, meaning, 1)) == ["words"]
    assert ids(fuse(JAPANESE, words, meaning, 1, reads=frozenset({"en", "ja"}))) == ["meaning"]
    assert ids(fuse(ENGLISH, words, meaning, 1)) == ["meaning"]


def test_one_empty_leg_leaves_the_order_of_the_other() -> None:
    hits = leg({"a": 3.0, "b": 2.0, "c": 1.0})
    for query in (ENGLISH, JAPANESE, "", "2019"):
        assert ids(fuse(query, hits, [], 10)) == ["a", "b", "c"]
        assert ids(fuse(query, [], hits, 10)) == ["a", "b", "c"]
        assert fuse(query, [], [], 10) == []


def test_each_hit_comes_once_best_first_and_no_more_than_asked_for() -> None:
    chance = random.Random(7)
    for _ in range(200):
        legs = [leg({f"p{chance.randrange(40)}": chance.random() for _ in range(chance.randrange(30))}) for _ in "ab"]
        limit = chance.randrange(1, 50)
        fused = fuse(chance.choice([ENGLISH, JAPANESE]), *legs, limit)
        known = {hit.id for one in legs for hit in one}
        assert len(fused) == min(limit, len(known))
        assert len(set(ids(fused))) == len(fused)
        assert [hit.score for hit in fused] == sorted((hit.score for hit in fused), reverse=True)
        assert all(0.0 <= hit.score <= 1.0 + 1e-9 for hit in fused)


def test_the_order_does_not_depend_on_the_order_of_equal_hits() -> None:
    hits = leg({"a": 1.0, "b": 1.0, "c": 1.0})
    assert ids(fuse(ENGLISH, hits, hits, 3)) == ids(fuse(ENGLISH, hits[::-1], hits[::-1], 3))
