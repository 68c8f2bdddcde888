"""The specialist for company documents: searches under the turn's access, and shows only sentences that a passage supports."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from importlib.resources import files
from typing import Literal

from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage

from bot.assistant.grounding import MARKER, support
from bot.assistant.quoting import context, quotes
from bot.assistant.words import words
from bot.knowledge.sentences import sentences
from bot.language import language
from bot.ports import Index
from bot.types import Answer, Citation, Delta, Done, Passage, Reply, Status, Turn

FOUND = 8
"""Passages asked of the index: the best five are quoted from, a model reads as many as `READ`."""
READ = 4
_ENDS = (".", "!", "?", "。", "！", "？", "\n")


class Librarian:
    """Answers from documents, by quoting the best `sentences` sentences or by composing with the model."""

    def __init__(
        self,
        index: Index,
        model: BaseChatModel,
        embeddings: Embeddings,
        style: Literal["quote", "compose"] = "quote",
        sentences: int = 3,
    ):
        self._index = index
        self._model = model
        self._embeddings = embeddings
        self._style = style
        self._sentences = sentences

    async def answer(self, turn: Turn, question: str) -> AsyncIterator[Reply]:
        """Status, then whole checked sentences with their markers, then Done with the answer and its sources."""
        say = words(language(question))
        yield Status(say.searching)
        passages = await self._index.search(question, turn.access, FOUND)
        found = await asyncio.to_thread(quotes, question, passages, self._sentences, self._embeddings)
        if not found:
            yield Done(Answer(say.not_found))
            return
        page = _Page()
        if self._style == "compose":
            yield Status(say.writing)
            async for sentence, passage in self._composed(question, passages[:READ]):
                yield page.add(sentence, passage)
        if not page.text:
            for quote in found:
                yield page.add(quote.text, quote.passage)
        yield Done(Answer(page.text, tuple(page.citations)))

    async def _composed(self, question: str, passages: Sequence[Passage]) -> AsyncIterator[tuple[str, Passage]]:
        """The model's sentences that a passage supports, as they are finished; the others are dropped."""
        async for sentence in self._written(question, passages):
            passage = await asyncio.to_thread(support, sentence, passages, self._embeddings)
            if passage is not None:
                yield sentence, passage

    async def _written(self, question: str, passages: Sequence[Passage]) -> AsyncIterator[str]:
        rest = ""
        async for chunk in self._model.astream(_prompt(question, passages)):
            rest += chunk.text
            *whole, last = sentences(rest) or [""]
            if last.rstrip().endswith(_ENDS) and last != last.rstrip():
                whole, last = [*whole, last], ""
            for sentence in whole:
                yield MARKER.sub("", sentence).strip()
            rest = last
        if rest.strip():
            yield MARKER.sub("", rest).strip()


class _Page:
    """The answer as it grows: its text with markers, and the sources in the order of their first use."""

    def __init__(self) -> None:
        self.text = ""
        self.citations: list[Citation] = []

    def add(self, sentence: str, passage: Passage) -> Delta:
        """Append one sentence with the marker of its source."""
        citation = self._cite(passage)
        between = "" if not self.text else "\n" if "|" in sentence or ": " in sentence[:80] else " "
        piece = f"{between}{sentence} [{citation.number}]"
        self.text += piece
        return Delta(piece, (citation,))

    def _cite(self, passage: Passage) -> Citation:
        for known in self.citations:
            if (known.document, known.page) == (passage.document, passage.page):
                return known
        number = len(self.citations) + 1
        made = Citation(number, passage.document, passage.title, passage.labels, passage.page, passage.url)
        self.citations.append(made)
        return made


def _prompt(question: str, passages: Sequence[Passage]) -> list[SystemMessage | HumanMessage]:
    """The instructions, and the passages as numbered material: what they say never becomes an instruction."""
    material = "\n\n".join(f"[{n}] {context(p).strip()}\n{p.text}" for n, p in enumerate(passages, 1))
    instructions = files("bot.assistant").joinpath("prompts/librarian.md").read_text(encoding="utf-8")
    return [SystemMessage(instructions), HumanMessage(f"Passages:\n\n{material}\n\nQuestion: {question}")]
