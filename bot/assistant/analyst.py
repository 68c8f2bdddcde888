"""The specialist for many messages: how they feel, and how they sort, under given labels or into themes of their own.

It reads what the person put before it, or the very thread it is asked in; it searches nothing and calls no tool.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import numpy as np
from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel

from bot.assistant import moods, themes
from bot.assistant.analystwords import AnalystWords, analyst_words
from bot.assistant.grouping import Vectors, groups, named, sorted_under, typical
from bot.assistant.items import Item, material, sizes
from bot.assistant.judging import judged
from bot.assistant.labels import count_of, labels_of
from bot.assistant.meaning import Meaning, by_characters, is_far, is_weak
from bot.assistant.results import Outcome, label_answer, mood_answer, theme_answer
from bot.language import language
from bot.ports import Threads
from bot.types import Answer, Done, Reply, Status, Turn

MESSAGES = 2000
CHARACTERS = 500_000
TABLES = 2_000_000
"""Characters of tables that are looked through, whichever of their columns holds the messages."""
LENGTH = 2000
"""Characters of one message that are read."""
OTHERS = frozenset({"other", "others", "none", "misc", "miscellaneous", "else", "その他", "それ以外", "該当なし"})
CLOSE = 0.8
"""A second label this near to the first, as a share of it, makes a close call."""
EXAMPLES = 3
BACK = 5
"""Exchanges that are gone back over for the messages that a follow-up is about."""
_MOOD_QUESTION = "Is the mood of the message positive, neutral or negative?"
_LABEL_QUESTION = "Which label fits the message best?"


@dataclass(frozen=True, slots=True)
class _Brief:
    """A request that can be served: the words of its language, what it says, and the messages."""

    say: AnalystWords
    request: str
    items: tuple[Item, ...]
    cut: bool

    @property
    def texts(self) -> list[str]:
        return [item.text for item in self.items]


class Analyst:
    """Reads moods and sorts. `capable` says whether the model is trusted to judge; `threads` reads the place, if anything can."""

    def __init__(
        self,
        model: BaseChatModel,
        embeddings: Embeddings,
        threads: Threads | None = None,
        *,
        capable: bool = False,
        model_name: str = "",
    ):
        self._model = model
        self._meaning = Meaning(embeddings)
        self._threads = threads
        self._capable = capable
        self._model_name = model_name

    async def sentiment(self, turn: Turn, text: str) -> AsyncIterator[Reply]:
        """The mood of one message, or of each of many and of all together."""
        brief = await self._brief(turn, text)
        if isinstance(brief, str):
            yield Done(Answer(brief))
            return
        values: list[float] = []
        for start in range(0, len(brief.items), 64):
            yield Status(brief.say.reading.format(done=start, all=len(brief.items)))
            values += await asyncio.to_thread(moods.scores, brief.texts[start : start + 64], self._meaning.embed)
        outcome = Outcome(brief.say, brief.request, brief.items, brief.cut)
        if self._capable:
            given = []
            async for done, part in self._judged(_MOOD_QUESTION, ("positive", "neutral", "negative"), brief):
                yield Status(brief.say.judging.format(done=done, all=len(brief.items)))
                given += part
            values = [_as_judged(value, one) for value, one in zip(values, given, strict=True)]
            outcome = outcome.signed(self._model_name if any(given) else "")
        yield Done(mood_answer(outcome, values))

    async def classify(self, turn: Turn, text: str) -> AsyncIterator[Reply]:
        """Each message under one of the labels that the request names, or all in themes if it names none."""
        brief = await self._brief(turn, text)
        if isinstance(brief, str):
            yield Done(Answer(brief))
            return
        labels = labels_of(brief.request)
        outcome = Outcome(brief.say, brief.request, brief.items, brief.cut)
        if labels and self._capable:
            given: list[str | None] = []
            async for done, part in self._judged(_LABEL_QUESTION, labels, brief):
                yield Status(brief.say.judging.format(done=done, all=len(brief.items)))
                given += part
            if all(given):
                chosen = [(one or "", False) for one in given]
                yield Done(label_answer(outcome.signed(self._model_name), labels, chosen))
                return
        embedded = await asyncio.to_thread(self._meaning.reads, [*brief.texts, *labels])
        vectors: list[Vectors] = []
        if embedded:
            async for part_vectors in self._meaning.vectors(brief.texts):
                vectors.append(part_vectors)
                yield Status(brief.say.reading.format(done=sum(map(len, vectors)), all=len(brief.items)))
        found = np.concatenate(vectors) if vectors else None
        outcome = outcome.rough(not embedded)
        if labels:
            yield Done(label_answer(outcome, labels, await asyncio.to_thread(self._under, brief.texts, labels, found)))
            return
        yield Status(brief.say.grouping)
        yield Done(await asyncio.to_thread(_themes, outcome, found, count_of(brief.request)))

    async def _brief(self, turn: Turn, text: str) -> _Brief | str:
        """What is asked about which messages, or why that cannot be done, in the language of the request."""
        asked = turn.message.text if turn.message.text.strip() else text
        say = analyst_words(language(asked))
        for there, limit in zip(sizes(turn.message.excerpts, turn.uploads), (CHARACTERS, TABLES), strict=True):
            if there > limit:
                return say.too_long.format(there=f"{there:,}", limit=f"{limit:,}")
        found = await asyncio.to_thread(material, asked, turn.message.excerpts, turn.uploads)
        say = analyst_words(language(found.request or asked))
        request, items = found.request, found.items
        if not items and found.thread:
            read = await self._threads.excerpts(turn.message.room, turn.message.thread) if self._threads else None
            if read is None:
                return say.no_thread
            items = tuple(Item(one.text, one.author) for one in read if one.text.strip() and one.text != asked)
        if not items:
            request, items = _earlier(turn, request)
        if not items:
            return say.nothing
        if len(items) > MESSAGES:
            return say.too_many.format(there=f"{len(items):,}", limit=f"{MESSAGES:,}")
        if (characters := sum(len(item.text) for item in items)) > CHARACTERS:
            return say.too_long.format(there=f"{characters:,}", limit=f"{CHARACTERS:,}")
        short = tuple(Item(item.text[:LENGTH], item.author) for item in items)
        return _Brief(say, request, short, short != items)

    async def _judged(
        self, question: str, choices: Sequence[str], brief: _Brief
    ) -> AsyncIterator[tuple[int, list[str | None]]]:
        done = 0
        async for part in judged(self._model, question, choices, brief.texts):
            done += len(part)
            yield done, part

    def _under(self, texts: Sequence[str], labels: Sequence[str], found: Vectors | None) -> list[tuple[str, bool]]:
        """The label of each text, and whether that is unsure: a close call, or a label that is not near.

        By characters, a text that shares none with any label is under none of them.
        """
        real = [label for label in labels if label.casefold() not in OTHERS] or list(labels)
        rest = next((label for label in labels if label not in real), None)
        if found is not None:
            messages, meant = found, named(real, self._meaning.embed)
        else:
            vectors = by_characters([*texts, *real])
            messages, meant = vectors[: len(texts)], vectors[len(texts) :]
        near, embedded = messages @ meant.T, found is not None
        shares, far = sorted_under(messages, meant), is_far(near.max(axis=1), embedded)
        weak = is_weak(np.take_along_axis(near, shares.argmax(axis=1)[:, None], axis=1)[:, 0], embedded)
        chosen = []
        for row, away, unlike in zip(shares, far, weak, strict=True):
            first, *more = np.sort(row)[::-1]
            if away and not embedded and not rest:
                chosen.append(("", False))
                continue
            close = bool(more) and bool(more[0] > CLOSE * first)
            chosen.append((rest, close) if away and rest else (real[int(row.argmax())], close or bool(unlike)))
        return chosen


def _earlier(turn: Turn, request: str) -> tuple[str, tuple[Item, ...]]:
    """The messages of the latest question that brought some; what was asked of them counts too if nothing came between."""
    for number, exchange in enumerate(reversed(turn.history[-BACK:])):
        found = material(exchange.question)
        if found.items:
            return (request if number else f"{request}\n{found.request}"), found.items
    return request, ()


def _as_judged(value: float, given: str | None) -> float:
    """A score on the side that the model chose; its own where the model chose none."""
    if given is None or moods.mood(value) == given:
        return value
    return {"positive": 0.5, "neutral": 0.0, "negative": -0.5}[given]


def _themes(outcome: Outcome, found: Vectors | None, wanted: int | None) -> Answer:
    texts = [item.text for item in outcome.items]
    vectors = found if found is not None else by_characters(texts)
    group = groups(vectors, wanted)
    called = themes.names(texts, group)
    sizes = Counter(group.tolist())
    order = [number for number, _ in sizes.most_common()]
    members = [typical(vectors, np.flatnonzero(group == number)) for number in order]
    return theme_answer(outcome, [called[number] for number in order], members, EXAMPLES)
