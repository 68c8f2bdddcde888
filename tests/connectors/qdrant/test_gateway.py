"""One suite for every engine: the embedded one, qdrant-client's local mode, and a server if one is named."""

from __future__ import annotations

import ast
import os
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qdrant_client import QdrantClient

from bot.errors import ConfigError, IndexUnavailable
from bot.types import Access
from connectors.qdrant.edge import EdgeEngine
from connectors.qdrant.engine import Engine
from connectors.qdrant.gateway import Gateway
from connectors.qdrant.server import ServerEngine, connect
from tests.connectors.qdrant.worlds import LABELS, QUESTION, CountingEmbeddings, access_of, make_engine, oracle, passage

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning")
SERVER = os.environ.get("ROLECALL_TEST_QDRANT_URL", "")
COMPANY = access_of([["company"]])
CASES = 10_000
READERS_EACH = 50


@pytest.fixture(params=["edge", "local", "server"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    if request.param != "server":
        return make_engine(request.param, tmp_path)
    if not SERVER:
        pytest.skip("ROLECALL_TEST_QDRANT_URL names no server")
    return ServerEngine(QdrantClient(url=SERVER), f"test-{uuid.uuid4().hex}")


@pytest.fixture
async def gateway(engine: Engine) -> AsyncIterator[Gateway]:
    made = Gateway(engine, CountingEmbeddings())
    yield made
    await made.close()


async def found(gateway: Gateway, access: Access, limit: int = 50) -> set[int]:
    return {int(one.document[7:-3]) for one in await gateway.search(QUESTION, access, limit)}


async def test_a_passage_comes_back_as_it_went_in(gateway: Gateway) -> None:
    stored = replace(passage(1, ["company"]), heading=("A", "B"), page=4, url="https://x.example/1")
    await gateway.put([stored])
    assert await gateway.search(QUESTION, COMPANY) == [stored]


async def test_words_and_limit_decide_what_comes(gateway: Gateway) -> None:
    await gateway.put(
        [passage(1, ["company"], "The canteen opens at noon."), *(passage(n, ["company"]) for n in (2, 3))]
    )
    assert {one.document for one in await gateway.search(QUESTION, COMPANY, 2)} == {"source/2.md", "source/3.md"}


async def test_every_reader_must_share_a_label(gateway: Gateway) -> None:
    worlds = [["company"], ["filings"], ["company", "filings"], ["hr"]]
    await gateway.put([passage(n, labels) for n, labels in enumerate(worlds)])
    assert await found(gateway, access_of([["company", "filings"]])) == {0, 1, 2}
    assert await found(gateway, access_of([["company"], ["filings"]])) == {2}
    assert await found(gateway, access_of([["company"], ["filings"], ["hr"]])) == set()


@pytest.mark.parametrize("empty", [Access(), access_of([[]]), access_of([["company"], []])])
async def test_empty_access_never_reaches_the_engine(gateway: Gateway, engine: Engine, empty: Access) -> None:
    await gateway.put([passage(1, ["company"])])
    engine.close()
    assert await gateway.search(QUESTION, empty) == []
    assert await gateway.legs(QUESTION, empty, 5) == {"bm25": [], "dense": [], "hybrid": []}


async def test_the_same_passage_is_embedded_once(engine: Engine) -> None:
    embeddings = CountingEmbeddings()
    gateway = Gateway(engine, embeddings)
    await gateway.put([passage(1, ["company"])])
    before = embeddings.embedded
    await gateway.put([passage(1, ["company"])])
    await gateway.relabel("source/1.md", frozenset({"hr"}))
    assert embeddings.embedded == before
    assert await found(gateway, COMPANY) == set()
    assert await found(gateway, access_of([["hr"]])) == {1}
    await gateway.close()


async def test_removing_keeps_what_is_named(gateway: Gateway) -> None:
    old, new = passage(1, ["company"]), replace(passage(2, ["company"]), document="source/1.md")
    await gateway.put([old, new, passage(3, ["company"])])
    await gateway.remove("source/1.md", keep={new.id})
    assert {one.id for one in await gateway.search(QUESTION, COMPANY)} == {new.id, passage(3, ["company"]).id}
    await gateway.remove("source/1.md")
    assert await gateway.count() == 1


async def test_a_passage_without_labels_is_refused(gateway: Gateway) -> None:
    with pytest.raises(ValueError, match="needs labels"):
        await gateway.put([passage(1, [])])
    with pytest.raises(ValueError, match="needs labels"):
        await gateway.put([passage(1, [""])])
    with pytest.raises(ValueError, match="needs labels"):
        await gateway.relabel("source/1.md", frozenset())
    assert await gateway.count() == 0


async def test_an_index_of_another_model_is_refused(engine: Engine) -> None:
    gateway = Gateway(engine, CountingEmbeddings(), "one")
    if isinstance(engine, EdgeEngine):
        await gateway.close()
    with pytest.raises(ConfigError, match="one, not two"):
        Gateway(engine, CountingEmbeddings(), "two")


async def test_what_was_written_is_there_after_reopening(tmp_path: Path) -> None:
    for _ in range(2):
        gateway = Gateway(EdgeEngine(tmp_path), CountingEmbeddings())
        await gateway.put([passage(1, ["company"])])
        assert await found(gateway, COMPANY) == {1}
        await gateway.close()


async def test_a_second_opener_is_told_what_to_do(tmp_path: Path) -> None:
    gateway = Gateway(EdgeEngine(tmp_path), CountingEmbeddings())
    with pytest.raises(IndexUnavailable, match="another rolecall process"):
        Gateway(EdgeEngine(tmp_path), CountingEmbeddings())
    await gateway.close()


def test_a_server_that_does_not_answer_is_named_not_asked_otherwise() -> None:
    with pytest.raises(IndexUnavailable, match="does not answer"):
        Gateway(connect("http://127.0.0.1:9", None, "rolecall"), CountingEmbeddings())


label_sets = st.frozensets(st.sampled_from(LABELS), min_size=1, max_size=3)
reader_sets = st.lists(st.frozensets(st.sampled_from(LABELS), max_size=4), max_size=4)


async def test_ten_thousand_rooms_hear_exactly_what_the_rule_allows(tmp_path: Path) -> None:
    """Both layers apart: the filter with the second look off, and the second look in `test_faults.py` with it off."""
    gateway = Gateway(EdgeEngine(tmp_path), CountingEmbeddings(), believes=lambda access, labels: True)
    await gateway.put([passage(n, ["company"]) for n in range(8)])
    cases = 0

    async def check(documents: list[frozenset[str]], rooms: list[list[frozenset[str]]]) -> None:
        nonlocal cases
        for number, labels in enumerate(documents):
            await gateway.relabel(f"source/{number}.md", labels)
        for readers in rooms:
            assert await found(gateway, access_of(readers)) == oracle(documents, readers)
            cases += 1

    @settings(max_examples=CASES // READERS_EACH, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(
        st.lists(label_sets, min_size=8, max_size=8),
        st.lists(reader_sets, min_size=READERS_EACH, max_size=READERS_EACH),
    )
    def generate(documents: list[frozenset[str]], rooms: list[list[frozenset[str]]]) -> None:
        worlds.append((documents, rooms))

    worlds: list[tuple[list[frozenset[str]], list[list[frozenset[str]]]]] = []
    generate()
    for documents, rooms in worlds:
        await check(documents, rooms)
    await gateway.close()
    assert cases >= CASES


def test_only_queries_that_carry_a_filter_are_made() -> None:
    """No call that could answer without the access filter: recommend, discover, scroll, facet, groups."""
    forbidden = {"recommend", "discover", "scroll", "facet", "search", "query_points_groups", "search_matrix"}
    folder = Path(__file__).parents[3] / "connectors" / "qdrant"
    calls = {
        node.func.attr
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert not calls & (forbidden - {"search"})
    assert "query_points" in calls


def test_qdrant_is_imported_here_and_nowhere_else() -> None:
    root = Path(__file__).parents[3]
    for path in [*root.glob("bot/**/*.py"), *root.glob("tools/**/*.py"), *root.glob("connectors/**/*.py")]:
        if "connectors/qdrant/" not in path.as_posix():
            text = path.read_text(encoding="utf-8")
            assert "import qdrant_client" not in text, path
            assert "from qdrant_client" not in text, path
            assert "qdrant_edge" not in text, path
