"""The specialist that summarizes: a thread, a file, pasted text, an earlier answer, or a document found by search.

It chooses sentences, or has the model compose them part by part and then together: each composed sentence is checked
against the material as in document answers, and where none passes, the chosen sentences take the place.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Literal

from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel

from bot.assistant import tongues
from bot.assistant.asking import said_by
from bot.assistant.editor_words import EditorWords, editor_words
from bot.assistant.extracting import MOST, Extract, Fits, Sentence, chunks, sentences_of, told_in_prose, usual
from bot.assistant.given import Given, Giver, topic
from bot.assistant.grounding import MARKER, support
from bot.assistant.page import Page
from bot.assistant.quoting import LIST_SIGN
from bot.assistant.terms import coverage
from bot.assistant.translating import Translator
from bot.assistant.wishes import Wish, wish
from bot.assistant.words import words
from bot.knowledge.sentences import sentences
from bot.language import Language
from bot.types import Answer, Done, Passage, Reply, Status, Turn

LIMIT = 400_000
"""Characters of material at most: about the length of a novel, some ten seconds of choosing."""
PART = 1200
"""Tokens of a part, roughly counted: a small model reads no more beside its instructions."""
NOTES = 4
"""Sentences that the model writes about each part of a long text."""
AT_ONCE = 4
"""Parts that the model reads at the same time."""
NEAR = 3
"""Parts that a sentence about the whole is checked against: those that mention most of it."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A sentence of the summary and the passage that supports it, or that it is from."""

    text: str
    passage: Passage | None


@dataclass(frozen=True, slots=True)
class _Work:
    """One summary to make: what of, how long, with which focus, and whether sentences that differ in numbers alone count."""

    given: Given
    found: Sequence[Sentence]
    most: int
    fits: Fits
    focus: str
    again: bool


