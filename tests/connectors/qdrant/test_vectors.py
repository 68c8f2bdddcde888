"""What is embedded of a passage, and which languages a model reads."""

import math

from langchain_core.embeddings import Embeddings

from bot.types import Passage
from connectors.qdrant.languages import languages_read
from connectors.qdrant.sparse import SparseEncoder
from connectors.qdrant.vectors import encode, windows


class Counting(Embeddings):
    """Unit vectors in the plane, one angle for each text in the order it came."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.texts += texts
        return [[math.cos(len(text)), math.sin(len(text))] for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


class Reader(Counting):
    """Knows that each text of an even place means the same as the next one."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[float(i // 2 == j) for j in range(len(texts) // 2)] for i in range(len(texts))]


def passage(text: str, title: str = "", heading: tuple[str, ...] = ()) -> Passage:
    return Passage("p", "d", text, frozenset({"company"}), title, heading)


def test_a_window_is_the_headings_a_sentence_or_a_few_short_rows() -> None:
    text = "One is here. Two is there.\n | 2019 | 2018\nNet | 5 | 6\n" + "Long row " * 7 + "| 7 | 8\n"
    assert windows(passage(text, "Report", ("Sales",))) == [
        "Report: Sales",
        "One is here.",
        "Two is there.",
        "2019 | 2018\nNet | 5 | 6",
        "Long row " * 7 + "| 7 | 8",
    ]


def test_there_is_always_a_window_and_none_is_longer_than_a_model_reads() -> None:
    assert windows(passage(" | | ")) == [" | | "]
    assert all(0 < len(window) <= 600 for window in windows(passage("word " * 1000)))


def test_vectors_have_length_one_and_equal_windows_are_embedded_once() -> None:
    embeddings = Counting()
    made = encode([passage("One. Two three."), passage("One. Four."), passage("One.")], embeddings, SparseEncoder())
    assert sorted(embeddings.texts) == ["Four.", "One.", "Two three."]
    assert [len(vectors.sentences) for vectors in made] == [2, 2, 1]
    assert all(math.isclose(math.hypot(*vectors.dense), 1.0, abs_tol=1e-5) for vectors in made)
    assert made[0].sentences[0] == made[1].sentences[0] == made[2].sentences[0]
    assert all(vectors.bm25.indices for vectors in made)


def test_the_words_of_title_and_headings_are_searched_too() -> None:
    [made] = encode([passage("Fly.", "Travel", ("Expenses",))], Counting(), SparseEncoder())
    query = SparseEncoder().query("travel expenses")
    assert set(SparseEncoder().query("travel").indices) <= set(made.bm25.indices)
    assert len(set(query.indices) & set(made.bm25.indices)) >= 4


def test_a_model_reads_japanese_if_it_knows_paraphrases_apart() -> None:
    assert languages_read(Counting()) == {"en"}
    assert languages_read(Reader()) == {"en", "ja"}


def test_models_read_narrow_letters_and_digits() -> None:
    assert windows(passage("ＡＰＵの油は３．１リットル。", "整備")) == ["整備", "APUの油は3.1リットル。"]


def test_nothing_to_encode_is_nothing() -> None:
    assert encode([], Counting(), SparseEncoder()) == []
