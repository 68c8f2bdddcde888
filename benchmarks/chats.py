"""Chats in this process: eight at once against one after the other, and one chat against plain float32 `generate`.

The model is the embedded one, so figures are comparable between machines of a kind. Both tables are greedy: the same
chat must get the same text alone and in company. The plain way is what one would write with transformers alone: load
in float32, `apply_chat_template`, `generate`. What an answer repeats of its prompt is guessed ahead, so an answer about a
text is written faster than one to a bare question; both are shown. llama.cpp writes about 3.2 times as fast as the plain
way, on the same weights: the mark beyond the target. Run: python -m benchmarks.chats
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from rich.console import Console
from rich.table import Table

from bot.settings import ModelSettings
from connectors.models.load import load_chat_model
from connectors.models.thread import compute
from connectors.models.weights import folder_of

TOKENS = 96
"""Tokens of each answer, at most."""
REPEATS = 3
TARGET_TOGETHER = 2.0
TARGET_ALONE = 1.5
QUESTIONS = (
    "Explain in a few sentences what a minimum equipment list is.",
    "Write a polite reply that says the delivery will be two days late.",
    "What should a new employee know about travel expenses?",
    "Describe how a hydraulic pump works.",
    "List five things to check before a long drive.",
    "Why do airports have several runways? Explain it to a child.",
    "Tell me about the history of paper.",
    "How does one write a good report? Give an example of a first sentence.",
)
PARAGRAPH = (
    "The hydraulic system of the aircraft is fed by two engine-driven pumps and one electric pump. Each pump has a "
    "case drain filter that is inspected every six hundred flight hours, and a pressure switch that tells the crew when "
    "its outlet falls below the limit. If one engine-driven pump fails, the electric pump takes over. "
)
LONG_PROMPT = PARAGRAPH * 8 + "\n\nWhich pump takes over if one engine-driven pump fails, and how does the crew know?"


@dataclass(frozen=True, slots=True)
class Batch:
    """Eight answers: their texts, all their tokens, and the seconds they took."""

    texts: tuple[str, ...]
    tokens: int
    seconds: float

    @property
    def rate(self) -> float:
        """Tokens per second."""
        return self.tokens / self.seconds


@dataclass(frozen=True, slots=True)
class Alone:
    """One chat: tokens per second of reading the prompt and of writing, and the text."""

    prompt: float
    answer: float
    text: str


async def together(chat: BaseChatModel) -> Batch:
    """All eight at once."""
    started = time.perf_counter()
    answers = await asyncio.gather(*(chat.ainvoke(question, max_tokens=TOKENS) for question in QUESTIONS))
    return _batch(answers, time.perf_counter() - started)


async def in_turn(chat: BaseChatModel) -> Batch:
    """One after the other."""
    started = time.perf_counter()
    answers = [await chat.ainvoke(question, max_tokens=TOKENS) for question in QUESTIONS]
    return _batch(answers, time.perf_counter() - started)


def _batch(answers: list[AIMessage], seconds: float) -> Batch:
    tokens = sum(answer.usage_metadata["output_tokens"] for answer in answers if answer.usage_metadata)
    return Batch(tuple(answer.text for answer in answers), tokens, seconds)


async def ours(chat: BaseChatModel, asked: str) -> Alone:
    """Rolecall's engine with one chat."""

    async def write(limit: int) -> tuple[int, int, str]:
        answer = await chat.ainvoke(asked, max_tokens=limit)
        usage = answer.usage_metadata or {"input_tokens": 0, "output_tokens": 0}
        return usage["input_tokens"], usage["output_tokens"], answer.text

    return await _alone(write)


async def plain(tokenizer: Any, model: Any, asked: str) -> Alone:
    """What one would write with transformers alone; on torch's thread, for two that compute slow each other down."""
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": asked}], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )

    def generate(limit: int) -> torch.Tensor:
        with torch.inference_mode():
            whole: torch.Tensor = model.generate(**prompt, max_new_tokens=limit, do_sample=False)
        return whole[0][prompt["input_ids"].shape[1] :]

    async def write(limit: int) -> tuple[int, int, str]:
        found = compute(lambda: generate(limit))
        return prompt["input_ids"].shape[1], len(found), str(tokenizer.decode(found, skip_special_tokens=True))

    return await _alone(write)