class Summarizer:
    """Summarizes by choosing sentences (`extract`) or by composing with the model (`compose`).

    `model_name` signs what the model composed. `clock` counts seconds.
    """

    def __init__(
        self,
        giver: Giver,
        model: BaseChatModel,
        embeddings: Embeddings,
        translator: Translator,
        style: Literal["extract", "compose"] = "extract",
        *,
        model_name: str = "",
        clock: Callable[[], float] = time.perf_counter,
    ):
        self._giver = giver
        self._model = model
        self._embeddings = embeddings
        self._translator = translator
        self._style = style
        self._model_name = model_name
        self._clock = clock

    async def answer(self, turn: Turn, request: str, given: Given | None = None) -> AsyncIterator[Reply]:
        """Status and progress, the summary sentence by sentence, then Done. `given` is material from an earlier step."""
        started = self._clock()
        given = given or await self._giver.given(turn, request, LIMIT, documents=True)
        say = editor_words(given.language(turn))
        found = await asyncio.to_thread(sentences_of, given.parts) if given.size <= LIMIT else []
        if not found:
            yield Done(Answer(_refusal(given, turn, say), searched=given.searched))
            return
        yield Status(say.summarizing)
        await asyncio.to_thread(tongues.load)
        work = _work(given, found, turn)
        lines, model = list[_Line](), ""
        async with aclosing(self._lines(work, say)) as made:
            async for one in made:
                if isinstance(one, Status):
                    yield one
                else:
                    lines, model = one
        answer, page = Answer("", model=model, rests_on=given.documents, searched=given.searched), Page()
        bullets, elsewhere = _bullets(given, work), self._elsewhere(given, found)
        for line in lines:
            delta = page.add(f"- {line.text}" if bullets else line.text, line.passage, alone=bullets)
            if elsewhere is None:
                yield replace(delta, rests_on=given.documents)
        answer = replace(answer, text=page.text, sources=tuple(page.citations) or given.sources)
        if elsewhere is not None:
            answer = await self._translated(answer, elsewhere, given.language(turn))
        unknown = tongues.unknown(given.request)
        note = f"\n\n{say.summary_untranslated.format(language=unknown)}" if unknown else ""
        closing = note + _closing(given, say)
        ms = {"answer": (self._clock() - started) * 1000}
        yield Done(replace(answer, text=answer.text + closing, ms=ms))

    async def _lines(self, work: _Work, say: EditorWords) -> AsyncGenerator[Status | tuple[list[_Line], str], None]:
        """Progress, then the lines and who wrote them: the model if any of its sentences held."""
        parts = chunks(work.found, PART)
        made = await asyncio.to_thread(Extract, work.found, work.focus, self._embeddings)
        if self._style == "compose":
            notes = list[_Line]()
            async with aclosing(self._notes(parts, work, made, say)) as reading:
                async for one in reading:
                    if isinstance(one, Status):
                        yield one
                    else:
                        notes = one
            if notes:
                merged = await self._merged(notes, parts, work) if len(parts) > 1 else notes
                yield merged[: work.most], self._model_name
                return
        listed = []
        for number, part in enumerate(parts, 1):
            if len(parts) > 1:
                yield Status(say.part.format(done=number, total=len(parts)))
            listed += await asyncio.to_thread(made.shortlist, part)
        chosen = await asyncio.to_thread(made.choose, listed, work.most, work.fits, work.again)
        yield [_Line(_bare(one), one.part.passage) for one in chosen], ""

    async def _notes(
        self, parts: Sequence[Sequence[Sentence]], work: _Work, made: Extract, say: EditorWords
    ) -> AsyncGenerator[Status | list[_Line], None]:
        """What the model writes about each part and the part supports, `AT_ONCE` parts at the same time.

        Where nothing of it holds, the part's best sentence takes its place; none at all if nothing held anywhere.
        """
        notes: list[_Line] = []
        held = False
        most = work.most if len(parts) == 1 else min(NOTES, work.most)
        for start in range(0, len(parts), AT_ONCE):
            batch = parts[start : start + AT_ONCE]
            for part, lines in zip(batch, await self._read(batch, most, work), strict=True):
                held = held or bool(lines)
                best = [] if lines else made.choose(await asyncio.to_thread(made.shortlist, part), 1, work.fits)
                notes += lines or [_Line(_bare(one), one.part.passage) for one in best]
            if len(parts) > 1:
                yield Status(say.part.format(done=start + len(batch), total=len(parts)))
        yield notes if held else []

    async def _read(self, batch: Sequence[Sequence[Sentence]], most: int, work: _Work) -> list[list[_Line]]:
        """The notes on some parts, written at the same time; if one fails or all is stopped, none goes on."""
        tasks = [asyncio.create_task(self._composed(part, [part], most, work)) for part in batch]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()

    async def _merged(self, notes: Sequence[_Line], parts: Sequence[Sequence[Sentence]], work: _Work) -> list[_Line]:
        """One summary of the notes, each sentence again checked against the parts; else the best of the notes."""
        if len(notes) <= work.most and work.fits.together([note.text for note in notes]):
            return list(notes)
        noted = [
            Sentence(note.text, replace(work.found[0].part, author="", passage=note.passage), i)
            for i, note in enumerate(notes)
        ]
        composed = await self._composed(noted, parts, work.most, work)
        if composed:
            return composed
        made = await asyncio.to_thread(Extract, noted, work.focus, self._embeddings)
        listed = await asyncio.to_thread(made.shortlist, noted)
        return [_Line(one.text, one.part.passage) for one in made.choose(listed, work.most, work.fits)]

    async def _composed(
        self, read: Sequence[Sentence], against: Sequence[Sequence[Sentence]], most: int, work: _Work
    ) -> list[_Line]:
        """The model's sentences that the material supports, as long as they fit."""
        code = tongues.spoken(work.given.text) or "en"
        told = "\n".join(one.shown for one in read)
        wanted = f"\n\nWhat is wanted: {work.given.request}" if work.given.request else ""
        said = await said_by(
            self._model, "summarize", f"Material:\n\n{told}{wanted}", most=str(most), language=tongues.name_of(code)
        )
        kept: list[_Line] = []
        for sentence in filter(None, (LIST_SIGN.sub("", MARKER.sub("", one).strip()) for one in sentences(said))):
            held = await asyncio.to_thread(self._held, sentence, against)
            texts = [*(line.text for line in kept), sentence]
            if held and sentence not in texts[:-1] and len(texts) <= most and work.fits.together(texts):
                kept.append(_Line(sentence, held if held.document else None))
        return kept

    def _held(self, claim: str, against: Sequence[Sequence[Sentence]]) -> Passage | None:
        """The passage that supports a sentence: of a document, or of what people said here."""
        likely = sorted(against, key=lambda part: -coverage(claim, "\n".join(one.shown for one in part)))
        return next(
            (held for part in likely[:NEAR] if (held := support(claim, _passages(part), self._embeddings))), None
        )

    def _elsewhere(self, given: Given, found: Sequence[Sentence]) -> str | None:
        """The language that the summary is wanted in, if that is another one than the material's."""
        wanted = tongues.wanted(given.request)
        return wanted if wanted and wanted != tongues.spoken(" ".join(one.text for one in found[:50])) else None

    async def _translated(self, answer: Answer, code: str, own: Language) -> Answer:
        """The summary in another language; as it is, with a word about it, if that fails."""
        made = await self._translator.translated(answer.text, code)
        if made is None:
            note = editor_words(own).summary_untranslated.format(language=tongues.called(code, own))
            return replace(answer, text=f"{answer.text}\n\n{note}")
        return replace(answer, text=made, model=self._model_name)


