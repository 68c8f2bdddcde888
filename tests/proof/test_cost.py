"""One person's hostile message holds nobody else up: no text is read by the square of its length.

Each message is as long as Slack lets one be. The limits are seconds of this process's own computing, of which a text that
is read once needs a small part, and one that is read by the square of its length many times as many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest
from langchain_core.tools import BaseTool

from bot.assistant import chains, features, followups, small_talk
from bot.assistant.analyst import Analyst
from bot.assistant.drafting import Drafter
from bot.assistant.engineer import authoring
from bot.assistant.engineer.codetext import given as given_code
from bot.assistant.engineer.debugger import Debugger
from bot.assistant.engineer.faults import Fault, read_fault, told_fault
from bot.assistant.engineer.repairs import repairs
from bot.assistant.engineer.writer import Writer
from bot.assistant.facts import codes, names, quantities
from bot.assistant.found import Found
from bot.assistant.given import Giver, parted, quoted, topic
from bot.assistant.items import material
from bot.assistant.labels import count_of, labels_of
from bot.assistant.letters import letter, rephrased
from bot.assistant.material import told
from bot.assistant.memory import shortened, wants_forgetting
from bot.assistant.protecting import protect
from bot.assistant.rows import rows
from bot.assistant.seeking import sought, subject
from bot.assistant.supervisor import LONGEST, Supervisor
from bot.assistant.terms import coverage
from bot.assistant.translating import Translator
from bot.assistant.wishes import wish
from bot.knowledge.sentences import sentences
from bot.types import Access, Answer, Done, Exchange
from connectors.chat.slack.text import readable, without
from connectors.chat.teams.formatting import markdown
from connectors.chat.teams.translation import said
from connectors.ruff import Ruff
from tests.assistant.library import WordEmbeddings, saying, turn
from tests.effort import processor_seconds
from tests.fakes import FakeRouter
from tools.classify import classify
from tools.debug_code import debug_code
from tools.draft import draft
from tools.sentiment import sentiment
from tools.translate import translate
from tools.write_code import write_code

LENGTH = 40_000
PIECES = [
    "a", "a-", "a/", "a.", " ", "1", "1,", "1.1", "`", "# ", "|", "-", "\n", "\n ", "[1", " [1] ", "http://", "a@",
    "「", "“a", "<at>", "<a", "<@U1|", "A-", "一", "def f(", "at a.", "range(1, a", "send\n", "as ", "pls ",
    "find ", "調べて", "[1][2]",
]  # fmt: skip


def hostile(piece: str, length: int = LENGTH) -> str:
    return piece * (length // len(piece)) + "\x01x"


def mended(text: str) -> Iterator[str]:
    for kind in ("SyntaxError", "NameError", "AttributeError", "IndexError", "KeyError", "TypeError"):
        yield from islice(repairs(text, Fault(kind, "name 'x' no attribute 'x' concatenate not callable", line=1)), 20)


EVERY: list[Callable[[str], Any]] = [
    features.sparse,
    lambda text: followups.completed("and that?", [Exchange(features.announcement(text) or text, "")]),
    lambda text: small_talk.fixed(turn(text), ()),
    lambda text: shortened(Exchange(text, text)),
    lambda text: Found.of([Answer(text)]),
    chains.parts,
    chains.several,
    wants_forgetting,
    sentences,
    readable,
    lambda text: without(text, "U1"),
    lambda text: said({"text": text}),
    markdown,
]
"""What each message passes, or each answer, which may repeat the message."""

TOOLS: list[Callable[[str], Any]] = [
    parted,
    topic,
    quoted,
    told,
    wish,
    material,
    labels_of,
    count_of,
    sought,
    subject,
    protect,
    quantities,
    codes,
    names,
    rows,
    lambda text: coverage(text[:10_000], text),
    lambda text: letter(text, "", "plain", "en"),
    lambda text: rephrased(text, "formal"),
]
"""How the tools read what they are given."""

CODE: list[Callable[[str], Any]] = [
    lambda text: given_code(turn(text)),
    read_fault,
    told_fault,
    lambda text: authoring.unlinked(text, text),
    lambda text: authoring.tests_in(text, text),
    lambda text: authoring.keeps(text, text),
    lambda text: list(mended(text)),
]


@pytest.mark.parametrize("stages", [EVERY, TOOLS, CODE], ids=["every", "tools", "code"])
def test_no_stage_reads_a_text_by_the_square_of_its_length(stages: list[Callable[[str], Any]]) -> None:
    for stage in stages:
        for piece in PIECES:
            with processor_seconds(2):
                stage(hostile(piece))


REQUESTS = {
    "translate": "Translate into German:\n",
    "draft": "Make this more polite:\n",
    "sentiment": "How do these people feel?\n",
    "classify": "Sort these into praise, complaint and other:\n",
    "debug_code": "Why does this fail?\n",
    "write_code": "Write a function that reads this: ",
}


def house(tool: str) -> Supervisor:
    """Every tool, with a model that repeats a line, and nothing to run code in."""
    model, meaning, giver = saying("I see."), WordEmbeddings(), Giver()
    analyst = Analyst(model, meaning)
    tools: list[BaseTool] = [
        translate(Translator(giver, model, capable=True)),
        draft(Drafter(giver, model, meaning, capable=True)),
        sentiment(analyst),
        classify(analyst),
        debug_code(Debugger(model, None, Ruff())),
        write_code(Writer(model, None, Ruff())),
    ]
    return Supervisor(model, tools, FakeRouter(tool))


async def asked(tool: str, text: str) -> Answer:
    one = turn(text)
    access = Access(one.access.readers, frozenset(REQUESTS))
    replies = [reply async for reply in house(tool).answer(replace(one, access=access))]
    assert isinstance(replies[-1], Done)
    return replies[-1].answer


@pytest.mark.parametrize("tool", REQUESTS)
async def test_no_request_takes_time_by_the_square_of_its_length(tool: str) -> None:
    for piece in ("a-", "A-", "x=1;\n"):
        with processor_seconds(5):
            assert (await asked(tool, REQUESTS[tool] + hostile(piece, 19_000))).text


@pytest.mark.parametrize("piece", ["a-", "あ"])
async def test_a_message_that_is_longer_than_any_chat_sends_is_refused_by_its_limit(piece: str) -> None:
    told = await asked("translate", "Translate into German: " + piece * LONGEST)
    assert f"{LONGEST:,}" in told.text
    assert f"{LONGEST * len(piece) + 23:,}" in told.text