def _plain_model(folder: Path) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    model: Any = AutoModelForCausalLM.from_pretrained(str(folder), dtype=torch.float32)
    model.eval()
    return AutoTokenizer.from_pretrained(str(folder)), model


async def _alone(write: Callable[[int], Awaitable[tuple[int, int, str]]]) -> Alone:
    """The time of one token is that of the prompt; what more tokens take is that of the answer. Medians."""
    await write(2)
    firsts, rests, text = [], [], ""
    read = 0
    for _ in range(REPEATS):
        started = time.perf_counter()
        read, _, _ = await write(1)
        first = time.perf_counter() - started
        started = time.perf_counter()
        _, written, text = await write(TOKENS)
        firsts.append(first)
        rests.append((time.perf_counter() - started - first) / max(1, written - 1))
    return Alone(read / statistics.median(firsts), 1 / statistics.median(rests), text)


def company_table(alone: Batch, eight: Batch) -> Table:
    """Eight at once against one after the other."""
    table = Table(title=f"Eight chats of up to {TOKENS} tokens")
    for column in ("", "seconds", "tokens/s", "times"):
        table.add_column(column, justify="right" if column else "left")
    for name, batch in (("one after the other", alone), ("eight at once", eight)):
        table.add_row(name, f"{batch.seconds:.1f}", f"{batch.rate:.1f}", f"{batch.rate / alone.rate:.2f}")
    return table


def alone_table(rows: Mapping[str, Alone]) -> Table:
    """One chat: each row beside the one before it, for every second is the plain way's."""
    table = Table(title="One chat, tokens per second")
    for column in ("", "prompt", "times", "answer", "times"):
        table.add_column(column, justify="right" if column else "left")
    theirs = None
    for name, one in rows.items():
        base = theirs or one
        prompt, answer = one.prompt / base.prompt, one.answer / base.answer
        table.add_row(name, f"{one.prompt:.0f}", f"{prompt:.2f}", f"{one.answer:.1f}", f"{answer:.2f}")
        theirs = None if theirs else one
    return table


async def _measure(console: Console, cache: Path) -> bool:
    with console.status("the plain way"):
        folder = compute(lambda: folder_of("embedded", cache))
        simple = compute(lambda: _plain_model(folder))
        theirs, bare = await plain(*simple, LONG_PROMPT), await plain(*simple, QUESTIONS[0])
    model = load_chat_model(ModelSettings(), cache)
    with console.status("Rolecall"):
        mine, open_ = await ours(model.chat, LONG_PROMPT), await ours(model.chat, QUESTIONS[0])
        await together(model.chat)
        alone, eight = await in_turn(model.chat), await together(model.chat)
    console.print(company_table(alone, eight))
    same = alone.texts == eight.texts
    console.print(
        f"Same text alone and in company: {'yes' if same else 'NO'}; the target is {TARGET_TOGETHER} times.\n"
    )
    rows = {"about a text: generate, float32": theirs, "about a text: Rolecall": mine}
    console.print(alone_table(rows | {"a bare question: generate, float32": bare, "a bare question: Rolecall": open_}))
    equal = "the same text" if mine.text == theirs.text else "another text (eight-bit weights)"
    console.print(
        f"{model.description}. Rolecall writes {equal}; the target about a text is {TARGET_ALONE} times for both, the "
        "mark for the answer 3.2."
    )
    return (
        same
        and eight.rate >= TARGET_TOGETHER * alone.rate
        and mine.prompt >= TARGET_ALONE * theirs.prompt
        and mine.answer >= TARGET_ALONE * theirs.answer
    )


def main() -> None:
    """Measure, print both tables, and leave with 1 if a target is missed."""
    with tempfile.TemporaryDirectory() as cache:
        met = asyncio.run(_measure(Console(), Path(cache)))
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