def _work(given: Given, found: Sequence[Sentence], turn: Turn) -> _Work:
    asked = wish(given.request)
    focus = "" if given.origin == "documents" else topic(given.request)
    most = _most(asked, given, found)
    told = told_in_prose(found, 2 * most) if given.passages else found
    again = bool(asked.points or given.found)
    return _Work(given, told, most, Fits(asked.words, asked.characters), focus, again)


def _most(asked: Wish, given: Given, found: Sequence[Sentence]) -> int:
    """How many sentences: as asked; half of what there is if "shorter" is asked; as many as fit if a length is.

    A search has chosen already: all that it found is kept.
    """
    if asked.points:
        return asked.points
    if asked.shorter:
        return max(1, len(found) // 2)
    if given.found and len(found) <= MOST:
        return len(found)
    return len(found) if asked.words or asked.characters else usual(len(found))


def _bullets(given: Given, work: _Work) -> bool:
    """A line for each where that is asked for, and where the lines are rows, or said by people."""
    return wish(given.request).bullets or any(one.row or one.part.author for one in work.found)


def _bare(one: Sentence) -> str:
    return f"{one.part.author}: {one.text}" if one.part.author else LIST_SIGN.sub("", one.text)


def _passages(part: Sequence[Sentence]) -> list[Passage]:
    """What a sentence is checked against: the passages themselves, and what people said, each under their name."""
    cited = {one.part.passage.id: one.part.passage for one in part if one.part.passage}
    spoken = "\n\n".join(one.shown for one in part if one.part.passage is None)
    own = [Passage("", "", spoken, frozenset())] if spoken else []
    return [*cited.values(), *own]


def _refusal(given: Given, turn: Turn, say: EditorWords) -> str:
    """Why there is no summary."""
    if given.size > LIMIT:
        return say.too_long.format(size=f"{given.size:,}", limit=f"{LIMIT:,}")
    if given.searched:
        return words(given.language(turn)).not_found
    return say.thread_unread if given.in_thread else say.nothing_to_summarize


def _closing(given: Given, say: EditorWords) -> str:
    """Whose messages a summary of a thread is from."""
    people = list(dict.fromkeys(part.author for part in given.parts if part.author))
    if given.origin != "thread" or not people:
        return ""
    count = sum(bool(part.author) for part in given.parts)
    return "\n\n" + say.from_thread.format(count=count, people=", ".join(people))
