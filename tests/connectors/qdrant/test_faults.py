"""Faults planted in one layer, with the other one switched off where it would hide them: the checks catch each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.types import Access, Labels, Passage
from connectors.qdrant import edge
from connectors.qdrant.edge import EdgeEngine
from connectors.qdrant.engine import Found
from connectors.qdrant.filters import Filters, Only, Recheck, may_see, only_for
from connectors.qdrant.gateway import Gateway
from connectors.qdrant.sparse import SparseVector
from connectors.qdrant.vectors import BM25
from tests.connectors.qdrant.worlds import LABELS, QUESTION, HashEmbeddings, access_of, numbers, oracle, passage

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
ROOMS: list[list[list[str]]] = [
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
    [["hr"], ["company"], ["fil"]],
    [[]],
    [],
]
HIDDEN = [replace(passage(number, ["crowd"], QUESTION), title="") for number in range(100, 230)]
LONELY = passage(99, ["lonely"], "Breakfast.")
RARE = [passage(90, ["few"], "quartz"), passage(91, ["few"], "basalt"), passage(92, ["few"], "basalt")]
COMMON = [passage(number, ["crowd"], "quartz") for number in range(300, 330)]
FORGED: list[object] = ["filings", "f", None, [], [None], [["filings"]], {"filings": True}, 7, ["filings", 7]]
ALL = Only(((*LABELS, "crowd", "lonely", "few", "nobody", "moved"),))


# What is checked. Each check returns what is wrong, in words; a right gateway returns nothing.


async def check(gateway: Gateway, crowd: Sequence[Passage] = (*HIDDEN, *COMMON)) -> list[str]:
    """Everything that can be seen from outside. `crowd`: hidden passages that would take the place of others."""
    passages = [passage(number, labels) for number, labels in enumerate(DOCUMENTS)]
    await gateway.put([*passages, LONELY, *RARE, *crowd])
    wrong = [f"room {readers}" for readers in ROOMS if await _shown(gateway, readers) != _allowed(readers)]
    wrong += [
        f"room {readers}, asked again" for readers in ROOMS if await _shown(gateway, readers) != _allowed(readers)
    ]
    if numbers(await gateway.search(QUESTION, access_of([["lonely"]]))) != {99}:
        wrong.append("a passage behind a crowd of hidden ones is not found")
    found = (await gateway.legs("quartz basalt", access_of([["few"]]), 3))["bm25"]
    if [one.document for one in found[:1]] != ["source/90.md"]:
        wrong.append("hidden passages decide how rare a word is")
    return wrong + await _changes(gateway) + await _refusals(gateway)


async def _changes(gateway: Gateway) -> list[str]:
    await gateway.relabel("source/3.md", frozenset({"moved"}))
    await gateway.put([passage(0, ["moved"])])
    await gateway.remove("source/1.md")
    wrong = []
    for label, expected in {"moved": {0, 3}, "hr": {5, 8}, "company": {4}, "filings": {4, 5}}.items():
        if numbers(await gateway.search(QUESTION, access_of([[label]]), 50)) != expected:
            wrong.append(f"after changes: {label}")
    return wrong


async def _refusals(gateway: Gateway) -> list[str]:
    wrong = []
    bad: list[Any] = [frozenset(), frozenset({""}), "filings"]
    for labels in bad:
        try:
            await gateway.put([replace(passage(50, ["nobody"]), labels=labels)])
        except ValueError:
            continue
        wrong.append(f"labels {labels!r} were stored")
    return wrong


async def _shown(gateway: Gateway, readers: list[list[str]]) -> set[int]:
    return numbers(await gateway.search(QUESTION, access_of(readers), 500))


def _allowed(readers: list[list[str]]) -> set[int]:
    return oracle(DOCUMENTS, [frozenset(reader) for reader in readers])


def check_forms(recheck: Recheck) -> list[object]:
    """The labels that are not a list of strings, and are taken all the same."""
    access = access_of([["filings", "f", "7"]])
    return [labels for labels in FORGED if recheck(access, labels)]


# Faults in the filter: the second look believes everything.


def bent(change: Callable[[set[Labels]], Iterable[Collection[str]]]) -> Filters:
    """A filter of other readers than those of the access."""
    return lambda access: Only(tuple(tuple(sorted(one)) for one in change(set(access.readers))))


def _ordered(readers: set[Labels]) -> list[Labels]:
    return sorted(readers, key=sorted)


def relabelled(change: Callable[[str], Collection[str]]) -> Filters:
    """Every label of every reader becomes other labels."""
    return bent(lambda readers: [{new for label in one for new in change(label)} for one in readers])


def everything(access: Access) -> Only:
    return ALL


FILTER_FAULTS: dict[str, Filters] = {
    "no filter at all": everything,
    "should instead of must: any reader is enough": bent(lambda readers: [frozenset().union(*readers)]),
    "only the first reader counts": bent(lambda readers: _ordered(readers)[:1]),
    "the last reader is forgotten": bent(lambda readers: _ordered(readers)[: max(1, len(readers) - 1)]),
    "only the widest reader counts": bent(lambda readers: [max(_ordered(readers), key=len)]),
    "only the narrowest reader counts": bent(lambda readers: [min(_ordered(readers), key=len)]),
    "readers who share no label are left out": bent(
        lambda readers: [one for one in readers if one & _ordered(readers)[0]] or readers
    ),
    "the names that all share, instead of the documents": bent(
        lambda readers: [frozenset.intersection(*readers) or {"nobody"}]
    ),
    "everybody gets company as well": bent(lambda readers: [one | {"company"} for one in readers]),
    "labels in lower case": relabelled(lambda label: {label.lower()}),
    "labels in any case": relabelled(lambda label: {label, label.lower(), label.capitalize()}),
    "labels by their beginning": relabelled(lambda label: {one for one in ALL.groups[0] if one.startswith(label)}),
    "labels cut at three letters": relabelled(lambda label: {label, label[:3]}),
}


# Faults in an engine: the second look believes everything.


class WordsUnfiltered(EdgeEngine):
    """The word leg has no filter."""

    def by_words(self, words: SparseVector, only: Only, limit: int) -> list[Found]:
        return super().by_words(words, ALL, limit)


class MeaningUnfiltered(EdgeEngine):
    """The meaning leg has no filter."""

    def by_meaning(self, meaning: Sequence[float], words: SparseVector | None, only: Only, limit: int) -> list[Found]:
        return super().by_meaning(meaning, words, ALL, limit)


class Should(EdgeEngine):
    """The groups are alternatives, in Qdrant's own terms."""

    def _filter(self, only: Only) -> Any:
        return edge.qdrant.Filter(should=super()._filter(only).must)


