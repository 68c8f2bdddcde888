"""The figures of answers, counted on answers that are known to be right and wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.assistant.librarian import Librarian
from bot.assistant.words import ENGLISH, JAPANESE
from bot.errors import ConfigError
from bot.evaluation.answers import Question, asker, evaluate, holds, read_questions, supported
from bot.evaluation.retrieval import LABEL
from bot.types import Answer, Citation, Passage
from tests.assistant.library import WordEmbeddings, saying
from tests.effort import processor_seconds
from tests.fakes import FakeIndex

TEXTS = {
    "leave": "Employees may take 25 days of paid leave each year.",
    "pump": "締付トルクは34ニュートンメートルとする。",
}
SOURCES = tuple(Citation(n, name, "", frozenset({LABEL})) for n, name in enumerate(TEXTS, 1))


async def figures(answers: dict[Question, str]) -> dict[str, float]:
    async def ask(question: Question) -> Answer:
        return Answer(answers[question], SOURCES)

    return await evaluate(list(answers), ask, TEXTS.__getitem__)


async def test_each_figure_counts_its_own() -> None:
    found = await figures(
        {
            Question("right", ("25 days",)): "Employees may take 25 days of paid leave each year. [1]",
            Question("wrong", ("26 days",)): "Employees may take 26 days of paid leave each year. [1]",
            Question("silent", ("25 days",)): ENGLISH.not_found,
            Question("日本語", ("34 ニュートンメートル",)): "締付トルクは34ニュートンメートルとする。 [2]",
            Question("nothing"): JAPANESE.not_found,
            Question("guessed"): "Leave is paid. [1] Ask Petra Lind.",
        }
    )
    assert found == {
        "questions": 6,
        "answerable": 4,
        "gold_in_reply": 0.75,
        "not_found_when_answerable": 0.25,
        "not_found_when_unanswerable": 0.5,
        "unsupported_sentences": pytest.approx(3 / 5),
        "sentences_per_reply": pytest.approx(5 / 4),
    }


async def test_a_refusal_is_no_unsupported_answer() -> None:
    async def refuse(question: Question) -> Answer:
        return Answer(ENGLISH.no_access, refused="no-access")

    found = await evaluate([Question("hidden"), Question("there", ("25 days",))], refuse, TEXTS.__getitem__)
    assert (found["not_found_when_unanswerable"], found["not_found_when_answerable"]) == (1.0, 1.0)
    assert found["unsupported_sentences"] == 0.0


@pytest.mark.parametrize(
    ("text", "sentences", "unsupported"),
    [
        ("Employees may take 25 days. [1]\n[2] Paid leave. [1]", 2, 0),
        ("Employees may take 25 days. [2]", 1, 1),
        ("[1] Employees may take 25 days. [1]", 1, 0),
        ("Employees[1]may take 25 days. [1] [2]x [1]", 2, 2),
        ("Employees may take 25 days. [1] And more", 2, 1),
        ("Employees may take 25 days. [1] [9]", 1, 0),
    ],
)
async def test_a_sentence_ends_with_its_markers(text: str, sentences: int, unsupported: int) -> None:
    found = await figures({Question("leave", ("25 days",)): text})
    assert found["sentences_per_reply"] == sentences
    assert found["unsupported_sentences"] * sentences == pytest.approx(unsupported)


@pytest.mark.parametrize("piece", ["word ", " ", "[1", "[1]x", "[1] [2]", "[1] ", "["])
async def test_a_long_answer_is_not_read_by_the_square_of_its_length(piece: str) -> None:
    with processor_seconds(3):
        await figures({Question("leave"): piece * (60_000 // len(piece)) + "x"})


@pytest.mark.parametrize(
    ("sentence", "good"),
    [
        ("Employees may take 25 days of paid leave each year.", True),
        ("Employees may take 24 days of paid leave each year.", False),
        ("Employees may take 25 days of sick leave in summer.", False),
        ("", True),
    ],
)
def test_support_is_counted_word_by_word(sentence: str, good: bool) -> None:
    assert supported(sentence, TEXTS["leave"]) is good


def test_a_known_answer_is_found_whatever_its_width_and_spaces() -> None:
    assert holds("Net revenue was EUR 1,482.6 million.", ["EUR 1482.6 million"])
    assert holds("トルクは３４ Ｎ・ｍ", ["34N・m"])
    assert not holds("Net revenue was EUR 1,482.6 million.", ["1,482.7"])


async def test_a_librarian_is_asked_as_somebody_who_may_read_the_evaluation_documents() -> None:
    there = Passage("1", "leave", TEXTS["leave"], frozenset({LABEL}))
    ask = asker(Librarian(FakeIndex([there]), saying("x"), WordEmbeddings()))
    answer = await ask(Question("How many days of paid leave may employees take?"))
    assert [source.document for source in answer.sources] == ["leave"]


def test_questions_are_read_line_by_line(tmp_path: Path) -> None:
    lines = [
        {"question": "a", "answers": ["1"], "as": "fiona", "page": 3},
        {"question": "b", "answers": []},
        {"question": "c", "label": "unanswerable"},
        {"question": "d", "answers": ["2"], "label": "filings"},
    ]
    path = tmp_path / "set.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)) + "\n\n", encoding="utf-8")
    assert read_questions(path) == [
        Question("a", ("1",), "fiona"),
        Question("b"),
        Question("c", (), "", "unanswerable"),
        Question("d", ("2",), "", "filings"),
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "set.jsonl:1: not valid JSON"),
        ("[]", "set.jsonl:1: needs an object with question"),
        ('{"answers": []}', "set.jsonl:1: needs an object with question"),
        ('{"question": "a", "answers": "1"}', "set.jsonl:1: answers: needs a list"),
        (
            '{"question": "a", "answers": ["1"], "label": "unanswerable"}',
            "set.jsonl:1: label: 'unanswerable' does not fit",
        ),
        ('{"question": "a", "as": 7}', "set.jsonl:1: as: needs a string"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(line, encoding="utf-8")
    with pytest.raises(ConfigError, match=said.replace("[", r"\[")):
        read_questions(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_questions(tmp_path / "no.jsonl")
