"""What is too long for a specialist is counted, not read: it is refused with the limit before any work is done."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from bot.assistant import analyst, drafting, summarizing, translating
from bot.assistant.analyst import Analyst
from bot.assistant.drafting import Drafter
from bot.assistant.engineer import codetext
from bot.assistant.engineer.debugger import Debugger
from bot.assistant.engineer.writer import Writer
from bot.assistant.given import Giver
from bot.assistant.summarizing import Summarizer
from bot.assistant.translating import Translator
from bot.types import Answer, Citation, Excerpt, Reply, Section, Turn, Upload
from connectors.ruff import Ruff
from tests.assistant.library import STAFF, WordEmbeddings, heard, saying, turn
from tests.assistant.texts import asked
from tests.effort import processor_seconds
from tests.fakes import PlainSandbox

LINE = "Traceback (most recent call last): total = fares[0]  # should be 4, 'the gate' 搭乗口は変更です\n"
HUGE = LINE * 150_000
"""About thirteen million characters: more than a second of work for whoever looks at each of them."""
MOST = 0.6
"""Seconds of computing that counting may take; each reading of `HUGE` takes longer."""

MODEL, MEANING = saying("Das Gate."), WordEmbeddings()
TRANSLATOR = Translator(Giver(), MODEL, capable=True)
ANALYST = Analyst(MODEL, MEANING)
Ask = Callable[[Turn, str], AsyncIterator[Reply]]
SPECIALISTS: Mapping[str, tuple[Ask, int]] = {
    "summarize": (Summarizer(Giver(), MODEL, MEANING, TRANSLATOR).answer, summarizing.LIMIT),
    "translate": (TRANSLATOR.answer, translating.LIMIT),
    "draft": (Drafter(Giver(), MODEL, MEANING, capable=True).answer, drafting.LIMIT),
    "write_code": (Writer(MODEL, PlainSandbox(), Ruff()).answer, codetext.MOST),
    "debug_code": (Debugger(MODEL, PlainSandbox(), Ruff()).answer, codetext.MOST),
    "sentiment": (ANALYST.sentiment, analyst.CHARACTERS),
    "classify": (ANALYST.classify, analyst.CHARACTERS),
}
REQUEST = "Look at this file in German, please"


async def refused(name: str, one: Turn) -> Answer:
    ask, _ = SPECIALISTS[name]
    with processor_seconds(MOST):
        answer, events = await heard(ask(one, one.message.text))
    assert events == []
    return answer


@pytest.mark.parametrize("name", SPECIALISTS)
async def test_a_file_that_is_too_long_is_not_read(name: str) -> None:
    text = (await refused(name, asked(REQUEST, files=[HUGE]))).text
    assert f"{SPECIALISTS[name][1]:,}" in text
    assert f"{len(HUGE):,}"[:6] in text


@pytest.mark.parametrize("name", SPECIALISTS)
async def test_messages_that_are_too_long_are_not_read(name: str) -> None:
    one = asked("これを見てください", excerpts=[Excerpt("Mia", HUGE)])
    text = (await refused(name, one)).text
    assert f"{SPECIALISTS[name][1]:,}文字" in text


@pytest.mark.parametrize("name", ["sentiment", "classify"])
async def test_of_a_table_one_column_counts_and_yet_not_any_table_is_looked_through(name: str) -> None:
    one = turn(REQUEST)
    wide = Section("id | text\n" + f"{'7' * 900} | fine\n" * 1000, table=True)
    answer, _ = await heard(SPECIALISTS[name][0](with_file(one, wide), REQUEST))
    assert "1000 messages" in answer.text
    assert f"{analyst.TABLES:,}" in (await refused(name, with_file(one, Section(HUGE, table=True)))).text


def with_file(one: Turn, section: Section) -> Turn:
    return Turn(one.id, one.message, one.access, uploads=(Upload("a.csv", (section,)),))


async def test_code_counts_as_it_was_sent_not_as_it_was_parsed() -> None:
    one = turn("Fix this")
    upload = Upload("a.py", (Section("x"),), ("x = 1\n" * 5000).encode())
    answer, _ = await heard(SPECIALISTS["debug_code"][0](Turn("1", one.message, one.access, uploads=(upload,)), ""))
    assert "30,008 characters" in answer.text


async def test_what_an_earlier_step_found_is_shown_beside_the_refusal() -> None:
    one = asked("Translate this into German", files=["word " * translating.LIMIT])
    found = Answer("Leave is 25 days. [1]", (Citation(1, "leave.md", "Leave", STAFF),))
    answer = await refused("translate", Turn("1", one.message, one.access, uploads=one.uploads, found=(found,)))
    assert answer.text.startswith("Leave is 25 days. [1]")
    assert f"{translating.LIMIT:,}" in answer.text
    assert answer.documents == {"leave.md"}
