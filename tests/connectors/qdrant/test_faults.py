"""Faults planted in the filter, with the second look off, and in the second look, with the filter off: each is caught."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bot.types import Access, Labels
from connectors.qdrant.edge import EdgeEngine
from connectors.qdrant.engine import Found, Point, Readers
from connectors.qdrant.gateway import Gateway, sees
from connectors.qdrant.sparse import SparseVector
from tests.connectors.qdrant.worlds import LABELS, QUESTION, CountingEmbeddings, access_of, oracle, passage

DOCUMENTS: list[Labels] = [
    frozenset(one.split())
    for one in (
        "company",
        "filings",
        "maintenance",
        "hr",
        "company filings",
        "filings hr",
        "fil",
        "Filings",
        "maintenance hr",
    )
]
ROOMS = [
    [["company"]],
    [["filings"]],
    [["fil"]],
    [["Filings"]],
    [["company", "filings"], ["company"]],
    [["company", "filings"], ["filings", "hr"]],
    [["company", "filings"], ["company", "hr"], ["maintenance", "company"]],
    [["company", "filings", "hr"], ["maintenance"]],
    [["company"], ["hr"]],
    [["company"], []],
    [[]],
    [],
]
EVERYTHING = frozenset({frozenset(LABELS)})
Bend = Callable[[Readers], Readers]


class BentEngine:
    """An engine whose queries use a wrong filter: `words` and `meaning` bend the readers of each leg."""

    def __init__(self, engine: EdgeEngine, words: Bend, meaning: Bend):
        self._engine = engine
        self._words = words
        self._meaning = meaning

    def open(self, size: int, model: str) -> None:
        self._engine.open(size, model)

    def by_words(self, words: SparseVector, readers: Readers, limit: int) -> list[Found]:
        return self._engine.by_words(words, self._words(readers), limit)

    def by_meaning(
        self, meaning: Sequence[float], words: SparseVector | None, readers: Readers, limit: int
    ) -> list[Found]:
        return self._engine.by_meaning(meaning, words, self._meaning(readers), limit)

    def upsert(self, points: Sequence[Point]) -> None:
        self._engine.upsert(points)

    def present(self, ids: Collection[str]) -> dict[str, Mapping[str, Any]]:
        return self._engine.present(ids)

    def relabel(self, document: str, labels: Sequence[str]) -> None:
        self._engine.relabel(document, labels)

    def remove(self, document: str, keep: Collection[str]) -> None:
        self._engine.remove(document, keep)

    def count(self) -> int:
        return self._engine.count()

    def optimize(self) -> None:
        self._engine.optimize()

    def close(self) -> None:
        self._engine.close()


def right(readers: Readers) -> Readers:
    return readers


def everything(readers: Readers) -> Readers:
    return EVERYTHING


def each(change: Callable[[str], Collection[str]]) -> Bend:
    """Every label of every reader becomes other labels."""
    return lambda readers: frozenset(frozenset(new for label in one for new in change(label)) for one in readers)


FILTER_FAULTS: dict[str, tuple[Bend, Bend]] = {
    "no filter at all": (everything, everything),
    "no filter in the word leg": (everything, right),
    "no filter in the meaning leg": (right, everything),
    "any reader instead of every reader": ((lambda r: frozenset({frozenset().union(*r)})),) * 2,
    "the first reader only": ((lambda r: frozenset(sorted(r, key=sorted)[:1])),) * 2,
    "the last reader forgotten": ((lambda r: frozenset(sorted(r, key=sorted)[: max(1, len(r) - 1)])),) * 2,
    "the widest reader only": ((lambda r: frozenset({max(r, key=len)})),) * 2,
    "everybody gets company as well": ((lambda r: frozenset(one | {"company"} for one in r)),) * 2,
    "labels in lower case": (each(lambda label: {label.lower()}),) * 2,
    "labels in any case": (each(lambda label: {label, label.lower(), label.capitalize()}),) * 2,
    "labels by their beginning": (each(lambda label: {one for one in LABELS if one.startswith(label)}),) * 2,
    "labels cut at three letters": (each(lambda label: {label, label[:3]}),) * 2,
}

Look = Callable[[Access, object], bool]


def _labels(labels: object) -> list[str]:
    return [str(label) for label in labels] if isinstance(labels, list) else []


LOOK_FAULTS: dict[str, Look] = {
    "believes everything": lambda access, labels: True,
    "any reader is enough": lambda access, labels: any(one & set(_labels(labels)) for one in access.readers),
    "the union of the readers": lambda access, labels: bool(frozenset().union(*access.readers) & set(_labels(labels))),
    "the smallest reader only": lambda access, labels: bool(min(access.readers, key=len) & set(_labels(labels))),
    "every label instead of any": lambda access, labels: all(set(_labels(labels)) <= one for one in access.readers),
    "case does not matter": lambda access, labels: all(
        {label.lower() for label in one} & {label.lower() for label in _labels(labels)} for one in access.readers
    ),
    "beginnings are enough": lambda access, labels: all(
        any(carried.startswith(held) for carried in _labels(labels) for held in one) for one in access.readers
    ),
    "substrings are enough": lambda access, labels: all(
        any(held in carried for carried in _labels(labels) for held in one) for one in access.readers
    ),
    "a string is as good as a list": lambda access, labels: access.sees(
        [labels] if isinstance(labels, str) else _labels(labels)
    ),
    "the letters of a string are labels": lambda access, labels: (
        access.sees(labels) if isinstance(labels, str) else sees(access, labels)
    ),
    "no labels means public": lambda access, labels: not labels or sees(access, labels),
    "company is public": lambda access, labels: "company" in _labels(labels) or sees(access, labels),
}
ODD_PAYLOADS: list[object] = ["filings", "hr", "f", None, [], [None], [["filings"]], {"filings": True}, 7, True]


async def wrong_rooms(gateway: Gateway) -> list[list[list[str]]]:
    """The rooms in which the gateway shows anything but what the oracle allows."""
    wrong = []
    for readers in ROOMS:
        shown = {int(one.document[7:-3]) for one in await gateway.search(QUESTION, access_of(readers), 50)}
        if shown != oracle(DOCUMENTS, [frozenset(reader) for reader in readers]):
            wrong.append(readers)
    return wrong


def wrong_looks(look: Look) -> list[object]:
    """The payloads that a second look takes although they are not a list of labels that all readers share."""
    access = access_of([["filings", "hr", "f"]])
    return [labels for labels in ODD_PAYLOADS if look(access, labels)]


async def make(folder: Path, filters: tuple[Bend, Bend], look: Look) -> Gateway:
    gateway = Gateway(BentEngine(EdgeEngine(folder), *filters), CountingEmbeddings(), believes=look)
    await gateway.put([passage(number, labels) for number, labels in enumerate(DOCUMENTS)])
    return gateway


async def test_the_filter_alone_is_right(tmp_path: Path) -> None:
    gateway = await make(tmp_path, (right, right), lambda access, labels: True)
    assert await wrong_rooms(gateway) == []
    await gateway.close()


async def test_the_second_look_alone_is_right(tmp_path: Path) -> None:
    gateway = await make(tmp_path, (everything, everything), sees)
    assert await wrong_rooms(gateway) == []
    assert wrong_looks(sees) == []
    await gateway.close()


@pytest.mark.parametrize("fault", FILTER_FAULTS)
async def test_a_fault_in_the_filter_is_caught(tmp_path: Path, fault: str) -> None:
    gateway = await make(tmp_path, FILTER_FAULTS[fault], lambda access, labels: True)
    assert await wrong_rooms(gateway)
    await gateway.close()


@pytest.mark.parametrize("fault", LOOK_FAULTS)
async def test_a_fault_in_the_second_look_is_caught(tmp_path: Path, fault: str) -> None:
    gateway = await make(tmp_path, (everything, everything), LOOK_FAULTS[fault])
    assert await wrong_rooms(gateway) or wrong_looks(LOOK_FAULTS[fault])
    await gateway.close()


async def test_a_fault_in_one_layer_shows_nobody_anything(tmp_path: Path) -> None:
    for number, filters in enumerate(FILTER_FAULTS.values()):
        gateway = await make(tmp_path / str(number), filters, sees)
        for readers in ROOMS:
            shown = {int(one.document[7:-3]) for one in await gateway.search(QUESTION, access_of(readers), 50)}
            assert shown <= oracle(DOCUMENTS, [frozenset(reader) for reader in readers])
        await gateway.close()
