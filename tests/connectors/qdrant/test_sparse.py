"""BM25 vectors: which terms a text has, and how they are weighed."""

import pytest

from connectors.qdrant.sparse import SparseEncoder, SparseVector


@pytest.fixture(scope="module")
def encoder() -> SparseEncoder:
    return SparseEncoder()


def score(encoder: SparseEncoder, query: str, text: str) -> float:
    asked = encoder.query(text=query)
    document = dict(zip_(encoder.documents([text])[0]))
    return sum(value * document.get(index, 0.0) for index, value in zip_(asked))


def zip_(vector: SparseVector) -> list[tuple[int, float]]:
    return list(zip(vector.indices, vector.values, strict=True))


def test_indices_are_distinct_unsigned_32_bit_numbers(encoder: SparseEncoder) -> None:
    [vector] = encoder.documents(["Net revenue rose, and net revenue fell. 純売上高は2019年に増えた。" * 3])
    assert len(set(vector.indices)) == len(vector.indices) == len(vector.values)
    assert all(0 <= index < 2**32 for index in vector.indices)
    assert all(value > 0 for value in vector.values)


@pytest.mark.parametrize(
    ("query", "better", "worse"),
    [
        ("sales in 2019", "Sales in 2019 were good.", "Sales in 2018 were good."),
        ("Was it $1496.5?", "Total | $1,496.5 | x", "Total | $1,497.5 | x"),
        ("contract", "the contracts were signed", "the papers were signed"),
        ("contracts", "the contracts were signed", "the contract was signed"),
        ("net revenue", "our net revenue rose by a lot", "revenue of our net rose by a lot"),
        ("A320 door", "A320: close the door", "A330: close the door"),
        ("梅雨がないのはどこか", "北海道には梅雨がない。", "北海道には台風が来る。"),
        ("滝", "町の滝は高い。", "町の山は高い。"),
        ("ＡＢＣ", "abc company", "xyz company"),
    ],
)
def test_the_passage_that_says_it_scores_higher(encoder: SparseEncoder, query: str, better: str, worse: str) -> None:
    assert score(encoder, query, better) > score(encoder, query, worse)


def test_function_words_do_not_count(encoder: SparseEncoder) -> None:
    assert encoder.query("what is the of and") == SparseVector([], [])
    assert encoder.query("") == SparseVector([], [])


def test_repetition_saturates_and_length_costs(encoder: SparseEncoder) -> None:
    once, often = (score(encoder, "engine", "engine " + "engine " * n) for n in (0, 20))
    long = score(encoder, "engine", "engine " + "bolt nut " * 200)
    assert once < often < 2 * once
    assert long < once


def test_the_same_text_has_the_same_vector_in_another_encoder(encoder: SparseEncoder) -> None:
    text = ["Net revenue 純売上高 1,234"]
    assert SparseEncoder().documents(text) == encoder.documents(text)
