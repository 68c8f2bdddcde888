"""One suite for every engine: the embedded one, qdrant-client's local mode, and a server over HTTP.

The server is the one that ROLECALL_TEST_QDRANT_URL names (with ROLECALL_TEST_QDRANT_KEY, if it wants one), or a stand-in.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from qdrant_client import QdrantClient

from bot.errors import ConfigError, IndexUnavailable
from bot.types import Access, Labels
from connectors.qdrant.edge import EdgeEngine
from connectors.qdrant.engine import Engine, Point
from connectors.qdrant.gateway import Gateway
from connectors.qdrant.server import ServerEngine
from connectors.qdrant.sparse import SparseEncoder
from connectors.qdrant.vectors import encode
from tests.connectors.qdrant.wire import standing_in
from tests.connectors.qdrant.worlds import (
    LABELS,
    QUESTION,
    HashEmbeddings,
    access_of,
    make_engine,
    numbers,
    oracle,
    passage,
    shelf,
    worlds,
)

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning")
COMPANY = access_of([["company"]])
OTHER_MODEL = r"embeddings\.name: two: .* embedding model one; .*rolecall sync"
EMPTY = [Access(), access_of([[]]), access_of([["company"], []]), Access(frozenset({frozenset({"hr"}), frozenset()}))]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    named = os.environ.get("ROLECALL_TEST_QDRANT_URL", "")
    if named:
        yield named
        return
    with standing_in() as made:
        yield made.url


@pytest.fixture(params=["edge", "local", "server"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param != "server":
        yield make_engine(request.param, tmp_path)
        return
    key = os.environ.get("ROLECALL_TEST_QDRANT_KEY")
    client = QdrantClient(url=request.getfixturevalue("server"), api_key=key, check_compatibility=False)
    yield ServerEngine(client, f"test-{uuid.uuid4().hex}")
    client.close()


@pytest.fixture
def embeddings() -> HashEmbeddings:
    return HashEmbeddings()


@pytest.fixture
async def gateway(engine: Engine, embeddings: HashEmbeddings) -> AsyncIterator[Gateway]:
    made = Gateway(engine, embeddings)
    yield made
    await made.close()


async def found(gateway: Gateway, access: Access, question: str = QUESTION) -> set[int]:
    return numbers(await gateway.search(question, access, 500))


async def test_a_passage_comes_back_as_it_went_in(gateway: Gateway) -> None:
    full = replace(passage(1, ["company", "filings"]), heading=("A", "B"), page=4, url="https://x.example/1")
    full = replace(full, modified=datetime(2025, 3, 4, 5, 6, tzinfo=UTC))
    bare = replace(passage(2, ["company"]), title="")
    await gateway.put([full, bare])
    assert sorted(await gateway.search(QUESTION, COMPANY), key=lambda one: one.id) == [full, bare]
    assert await gateway.count() == 2


async def test_an_empty_index_finds_nothing(gateway: Gateway) -> None:
    assert await gateway.search(QUESTION, COMPANY) == []
    assert await gateway.count() == 0
    await gateway.put([])
    await gateway.remove("source/1.md")
    await gateway.relabel("source/1.md", frozenset({"company"}))
    assert await gateway.count() == 0


async def test_words_and_limit_decide_what_comes(gateway: Gateway) -> None:
    canteen = passage(1, ["company"], "The canteen opens at noon.")
    await gateway.put([canteen, *(passage(number, ["company"]) for number in (2, 3))])
    assert numbers(await gateway.search(QUESTION, COMPANY, 2)) == {2, 3}
    assert (await gateway.search("canteen noon", COMPANY, 1)) == [canteen]
    assert await gateway.search(QUESTION, COMPANY, 0) == []
    assert await gateway.search("  ", COMPANY) == []


async def test_a_question_without_words_is_searched_by_meaning(gateway: Gateway) -> None:
    await gateway.put([passage(1, ["company"])])
    legs = await gateway.legs("the of ?", COMPANY, 5)
    assert [len(legs[leg]) for leg in ("bm25", "dense", "hybrid")] == [0, 1, 1]


async def test_every_reader_must_share_a_label(gateway: Gateway) -> None:
    carried = [["company"], ["filings"], ["company", "filings"], ["hr"]]
    await gateway.put([passage(number, labels) for number, labels in enumerate(carried)])
    assert await found(gateway, access_of([["company", "filings"]])) == {0, 1, 2}
    assert await found(gateway, access_of([["company"], ["filings"]])) == {2}
    assert await found(gateway, access_of([["company"], ["filings"], ["hr"]])) == set()


@pytest.mark.parametrize("empty", EMPTY)
async def test_empty_access_never_reaches_the_engine(gateway: Gateway, engine: Engine, empty: Access) -> None:
    await gateway.put([passage(1, ["company"])])
    engine.close()
    assert await gateway.search(QUESTION, empty) == []
    assert await gateway.legs(QUESTION, empty, 5) == {"bm25": [], "dense": [], "hybrid": []}


async def test_rooms_hear_exactly_what_the_rule_allows(gateway: Gateway, engine: Engine) -> None:
    """Generated cases through the whole gateway; test_filters.py has 10,000, layer by layer."""
    some = worlds(500 if isinstance(engine, EdgeEngine) else 30)
    await gateway.put([one for place, (documents, _) in enumerate(some) for one in shelf(place, documents)])
    for place, (documents, readers) in enumerate(some):
        access = access_of([{f"{place}.{label}" for label in one} for one in readers])
        expected = {place * 10 + number for number in oracle(documents, readers)}
        assert await found(gateway, access) == expected, (documents, readers)


async def test_hidden_documents_do_not_move_the_ranking(gateway: Gateway, engine: Engine, tmp_path: Path) -> None:
    """What a reader gets is what an index of that reader's documents alone would give, in the same order."""
    chance = random.Random(5)
    words = [f"word{number}" for number in range(12)]
    library = [
        passage(number, [chance.choice(LABELS)], " ".join(chance.choices(words, k=9 + number))) for number in range(120)
    ]
    await gateway.put(library)
    for label in LABELS[:3]:
        kind = "edge" if isinstance(engine, EdgeEngine) else "local"
        alone = Gateway(make_engine(kind, tmp_path / label), HashEmbeddings())
        await alone.put([one for one in library if label in one.labels])
        for _ in range(4):
            question = " ".join(chance.choices(words, k=3))
            for leg, passages in (await gateway.legs(question, access_of([[label]]), 10)).items():
                assert passages == (await alone.legs(question, access_of([[label]]), 10))[leg], (leg, question)
        await alone.close()


