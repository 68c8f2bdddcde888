"""The measuring of summaries: ROUGE-L as published, sets read strictly, and the lead beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.assistant.given import Giver, Part
from bot.assistant.summarizing import Summarizer
from bot.assistant.translating import Translator
from bot.errors import ConfigError
from bot.evaluation.rouge import rouge_l
from bot.evaluation.summaries import Item, asker, evaluate, read_items
from bot.types import Answer
from tests.assistant.library import WordEmbeddings, saying
from tests.assistant.texts import HANGAR

MEETING = {
    "meeting_transcripts": [
        {"speaker": "Mia", "content": "The pump comes on Thursday ."},
        {"speaker": "Tom", "content": "Good ."},
    ],
    "general_query_list": [{"query": "Summarize the whole meeting.", "answer": "The pump comes on Thursday."}],
    "specific_query_list": [],
}


def lines(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("made", "reference", "score"),
    [
        ("police kill the gunman", "police killed the gunman", 0.75),
        ("the gunman kill police", "police killed the gunman", 0.5),
        ("same words", "Same, words!", 1.0),
        ("ポンプが来る", "ポンプが届く", 2 * 4 / 12),
        ("", "something", 0.0),
    ],
)
def test_rouge_l_is_the_common_subsequence(made: str, reference: str, score: float) -> None:
    assert rouge_l(made, reference) == pytest.approx(score)


def test_texts_and_meetings_are_read(tmp_path: Path) -> None:
    first, second = read_items(lines(tmp_path / "set.jsonl", {"text": HANGAR, "summary": "Costs."}, MEETING))
    assert (first.parts, first.reference) == ((Part(HANGAR),), "Costs.")
    assert second.request == "Summarize the whole meeting."
    assert second.parts[0] == Part("The pump comes on Thursday .", "Mia")


@pytest.mark.parametrize("row", ["{", '{"text": "a"}', '{"text": 1, "summary": "b"}', '{"meeting_transcripts": []}'])
def test_a_bad_line_is_named(tmp_path: Path, row: str) -> None:
    path = lines(tmp_path / "set.jsonl", {"text": "a", "summary": "b"}, row)
    with pytest.raises(ConfigError, match=r"set\.jsonl:2"):
        read_items(path)


def test_a_set_that_is_not_there_or_empty_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.jsonl"):
        read_items(tmp_path / "nothing.jsonl")
    with pytest.raises(ConfigError, match=r"empty\.jsonl: is empty"):
        read_items(lines(tmp_path / "empty.jsonl", ""))


async def test_a_summarizer_is_measured_beside_the_lead() -> None:
    giver = Giver()
    made = Summarizer(giver, saying("x"), WordEmbeddings(), Translator(giver, saying("x"), capable=False))
    told: list[tuple[int, int]] = []
    item = Item("Summarize this in two sentences.", (Part(HANGAR),), "The decision on the hangar was put off.")
    figures = await evaluate([item], asker(made), lambda done, total: told.append((done, total)))
    assert set(figures) == {"rolecall", "lead-3", "lead, as long"}
    assert figures["rolecall"]["unsupported_sentences"] == 0.0
    assert 0.0 < figures["rolecall"]["compression"] < figures["lead-3"]["compression"] < 1.0
    assert told == [(1, 1)]


async def test_a_sentence_that_the_text_does_not_hold_is_counted() -> None:
    async def inventing(item: Item) -> Answer:
        return Answer("The costs of the hangar have risen by 12 percent. It costs 900 million euros.")

    figures = await evaluate([Item("x", (Part(HANGAR),), "y")], inventing)
    assert figures["rolecall"]["unsupported_sentences"] == 0.5
