"""The specialist that translates, and shows nothing that did not come through whole.

What must not change never reaches the model. Each part of a translation is checked: language, lines, numbers, length. A
model that is too small is not asked at all, and the person is told so.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from langchain_core.language_models import BaseChatModel

from bot.assistant import tongues
from bot.assistant.asking import said_by
from bot.assistant.editor_words import EditorWords, editor_words
from bot.assistant.found import used
from bot.assistant.given import Given, Giver, Part, quoted
from bot.assistant.memory import tokens
from bot.assistant.protecting import protect, same_numbers
from bot.language import language
from bot.types import Answer, Delta, Done, Reply, Status, Turn

LIMIT = 40_000
"""Characters at most: a model writes about as much as it reads."""
PART = 300
"""Tokens of a part: short enough that a model keeps its lines apart."""
SHORTEST, LONGEST = 0.25, 4.0
"""The length of a translation against its source, both in rough tokens; with `SLACK` tokens more either way."""
SLACK = 12

_SIGN = re.compile(r"^\s*(?:[-*+•・>#]+|\(?\d{1,3}[.)）]|[①-⑳])?\s*")
_FENCED = re.compile(r"(```.*?(?:```|\Z))", re.S)
_BOTH = re.compile(r"\bbilingual\b|\bboth\b|併記|両方", re.I)
_SAY = re.compile(
    r"\b(?:say|write|translate|word for|words for|is|does|render)\s+(?P<phrase>(?!this\b|that\b|it\b|the\b|these\b|my\b|all\b"
    r"|an?\b)[^\n.?]{1,80}?)\s+(?:mean\s+|said\s+|called\s+|expressed\s+)?(?:in|into|to)\s+\w+\s*\??$"
    r"|^(?P<ja>(?!これ|この|それ|次|以下|上)[^\n、。]{1,40}?)(?:は|って)(?:\S{1,8}語)",
    re.I,
)
_OTHER_LETTERS = {
    "en": re.compile(r"[\u3040-\u30ff\u3400-\u9fffー][\u3040-\u30ff\u3400-\u9fffー ]*"),
    "ja": re.compile(r"[A-Za-z][A-Za-z' -]+[A-Za-z]"),
}

_ENGLISH = re.compile(r"\b(?:what|how|mean|is|in|for|say|the|into|of|this|a|to|please|translat\w+)\b", re.I)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of the source with its translation; None if none held."""

    source: str
    made: str | None