class EmptyFilter(EdgeEngine):
    """Qdrant takes an empty filter for no filter."""

    def _filter(self, only: Only) -> Any:
        return edge.qdrant.Filter(must=[])


class FirstGroup(EdgeEngine):
    """Only one of the conditions arrives."""

    def _filter(self, only: Only) -> Any:
        return super()._filter(Only(only.groups[:1]))


class Prefix(EdgeEngine):
    """Labels are matched by substring."""

    def _filter(self, only: Only) -> Any:
        condition, match = edge.qdrant.FieldCondition, edge.qdrant.MatchText
        groups = [[condition("labels", match=match(label)) for label in group] for group in only.groups]
        return edge.qdrant.Filter(must=[edge.qdrant.Filter(should=list(group)) for group in groups])


class LatePrefetch(EdgeEngine):
    """Candidates are collected without the filter, which comes only at the end."""

    def by_meaning(self, meaning: Sequence[float], words: SparseVector | None, only: Only, limit: int) -> list[Found]:
        groups = [set(group) for group in only.groups]
        found = super().by_meaning(meaning, words, ALL, limit)
        return [one for one in found if all(group & set(one.payload["labels"]) for group in groups)]


class CommonRarity(EdgeEngine):
    """How rare a word is counts over all points, hidden ones too."""

    def by_words(self, words: SparseVector, only: Only, limit: int) -> list[Found]:
        query = edge.qdrant.Query.Nearest(edge.qdrant.SparseVector(words.indices, words.values), using=BM25)
        request = edge.qdrant.QueryRequest(limit=limit, query=query, filter=self._filter(only), with_payload=True)
        return self._query(request)


class StaleLabels(EdgeEngine):
    """New labels do not arrive."""

    def relabel(self, document: str, labels: Sequence[str]) -> None:
        return


class AddedLabels(EdgeEngine):
    """Old labels stay beside the new ones."""

    def describe(self, payloads: Mapping[str, Mapping[str, Any]]) -> None:
        old = self.present(list(payloads))
        both = {id_: {**new, "labels": [*new["labels"], *old[id_]["labels"]]} for id_, new in payloads.items()}
        super().describe(both)


class Forever(EdgeEngine):
    """Nothing is ever removed."""

    def remove(self, document: str, keep: Collection[str]) -> None:
        return


class RelabelsAll(EdgeEngine):
    """A label change reaches other documents."""

    def relabel(self, document: str, labels: Sequence[str]) -> None:
        for number in range(len(DOCUMENTS)):
            super().relabel(f"source/{number}.md", labels)


ENGINE_FAULTS: list[type[EdgeEngine]] = [
    WordsUnfiltered,
    MeaningUnfiltered,
    Should,
    EmptyFilter,
    FirstGroup,
    Prefix,
    LatePrefetch,
    CommonRarity,
    StaleLabels,
    AddedLabels,
    Forever,
    RelabelsAll,
]


# Faults in the second look: the filter lets everything through.


def _list(labels: object) -> list[str]:
    return [str(label) for label in labels] if isinstance(labels, list) else []


