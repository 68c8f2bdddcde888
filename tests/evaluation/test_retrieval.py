"""Retrieval figures: the formulas, and reading sets in BEIR form."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.evaluation.beir import read_set
from bot.evaluation.retrieval import LABEL, evaluate, metrics
from bot.types import Access, Passage


class WordIndex:
    """Ranks by words in common; its other leg finds nothing."""

    def __init__(self) -> None:
        self.stored: list[Passage] = []

    async def put(self, passages: Sequence[Passage]) -> None:
        self.stored.extend(passages)

    async def legs(self, query: str, access: Access, limit: int) -> Mapping[str, Sequence[Passage]]:
        seen = [passage for passage in self.stored if access.sees(passage.labels)]
        words = set(query.lower().split())
        best = sorted(seen, key=lambda passage: -len(words & set(passage.text.lower().split())))
        return {"bm25": best[:limit], "dense": []}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [{"_id": "d1", "title": "Cats", "text": "cats purr loudly"}, {"_id": "d2", "text": "dogs bark at night"}]
    asked = [{"_id": "q1", "text": "who will bark"}, {"_id": "q2", "text": "who will purr"}, {"_id": "q3", "text": "?"}]
    (tmp_path / "corpus.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    (tmp_path / "queries.jsonl").write_text("\n".join(json.dumps(row) for row in asked) + "\n", encoding="utf-8")
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td2\t1\nq2\td1\t1\nq3\td1\t0\n")
    return tmp_path


async def test_figures_of_each_leg_over_the_judged_questions(folder: Path) -> None:
    index, told = WordIndex(), []
    figures = await evaluate(folder, index, progress=lambda *step: told.append(step))
    assert figures["bm25"] == {"ndcg@10": 1.0, "recall@10": 1.0, "mrr": 1.0}
    assert figures["dense"] == {"ndcg@10": 0.0, "recall@10": 0.0, "mrr": 0.0}
    assert told == [("index", 2, 2), ("questions", 2, 2)]
    assert {passage.labels for passage in index.stored} == {frozenset({LABEL})}


async def test_a_limit_takes_the_first_questions(folder: Path) -> None:
    told = []
    await evaluate(folder, WordIndex(), limit=1, progress=lambda *step: told.append(step))
    assert told[-1] == ("questions", 1, 1)
    with pytest.raises(ConfigError, match="--limit: 0"):
        await evaluate(folder, WordIndex(), limit=0)


def test_metrics_are_those_of_the_books() -> None:
    scored = metrics(["x", "a", "y", "b"], {"a": 1.0, "b": 2.0, "c": 1.0})
    ideal = 2 + 1 / math.log2(3) + 1 / math.log2(4)
    assert scored["ndcg@10"] == pytest.approx((1 / math.log2(3) + 2 / math.log2(5)) / ideal)
    assert scored["recall@10"] == pytest.approx(2 / 3)
    assert scored["mrr"] == pytest.approx(1 / 2)


def test_what_is_found_behind_the_tenth_place_counts_for_mrr_only() -> None:
    scored = metrics([f"d{i}" for i in range(20)], {"d10": 1.0})
    assert scored == {"ndcg@10": 0.0, "recall@10": 0.0, "mrr": 1 / 11}


@pytest.mark.parametrize(
    "qrels",
    [
        "q1\td2\t1\n",
        "query-id\tcorpus-id\tscore\r\nq1\td2\t1\r\n",
        "q1 0 d2 1\n",
        "\ufeffq1\td2\t1",
        "q\td\tscore\n\nq1\td2\t1",
    ],
)
def test_qrels_with_and_without_header_are_read(folder: Path, qrels: str) -> None:
    (folder / "qrels.tsv").write_text(qrels, encoding="utf-8", newline="")
    assert read_set(folder).gains == {"q1": {"d2": 1.0}}


def test_the_folder_form_of_beir_is_read(folder: Path) -> None:
    (folder / "qrels").mkdir()
    (folder / "qrels.tsv").rename(folder / "qrels" / "test.tsv")
    assert set(read_set(folder).gains) == {"q1", "q2"}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("corpus.jsonl", None, "corpus.jsonl: No such file"),
        ("corpus.jsonl", '{"_id": "d1", "text": "x"}\n{oops', "corpus.jsonl:2: not valid JSON"),
        ("corpus.jsonl", "[1]", "corpus.jsonl:1: needs an object with _id and text"),
        ("queries.jsonl", '{"_id": "q1"}', "queries.jsonl:1: text: missing"),
        ("qrels.tsv", "query-id\tcorpus-id\tscore\nq9\td1\t1", "qrels.tsv:2: question 'q9' is not in"),
        ("qrels.tsv", "q1\td9\t1", "qrels.tsv:1: document 'd9' is not in"),
        ("qrels.tsv", "q1\td1\t1\nq1\td1", "qrels.tsv:2: expected question id"),
        ("qrels.tsv", "q1\td1\t0", "judges none of the questions"),
        ("qrels.tsv", b"\xff\xfe", "qrels.tsv: not UTF-8"),
    ],
)
def test_a_broken_set_is_named_with_its_line(
    folder: Path, name: str, content: str | bytes | None, message: str
) -> None:
    path = folder / name
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ConfigError, match=message):
        read_set(folder)


def test_a_folder_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match="nowhere: no such folder"):
        read_set(Path("nowhere"))