class Translator:
    """Translates with the model if it is `capable`. `model_name` signs translations; `clock` counts seconds."""

    def __init__(
        self,
        giver: Giver,
        model: BaseChatModel,
        capable: bool,
        *,
        model_name: str = "",
        clock: Callable[[], float] = time.perf_counter,
    ):
        self._giver = giver
        self._model = model
        self._capable = capable
        self._model_name = model_name
        self._clock = clock

    async def answer(self, turn: Turn, request: str) -> AsyncIterator[Reply]:
        """Progress, checked pieces, then Done."""
        started = self._clock()
        given = await self._given(turn, request)
        own = given.language(turn)
        if given.size > LIMIT:
            told = editor_words(own).too_long.format(size=f"{given.size:,}", limit=f"{LIMIT:,}")
            yield Done(_found_only(given, told))
            return
        await asyncio.to_thread(tongues.load)
        code, text = _target(given, turn), (given.found.whole if given.found else given.text).strip()
        problem = self._problem(given, code, text, turn)
        if code is None or problem:
            yield Done(_found_only(given, problem))
            return
        say = editor_words(own)
        yield Status(say.translating)
        pieces: list[_Piece] = []
        async with aclosing(self._pieces(text, code, say)) as made:
            async for one in made:
                if isinstance(one, Status):
                    yield one
                else:
                    pieces.append(one)
                    yield Delta(one.made or one.source, given.sources, given.documents)
        answer = self._put_together(pieces, given, code, turn)
        yield Done(replace(answer, ms={"answer": (self._clock() - started) * 1000}))

    async def translated(self, text: str, code: str) -> str | None:
        """A whole text in another language; None if the model is too small or any part did not hold."""
        if not self._capable:
            return None
        pieces = [one async for one in self._pieces(text, code, editor_words("en")) if isinstance(one, _Piece)]
        made = [one.made for one in pieces]
        return "".join(one for one in made if one is not None) if None not in made else None

    async def _given(self, turn: Turn, request: str) -> Given:
        """The material; a phrase inside the request counts: "How do you say boarding pass in Japanese?"."""
        given = await self._giver.given(turn, request, LIMIT)
        phrase = _phrase(given.request)
        if phrase and given.origin in ("nothing", "earlier"):
            return Given(given.request, (Part(phrase),), "pasted")
        return given

    def _problem(self, given: Given, code: str | None, text: str, turn: Turn) -> str:
        """Why there is no translation; empty if there can be one."""
        own = given.language(turn)
        say = editor_words(own)
        if not text:
            return say.thread_unread if given.in_thread else say.nothing_to_translate
        if code is None:
            named, known = tongues.unknown(given.request), ", ".join(tongues.called(one, own) for one in tongues.KNOWN)
            return say.unknown_language.format(language=named, known=known) if named else say.which_language
        called = tongues.called(code, own)
        if tongues.already(protect(text).plain, code):
            told = say.already_in.format(language=called)
            return told.replace(":", ".") if given.found else f"{told}\n\n{text}"
        return "" if self._capable else say.model_too_small.format(language=called)

    def _put_together(self, pieces: Sequence[_Piece], given: Given, code: str, turn: Turn) -> Answer:
        """The translation, with a word about the parts that did not hold; if none did, that word alone."""
        own = given.language(turn)
        say = editor_words(own)
        if all(one.made is None for one in pieces if one.source.strip()):
            return _found_only(given, say.translation_failed.format(language=tongues.called(code, own)))
        text = "".join(one.made if one.made is not None else one.source for one in pieces).strip()
        if any(one.made is None for one in pieces):
            text = f"{text}\n\n{say.left_as_it_was}"
        if _BOTH.search(given.request):
            text = f"{(given.found.whole if given.found else given.text).strip()}\n\n{text}"
        grounds, sources = given.documents, used(text, given.sources)
        return Answer(text, sources, model=self._model_name, rests_on=grounds, searched=given.searched)

    async def _pieces(self, text: str, code: str, say: EditorWords) -> AsyncGenerator[Status | _Piece, None]:
        """Every part of a text in order, code as it stands, the rest translated."""
        source = tongues.spoken(protect(text).plain)
        parts = [
            part for block in _FENCED.split(text) for part in ([block] if block.startswith("```") else _cut(block))
        ]
        for number, part in enumerate(parts, 1):
            if len(parts) > 1:
                yield Status(say.part.format(done=number, total=len(parts)))
            if part.startswith("```") or not any(char.isalpha() for char in protect(part).plain):
                yield _Piece(part, part)
            else:
                yield _Piece(part, await self._part(part, code, source))

    async def _part(self, part: str, code: str, source: str | None) -> str | None:
        """One part; if it does not hold as a whole, line by line."""
        made = await self._held(part, code, source)
        if made is not None or "\n" not in part.strip():
            return made
        lines: list[str] = []
        for line in part.splitlines(keepends=True):
            written = await self._held(line, code, source) if protect(line).plain else line
            if written is None:
                return None
            lines.append(written)
        return "".join(lines)

    async def _held(self, part: str, code: str, source: str | None) -> str | None:
        """What the model makes of a stretch, with everything back in its place; None if a check fails."""
        body = part.strip()
        start = part.index(body)
        before, after = part[:start], part[start + len(body) :]
        hidden = protect(body)
        written = await said_by(self._model, "translate", hidden.text, language=tongues.name_of(code))
        restored = hidden.restored(written)
        if restored is None or not _sound(hidden.text, written, code, source):
            return None
        return before + restored + after


def _found_only(given: Given, problem: str) -> Answer:
    """Why there is no translation, behind what an earlier step found: that is worth showing as it is."""
    shown = given.found.shown if given.found else ""
    text = "\n\n".join(filter(None, [shown, problem]))
    return Answer(text, used(text, given.sources), rests_on=given.documents, searched=given.searched)


def _sound(text: str, written: str, code: str, source: str | None) -> bool:
    """Whether a translation has the lines, the numbers, the language and about the length of its source."""
    plain = protect(written).plain
    before, after = tokens([text]), tokens([written])
    return (
        bool(written.strip())
        and _shape(text) == _shape(written)
        and same_numbers(text, written)
        and tongues.written_in(plain, code, source)
        and before * SHORTEST - SLACK <= after <= before * LONGEST + SLACK
    )


def _shape(text: str) -> list[tuple[str, bool]]:
    """The lines of a text by their list signs, and whether they hold cells."""
    return [((_SIGN.match(line) or [""])[0].strip(), " | " in line) for line in text.splitlines() if line.strip()]


def _cut(text: str) -> list[str]:
    """A text in parts of whole lines, losing nothing."""
    parts: list[str] = []
    for line in text.splitlines(keepends=True):
        if parts and tokens([parts[-1] + line]) <= PART:
            parts[-1] += line
        else:
            parts.append(line)
    return parts


def _target(given: Given, turn: Turn) -> str | None:
    """The language asked for; "what does this say" means the language it is asked in, if the material is in another."""
    wanted = tongues.wanted(given.request) or tongues.wanted(turn.message.text if not given.request else "")
    if wanted or not given.parts or tongues.unknown(given.request):
        return wanted
    own = language(given.request or turn.message.text)
    there = tongues.spoken(given.text) or language(given.text)
    named = [code for code in tongues.mentioned(given.request) if code != there]
    if named:
        return named[0]
    return own if given.request and language(given.text) != own else None


def _phrase(request: str) -> str:
    """A few words inside the request that are to be translated; empty if there are none."""
    if found := quoted(request):
        return found
    inside = _OTHER_LETTERS["en" if _ENGLISH.search(request) else "ja"].search(request)
    if inside and not tongues.mentioned(inside.group()):
        return inside.group().strip(" はをがのって")
    said = _SAY.search(request)
    return (said["phrase"] or said["ja"] or "").strip() if said else ""