async def test_a_visible_passage_is_found_behind_any_number_of_hidden_ones(gateway: Gateway) -> None:
    """Each part of a query is filtered, so that hidden passages take no place among the candidates."""
    hidden = [passage(number, ["hr"], f"The turbine. Number {number}.") for number in range(1, 351)]
    await gateway.put([*hidden, passage(0, ["company"], "Breakfast.")])
    legs = await gateway.legs("The turbine.", COMPANY, 10)
    assert [numbers(legs[leg]) for leg in ("bm25", "dense", "hybrid")] == [set(), {0}, {0}]


async def test_the_same_text_is_embedded_once(gateway: Gateway, embeddings: HashEmbeddings) -> None:
    await gateway.put([passage(1, ["company"]), passage(2, ["company"])])
    before = embeddings.embedded
    moved = replace(passage(1, ["hr"]), modified=datetime(2025, 1, 1, tzinfo=UTC))
    await gateway.put([moved, passage(2, ["company"])])
    assert embeddings.embedded == before
    assert await gateway.search(QUESTION, access_of([["hr"]])) == [moved]
    assert await found(gateway, COMPANY) == {2}
    await gateway.put([passage(2, ["company"], "The turbine was replaced.")])
    assert embeddings.embedded > before
    assert [one.text for one in await gateway.search(QUESTION, COMPANY)] == ["The turbine was replaced."]
    assert await gateway.count() == 2


async def test_new_labels_count_at_once_and_nothing_is_embedded(gateway: Gateway, embeddings: HashEmbeddings) -> None:
    await gateway.put([passage(1, ["company"]), passage(2, ["company"])])
    assert await found(gateway, COMPANY) == {1, 2}
    before = embeddings.embedded
    await gateway.relabel("source/1.md", frozenset({"hr"}))
    assert embeddings.embedded == before
    assert await found(gateway, COMPANY) == {2}
    assert await found(gateway, access_of([["hr"]])) == {1}
    [moved] = await gateway.search(QUESTION, access_of([["hr"]]))
    assert moved == passage(1, ["hr"])


async def test_no_document_replaces_a_passage_of_another(gateway: Gateway) -> None:
    mine, other = passage(1, ["hr"]), replace(passage(2, ["company"], "A turbine."), id="p1")
    await gateway.put([mine])
    await gateway.put([other])
    assert await gateway.search(QUESTION, access_of([["hr"]])) == [mine]
    assert await gateway.search(QUESTION, COMPANY) == [other]


async def test_removing_keeps_what_is_named(gateway: Gateway) -> None:
    old, new = passage(1, ["company"]), replace(passage(2, ["company"]), document="source/1.md")
    await gateway.put([old, new, passage(3, ["company"])])
    await gateway.remove("source/1.md", keep={new.id})
    assert {one.id for one in await gateway.search(QUESTION, COMPANY)} == {"p2", "p3"}
    await gateway.remove("source/1.md")
    assert await gateway.count() == 1


