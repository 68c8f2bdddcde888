"""The specialist for company documents: searches under the turn's access, and shows only sentences that a passage supports.

It quotes, or has the model compose: then each finished sentence is checked before anybody sees it, and if none passes
the quotation takes its place. Markers and sources are made here, from provenance; the model's own are taken out.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from importlib.resources import files
from typing import Literal
from unicodedata import normalize

from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage

from bot.assistant.extracting import extract
from bot.assistant.followups import completed, instead
from bot.assistant.given import Part
from bot.assistant.grounding import MARKER, support
from bot.assistant.material import context, numbered
from bot.assistant.page import Page
from bot.assistant.quoting import Quote, quotes
from bot.assistant.seeking import named, sought, subject
from bot.assistant.terms import coverage, terms
from bot.assistant.words import words
from bot.knowledge.sentences import sentences
from bot.language import language
from bot.ports import Index
from bot.types import Access, Answer, Done, Passage, Reply, Status, Turn

FOUND = 8
"""Passages asked of the index: the best five are quoted from, a model reads as many as `READ`."""
LIMIT = 10_000
"""Characters of a question at most: a longer one is a text, and searching with it takes long and finds anything."""
WHOLE = 60
"""Passages asked of the index where a document is named; those of that document are used."""
READ = 4
MORE = 4
"""Times as many sentences are looked through where they have to speak of something particular."""
NOTHING = "NOTHING"
"""What the prompt asks a model to say if the passages hold no answer."""
_LIST_ITEM = re.compile(r"[-*•] |・|\d{1,2}[.)] ")


class Librarian:
    """Answers from documents, by quoting the best `sentences` sentences or by composing with the model.

    `model_name` signs what the model composed. `clock` counts seconds, for the time that each step took.
    """

    def __init__(
        self,
        index: Index,
        model: BaseChatModel,
        embeddings: Embeddings,
        style: Literal["quote", "compose"] = "quote",
        sentences: int = 3,
        *,
        model_name: str = "",
        clock: Callable[[], float] = time.perf_counter,
    ):
        self._index = index
        self._model = model
        self._embeddings = embeddings
        self._style = style
        self._sentences = sentences
        self._model_name = model_name
        self._clock = clock

    async def answer(self, turn: Turn, question: str) -> AsyncIterator[Reply]:
        """Status, then whole checked sentences with their markers, then Done with the answer and its sources."""
        say, started = words(language(question)), self._clock()
        if len(question) > LIMIT:
            yield Done(Answer(say.question_too_long.format(size=f"{len(question):,}", limit=f"{LIMIT:,}")))
            return
        question = normalize("NFKC", question)
        other = instead(question) if turn.history else ""
        question = sought(completed(question, turn.history))
        yield Status(say.searching)
        passages = await self._index.search(question, turn.access, FOUND)
        material = await self._document(question, passages, turn.access)
        searched = self._clock()
        passages = list(material) or passages
        found = await asyncio.to_thread(self._told if material else self._quoted, question, passages, other)
        page, model, read = Page(), "", frozenset[str]()
        if found and self._style == "compose":
            yield Status(say.writing)
            async with aclosing(self._composed(question, passages[:READ], found)) as composed:
                async for sentence, passage in composed:
                    model, read = self._model_name, frozenset(one.document for one in passages[:READ])
                    yield replace(page.add(sentence, passage, alone=bool(_LIST_ITEM.match(sentence))), rests_on=read)
        if not page.text:
            for quote in found:
                yield page.add(
                    quote.text, quote.passage, alone=quote.row or bool(_LIST_ITEM.match(quote.text)), quoted=True
                )
        ms = {"search": (searched - started) * 1000, "answer": (self._clock() - searched) * 1000}
        text, sources = page.text or say.not_found, tuple(page.citations)
        yield Done(Answer(text, sources, model=model, ms=ms, rests_on=read, material=material))

    async def _document(self, question: str, passages: Sequence[Passage], access: Access) -> tuple[Passage, ...]:
        """The passages of the document that was asked for by its name, in their order; none if none was."""
        wanted = named(question, passages)
        if wanted is None:
            return ()
        found = await self._index.search(question, access, WHOLE)
        return tuple(sorted((one for one in found if one.document == wanted), key=lambda one: one.page or 0))

    def _quoted(self, question: str, passages: Sequence[Passage], other: str) -> list[Quote]:
        """Sentences that answer; if the same is asked of something else (`other`), only those that speak of it.

        A model that composes is left to see for itself whether they do.
        """
        if not other or self._style == "compose":
            return quotes(subject(question), passages, self._sentences, self._embeddings)
        found = quotes(subject(question), passages, MORE * self._sentences, self._embeddings)
        return [one for one in found if coverage(other, f"{context(one.passage)} {one.text}")][: self._sentences]

    def _told(self, question: str, passages: Sequence[Passage], other: str) -> list[Quote]:
        """The sentences that say most of what a document is about."""
        parts = [Part(one.text, passage=one) for one in passages]
        chosen = extract(parts, self._sentences, self._embeddings, prose=True)
        return [Quote(one.text, one.part.passage, one.row) for one in chosen if one.part.passage]

    async def _composed(
        self, question: str, passages: Sequence[Passage], found: Sequence[Quote]
    ) -> AsyncGenerator[tuple[str, Passage], None]:
        """The model's sentences that a passage supports and that are about the question, as they are finished."""
        wanted, quoted = terms(question), [quote.passage for quote in found]
        shown: set[str] = set()
        async with aclosing(self._written(question, passages)) as written:
            async for sentence in written:
                if sentence in shown:
                    continue
                passage = await asyncio.to_thread(support, sentence, passages, self._embeddings)
                if passage is not None and (passage in quoted or not wanted.isdisjoint(terms(sentence))):
                    shown.add(sentence)
                    yield sentence, passage
                if len(shown) == self._sentences:
                    return

    async def _written(self, question: str, passages: Sequence[Passage]) -> AsyncGenerator[str, None]:
        """What the model writes, sentence by sentence, without the markers it may have put."""
        rest = ""
        async for chunk in self._model.astream(_prompt(question, passages, self._sentences)):
            *whole, rest = _split(rest + chunk.text)
            for sentence in whole:
                yield sentence
        if last := _bare(rest):
            yield last


def _split(text: str) -> list[str]:
    """The finished sentences of a text that is being written, and behind them what is not finished."""
    *whole, last = sentences(text) or [""]
    if (last != last.rstrip() and last.rstrip().endswith((".", "!", "?", "。", "！", "？"))) or last.endswith("\n"):
        whole, last = [*whole, last], ""
    return [*filter(None, map(_bare, whole)), last]


def _bare(sentence: str) -> str:
    return MARKER.sub("", sentence).strip()


def _prompt(question: str, passages: Sequence[Passage], most: int) -> list[SystemMessage | HumanMessage]:
    """The instructions, and the passages as numbered material: what they say never becomes an instruction."""
    prose = files("bot.assistant").joinpath("prompts/librarian.md").read_text(encoding="utf-8")
    instructions = prose.replace("{most}", str(most)).replace("{nothing}", NOTHING)
    return [SystemMessage(instructions), HumanMessage(f"Passages:\n\n{numbered(passages)}\n\nQuestion: {question}")]
