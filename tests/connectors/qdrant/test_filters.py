"""The two layers of the access rule, each alone against an oracle: 10,000 generated worlds for each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.types import Access, Labels
from connectors.qdrant.edge import EdgeEngine
from connectors.qdrant.engine import Point
from connectors.qdrant.filters import Only, may_see, only_for
from connectors.qdrant.sparse import SparseEncoder
from connectors.qdrant.vectors import encode
from tests.connectors.qdrant.worlds import (
    QUESTION,
    HashEmbeddings,
    World,
    access_of,
    oracle,
    shelf,
    vector,
    worlds,
)

CASES = 10_000
TOGETHER = 200
WORDS = SparseEncoder().query(QUESTION)


@pytest.fixture(scope="module")
def cases() -> list[World]:
    return worlds(CASES)


def test_the_filter_alone_lets_through_exactly_what_the_rule_allows(cases: list[World], tmp_path: Path) -> None:
    """Straight at the embedded engine: no check of what comes back. The legs take turns."""
    engine = EdgeEngine(tmp_path)
    engine.open(8, "hash")
    checked = 0
    for start in range(0, CASES, TOGETHER):
        batch = cases[start : start + TOGETHER]
        _fill(engine, batch)
        for place, (documents, readers) in enumerate(batch):
            access = access_of([{f"{place}.{label}" for label in one} for one in readers])
            assert _through(engine, access, place) == oracle(documents, readers), (documents, readers)
            checked += 1
    engine.close()
    assert checked >= CASES


def _fill(engine: EdgeEngine, batch: Sequence[World]) -> None:
    """Put one world beside the other: the same points each time, with the labels of this batch."""
    points = []
    for place in range(TOGETHER):
        documents = batch[place][0]
        nobody: list[Labels] = [frozenset({"nobody"})] * (5 - len(documents))
        points += shelf(place, [*documents, *nobody])
    ids = [f"00000000-0000-0000-0000-{number:012d}" for number in range(len(points))]
    payloads = [{"number": int(one.id[1:]), "labels": sorted(one.labels)} for one in points]
    if engine.count():
        engine.describe(dict(zip(ids, payloads, strict=True)))
        return
    vectors = encode(points, HashEmbeddings(), SparseEncoder())
    engine.upsert([Point(*one) for one in zip(ids, vectors, payloads, strict=True)])


def _through(engine: EdgeEngine, access: Access, place: int) -> set[int]:
    if not access.can_read:
        with pytest.raises(ValueError, match="at least one group"):
            only_for(access)
        return set()
    only = only_for(access)
    if place % 2:
        found = engine.by_words(WORDS, only, 50)
    else:
        found = engine.by_meaning(vector(QUESTION), WORDS if place % 4 else None, only, 50)
    return {one.payload["number"] - place * 10 for one in found}


def test_the_second_look_alone_takes_exactly_what_the_rule_allows(cases: list[World]) -> None:
    for documents, readers in cases:
        access = access_of(readers)
        taken = {number for number, labels in enumerate(documents) if may_see(access, sorted(labels))}
        assert taken == oracle(documents, readers), (documents, readers)


@pytest.mark.parametrize(
    "labels", ["hr", "h", "", None, [], [None], [["hr"]], {"hr": True}, ("hr",), 7, True, ["hr", 3]]
)
def test_the_second_look_takes_nothing_but_a_list_of_strings(labels: object) -> None:
    assert not may_see(access_of([["hr", "h", "", "3"]]), labels)


def test_no_filter_can_mean_everything() -> None:
    for groups in ((), ((),), (("hr",), ())):
        with pytest.raises(ValueError, match="at least one group"):
            Only(groups)
    for access in (Access(), access_of([[]]), Access(frozenset({frozenset({"hr"}), frozenset()}))):
        with pytest.raises(ValueError, match="at least one group"):
            only_for(access)


def test_a_filter_has_one_group_for_each_reader_in_a_fixed_order() -> None:
    assert only_for(access_of([["b", "a"], ["c"]])) == Only((("a", "b"), ("c",)))