BAD_LABELS: list[object] = [frozenset(), {""}, {" "}, {"hr "}, {"company", ""}, "company", {7}, {None}, {("a",)}]


@pytest.mark.parametrize("bad", BAD_LABELS)
async def test_labels_that_are_none_are_refused(gateway: Gateway, bad: Labels) -> None:
    with pytest.raises(ValueError, match=r"passage p1 of source/1\.md: labels must be"):
        await gateway.put([passage(2, ["company"]), replace(passage(1, []), labels=bad)])
    with pytest.raises(ValueError, match=r"source/1\.md: labels must be"):
        await gateway.relabel("source/1.md", bad)
    assert await gateway.count() == 0


FORGED: list[object] = ["company", "c", None, [], [None], [["company"]], {"company": 1}, 7, True, ["company", 3], [""]]


@pytest.mark.parametrize("labels", FORGED)
async def test_a_point_with_other_labels_than_a_list_is_never_shown(
    gateway: Gateway, engine: Engine, labels: object, caplog: pytest.LogCaptureFixture
) -> None:
    _force(engine, {"labels": labels})
    with caplog.at_level(logging.ERROR):
        assert await gateway.search(QUESTION, access_of([["company", "c", "hr"]])) == []
    assert ("ALARM" in caplog.text) == (labels in ("company", "c", ["company", 3]))


@pytest.mark.parametrize("wrong", [{"document": None}, {"text": 7}, {"heading": 3}, {"page": "x"}, {"modified": "x"}])
async def test_a_point_of_another_form_is_never_shown(
    gateway: Gateway, engine: Engine, wrong: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    _force(engine, wrong)
    assert await gateway.search(QUESTION, COMPANY) == []
    assert "ALARM" in caplog.text


def _force(engine: Engine, change: dict[str, object]) -> None:
    """Write a point past the gateway, as somebody with the key of the server could."""
    one = passage(1, ["company"])
    [vectors] = encode([one], HashEmbeddings(), SparseEncoder())
    payload = {"id": "p1", "document": one.document, "text": one.text, "labels": ["company"], "title": "", "url": ""}
    odd = {**payload, "heading": [], "page": None, "modified": None, **change}
    engine.upsert([Point(str(uuid.uuid4()), vectors, odd)])


async def test_searching_and_writing_go_on_at_once(gateway: Gateway, request: pytest.FixtureRequest) -> None:
    if "local" in request.node.name:
        pytest.skip("qdrant-client's local mode is not made for threads")
    await gateway.put([passage(number, ["company"]) for number in range(20)])

    async def write(number: int) -> None:
        await gateway.put([passage(number, ["hr"])])
        await gateway.relabel(f"source/{number}.md", frozenset({"filings"}))

    async def ask() -> set[int]:
        return await found(gateway, COMPANY)

    asked = await asyncio.gather(*[write(number) for number in range(20, 26)], *[ask() for _ in range(12)])
    assert [one for one in asked if one is not None] == [set(range(20))] * 12
    assert await found(gateway, access_of([["filings"]])) == set(range(20, 26))


async def test_an_index_of_another_model_is_refused(engine: Engine) -> None:
    gateway = Gateway(engine, HashEmbeddings(), "one")
    if isinstance(engine, EdgeEngine):
        await gateway.close()
    with pytest.raises(ConfigError, match=OTHER_MODEL):
        Gateway(engine, HashEmbeddings(), "two")
    await Gateway(engine, HashEmbeddings(), "one").close()


async def test_a_closed_index_says_so(gateway: Gateway, engine: Engine) -> None:
    if isinstance(engine, ServerEngine):
        pytest.skip("a client connects again")
    await gateway.close()
    with pytest.raises(IndexUnavailable, match="closed"):
        await gateway.search(QUESTION, COMPANY)


async def test_a_reranker_has_the_last_word_on_the_order_and_sees_only_what_the_readers_may(tmp_path: Path) -> None:
    read: list[str] = []

    def shortest_first(question: str, texts: Sequence[str]) -> list[float]:
        read.extend(texts)
        return [-float(len(text)) for text in texts]

    gateway = Gateway(make_engine("edge", tmp_path), HashEmbeddings(), rerank=shortest_first)
    short = replace(passage(1, ["company"]), text="brake wear")
    long = replace(passage(2, ["company"]), text="brake wear brake wear brake wear and the limit of it")
    hidden = replace(passage(3, ["hr"]), text="brake")
    await gateway.put([long, short, hidden])
    found = await gateway.search("brake wear", COMPANY, 2)
    await gateway.close()
    assert [one.id for one in found] == [short.id, long.id]
    assert len(read) == 2
