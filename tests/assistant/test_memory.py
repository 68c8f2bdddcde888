"""A conversation remembers as much as fits, as lines where it is old, and never without what it rests on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.assistant.memory import LINE, WHOLE, Memory, remembered, tokens, wants_forgetting, within
from bot.ports import Remembered
from bot.types import Access, Answer, Citation, Exchange, Message, Principal, Room
from tests.delivery.fakes import FakeJournal
from tests.fakes import FakeRecords

FIONA = Principal("slack", "T0HOME", "U0FIONA")
MESSAGE = Message("m", FIONA, Room("slack", "T0HOME", "C0ALL", "public"), "What was revenue?", "t")
COMPANY = Access(frozenset({frozenset({"company"})}))
BOTH = Access(frozenset({frozenset({"company", "filings"})}))


def exchange(number: int, *documents: str, sentences: int = 12) -> Exchange:
    answer = " ".join(f"Sentence {n} of answer {number}." for n in range(sentences))
    return Exchange(f"Question {number}?", answer, frozenset(documents))


def holding(*exchanges: Exchange, only: str = "") -> FakeJournal:
    journal = FakeJournal()
    journal.remembered = [Remembered(MESSAGE.conversation, one, 0.0, only) for one in exchanges]
    return journal


def test_history_is_trimmed_by_tokens_from_its_old_end() -> None:
    history = [exchange(number) for number in range(40)]
    kept = within(history, 500)
    assert kept[-1] == history[-1]
    assert sum(tokens((one.question, one.answer)) for one in kept) <= 500
    assert [one.question for one in kept] == [one.question for one in history[-len(kept) :]]
    assert WHOLE < len(kept) < 40


def test_a_japanese_history_of_the_same_length_is_trimmed_sooner() -> None:
    """Kana and kanji are a token each: trimming by characters would let four times too much in."""
    english, japanese = (Exchange("?", text * 100) for text in ("abcd", "整備点検"))
    assert tokens((japanese.answer,)) == 4 * tokens((english.answer,))
    assert len(within([english] * 4, 600)) == 4
    assert [len(one.answer) for one in within([japanese] * 4, 600)] == [LINE, 400]


def test_older_exchanges_become_a_line_and_keep_what_they_rest_on() -> None:
    history = [exchange(number, f"d{number}.md") for number in range(8)]
    kept = within(history, 10_000)
    assert [one.documents for one in kept] == [one.documents for one in history]
    assert kept[-WHOLE:] == tuple(history[-WHOLE:])
    for number, one in enumerate(kept[:-WHOLE]):
        assert one.answer.startswith(f"Sentence 0 of answer {number}. Sentence 1")
        assert LINE - 30 < len(one.answer) <= LINE


def test_a_line_keeps_what_was_asked_and_figures_in_their_order() -> None:
    words = "It is a pleasure to look back on a year in which so many of our people did so much for each other."
    told = "In the year 2025 net revenue was 91.4 million dollars [1]."
    asked = Exchange("What was net revenue?", f"{words} Costs rose. It had been 90.1 before. {told} {words}")
    kept, *_ = within([asked, *[exchange(1)] * WHOLE], 10_000)
    assert kept.answer == f"It had been 90.1 before. {told}"
    kept, *_ = within([replace(asked, answer=f"{words} Costs rose.")] * (WHOLE + 1), 10_000)
    assert kept.answer == words


def test_one_exchange_that_is_too_long_becomes_a_line_too() -> None:
    (kept,) = within([exchange(1, "d.md", sentences=400)], 300)
    assert (kept.question, kept.documents) == ("Question 1?", frozenset({"d.md"}))
    assert kept.answer.startswith("Sentence 0 of answer 1.")
    assert len(kept.answer) <= LINE


async def test_what_is_summarized_is_still_hidden_from_who_may_not_see_it() -> None:
    history = [exchange(number, "report.pdf" if number % 2 else "press.md") for number in range(10)]
    memory = Memory(holding(*history), FakeRecords({"report.pdf": {"filings"}, "press.md": {"company"}}))
    assert len(await memory.recall(MESSAGE, BOTH)) == 10
    assert [one.question for one in await memory.recall(MESSAGE, COMPANY)] == [
        f"Question {n}?" for n in range(0, 10, 2)
    ]


async def test_the_labels_of_now_decide_not_those_of_then() -> None:
    records = FakeRecords({"press.md": {"company"}})
    memory = Memory(holding(exchange(1, "press.md")), records)
    assert await memory.recall(MESSAGE, COMPANY)
    await records.delete("press.md")
    assert await memory.recall(MESSAGE, COMPANY) == ()


async def test_what_somebody_was_told_alone_is_recalled_only_where_they_alone_read() -> None:
    memory = Memory(holding(exchange(1), only=FIONA.ref), FakeRecords())
    assert await memory.recall(MESSAGE, BOTH) == ()
    assert len(await memory.recall(MESSAGE, BOTH, private=True)) == 1


async def test_forgetting_leaves_what_another_was_told_alone() -> None:
    journal = holding(exchange(1), exchange(2))
    journal.remembered += [Remembered(MESSAGE.conversation, exchange(n), 0.0, f"{FIONA.ref}{n}") for n in ("", "X")]  # type: ignore[arg-type]
    assert await Memory(journal, FakeRecords()).forget(MESSAGE) == 3
    assert [one.only for one in journal.remembered] == [f"{FIONA.ref}X"]


def test_a_refusal_leaves_nothing_and_a_private_answer_is_its_readers_own() -> None:
    private = Answer(
        "Secret.", (Citation(1, "report.pdf", "Report", frozenset({"filings"})),), rests_on=frozenset({"x"})
    )
    stored = remembered(MESSAGE, Answer("Nothing found.", private=private), 1.0)
    assert [(one.only, one.exchange.documents) for one in stored] == [
        ("", frozenset()),
        (FIONA.ref, frozenset({"report.pdf", "x"})),
    ]
    assert remembered(MESSAGE, Answer("No.", refused="no-access"), 1.0) == ()


@pytest.mark.parametrize(
    "text",
    [
        "Forget this conversation",
        "please forget our whole conversation.",
        "Could you clear the history please?",
        "Delete this thread!",
        "この会話を忘れてください。",
        "会話の履歴を削除して",
    ],
)
def test_who_asks_to_forget_is_understood(text: str) -> None:
    assert wants_forgetting(text)


@pytest.mark.parametrize(
    "text",
    [
        "How do I forget this conversation?",
        "Forget this conversation about brakes and tell me the torque.",
        "What does the policy say about deleting chat history?",
        "忘れ物はどこに届けますか。",
        "この会話を要約してください。",
    ],
)
def test_who_only_speaks_of_it_is_not(text: str) -> None:
    assert not wants_forgetting(text)