RECHECK_FAULTS: dict[str, Recheck] = {
    "believes everything": lambda access, labels: True,
    "believes the filter where there are labels": lambda access, labels: bool(labels),
    "any reader is enough": lambda access, labels: any(one & set(_list(labels)) for one in access.readers),
    "only the smallest reader counts": lambda access, labels: bool(min(access.readers, key=len) & set(_list(labels))),
    "every label instead of any": lambda access, labels: all(set(_list(labels)) <= one for one in access.readers),
    "one common label instead of one for each": lambda access, labels: bool(
        frozenset.intersection(*access.readers) & set(_list(labels))
    ),
    "case does not matter": lambda access, labels: all(
        {label.lower() for label in one} & {label.lower() for label in _list(labels)} for one in access.readers
    ),
    "beginnings are enough": lambda access, labels: all(
        any(carried.startswith(held) for carried in _list(labels) for held in one) for one in access.readers
    ),
    "company is public": lambda access, labels: "company" in _list(labels) or may_see(access, labels),
}
FORM_FAULTS: dict[str, Recheck] = {
    "a string is as good as a list": lambda access, labels: access.sees([labels] if isinstance(labels, str) else []),
    "the letters of a string are labels": lambda access, labels: isinstance(labels, str) and access.sees(labels),
    "the keys of a mapping are labels": lambda access, labels: isinstance(labels, dict) and access.sees(labels),
    "no labels means public": lambda access, labels: not labels or may_see(access, labels),
    "one good label is enough": lambda access, labels: access.sees(
        [label for label in labels if isinstance(label, str)] if isinstance(labels, list) else []
    ),
}


# Faults in the gateway itself.


class AnswersFromMemory(Gateway):
    """What a question found is kept, whoever asks next."""

    async def search(self, query: str, access: Access, limit: int = 8) -> list[Passage]:
        kept: dict[str, list[Passage]] = self.__dict__.setdefault("kept", {})
        if query not in kept:
            kept[query] = await super().search(query, access, limit)
        return kept[query]


class StoresAnything(Gateway):
    """Labels are not looked at before they are stored."""

    async def put(self, passages: Sequence[Passage]) -> None:
        self._put(passages)


def trusting(access: Access, labels: object) -> bool:
    return True


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Gateway]:
    def made(
        engine: type[EdgeEngine] = EdgeEngine,
        filters: Filters = only_for,
        recheck: Recheck = may_see,
        gateway: type[Gateway] = Gateway,
    ) -> Gateway:
        return gateway(engine(tmp_path), HashEmbeddings(), filters=filters, recheck=recheck)

    return made


Make = Callable[..., Gateway]


async def problems(gateway: Gateway, crowd: Sequence[Passage] = (*HIDDEN, *COMMON)) -> list[str]:
    found = await check(gateway, crowd)
    await gateway.close()
    return found


async def test_both_layers_together_are_right(make: Make) -> None:
    assert await problems(make()) == []


async def test_the_filter_alone_is_right(make: Make) -> None:
    assert await problems(make(recheck=trusting)) == []


async def test_the_second_look_alone_is_right(make: Make) -> None:
    assert await problems(make(filters=everything), crowd=()) == []
    assert check_forms(may_see) == []


@pytest.mark.parametrize("fault", FILTER_FAULTS)
async def test_a_fault_in_the_filter_is_caught(make: Make, fault: str) -> None:
    assert await problems(make(filters=FILTER_FAULTS[fault], recheck=trusting))


@pytest.mark.parametrize("fault", ENGINE_FAULTS)
async def test_a_fault_in_the_engine_is_caught(make: Make, fault: type[EdgeEngine]) -> None:
    assert await problems(make(engine=fault, recheck=trusting))


@pytest.mark.parametrize("fault", RECHECK_FAULTS)
async def test_a_fault_in_the_second_look_is_caught(make: Make, fault: str) -> None:
    assert await problems(make(filters=everything, recheck=RECHECK_FAULTS[fault]), crowd=())


@pytest.mark.parametrize("fault", FORM_FAULTS)
def test_a_second_look_that_reads_odd_labels_is_caught(fault: str) -> None:
    assert check_forms(FORM_FAULTS[fault])


@pytest.mark.parametrize("fault", [AnswersFromMemory, StoresAnything])
async def test_a_fault_in_the_gateway_is_caught(make: Make, fault: type[Gateway]) -> None:
    assert await problems(make(gateway=fault))


@pytest.mark.parametrize("fault", FILTER_FAULTS)
async def test_a_fault_in_the_filter_still_shows_nobody_anything(make: Make, fault: str) -> None:
    gateway = make(filters=FILTER_FAULTS[fault])
    await gateway.put([passage(number, labels) for number, labels in enumerate(DOCUMENTS)])
    for readers in ROOMS:
        assert await _shown(gateway, readers) <= _allowed(readers)
    await gateway.close()
