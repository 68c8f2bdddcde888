"""The specialist that drafts and rephrases in the tone, length and language that somebody wants.

A capable model composes: the numbers, names and dates of the request stay, and no new number or link comes in. A model
that is too small is not asked; the person's own points are set into a letter's frame, and the answer says so.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from typing import get_args

from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel

from bot.assistant import tongues
from bot.assistant.asking import said_by
from bot.assistant.editor_words import EditorWords, editor_words
from bot.assistant.extracting import extract, sentences_of
from bot.assistant.found import marked, used
from bot.assistant.given import Given, Giver, Part
from bot.assistant.grounding import MARKER
from bot.assistant.letters import BLANKS, Written, is_reply, kept_names, letter, read, rephrased, says, tightened
from bot.assistant.page import Page
from bot.assistant.protecting import Protected, new_numbers, numbers, protect, same_numbers
from bot.assistant.quoting import LIST_SIGN
from bot.assistant.wishes import Wish, wish
from bot.language import Language, language
from bot.types import Answer, Delta, Done, Reply, Status, Turn

LIMIT = 20_000
"""Characters of material at most."""
QUOTED = 200
"""Characters of a request that a note quotes at most."""
TRIES = 2
"""How often the model may write before its text is given up."""

_REPHRASES = re.compile(
    r"\b(?:rephrase|reword|rewrite|paraphrase|proofread|polish|improve|correct|simplify|reformulate|edit|shorten"
    r"|make (?:it|this|that|my|the)|(?:say|put) (?:this|it|that)|more (?:polite|formal|friendly|diplomatic)\w*|shorter|tone down"
    r"|less (?:harsh|technical)|fix the (?:spelling|grammar)|sound)\b"
    r"|言い換え|書き直|書き換え|直して|直し|校正|添削|もっと|もう少し|短くして|やわらかく|柔らか|(?:この|その|次の)文",
    re.I,
)
_POINTS_BACK = re.compile(r"\b(?:it|this|that|these|above)\b|これ|それ|この|その|上の", re.I)
_LENGTHS = re.compile(
    r"\b\d+ (?:words?|sentences?|lines?|bullets?|points?|characters|paragraphs?)\b|(?<!\d)\d+\s?(?:文字|字|文|行|点|つ|項目)"
)
_DATES = re.compile(
    r"\b(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|January|February|March|April|June|July|August|September|October"
    r"|November|December)\b|[月火水木金土日]曜日?"
)
_TONES = {
    "plain": "natural and clear",
    "formal": "polite and formal",
    "friendly": "warm and friendly",
    "firm": "polite but firm",
    "apologetic": "apologetic and sincere",
}


class Drafter:
    """Drafts with the model if it is `capable`, else in a frame. `model_name` signs what the model wrote."""

    def __init__(
        self,
        giver: Giver,
        model: BaseChatModel,
        embeddings: Embeddings,
        capable: bool,
        *,
        model_name: str = "",
        clock: Callable[[], float] = time.perf_counter,
    ):
        self._giver = giver
        self._model = model
        self._embeddings = embeddings
        self._capable = capable
        self._model_name = model_name
        self._clock = clock

    async def answer(self, turn: Turn, request: str) -> AsyncIterator[Reply]:
        """Status, the text, then Done."""
        started = self._clock()
        given = await self._giver.given(turn, request, LIMIT)
        own = given.language(turn)
        say = editor_words(own)
        rephrases = bool(_REPHRASES.search(given.request)) and not is_reply(given.request)
        if problem := _problem(given, rephrases, say):
            yield Done(Answer(problem, searched=given.searched))
            return
        yield Status(say.drafting)
        await asyncio.to_thread(tongues.load)
        text, model = await (self._rephrased(given, own, say) if rephrases else self._drafted(given, own, say))
        sources = used(text, given.sources)
        yield Delta(text, sources, given.documents)
        ms = {"answer": (self._clock() - started) * 1000}
        yield Done(Answer(text, sources, model=model, ms=ms, rests_on=given.documents, searched=given.searched))

    async def _drafted(self, given: Given, own: Language, say: EditorWords) -> tuple[str, str]:
        """A new text, and who wrote it."""
        code = tongues.wanted(given.request) or (tongues.spoken(given.text) if is_reply(given.request) else None) or own
        asked = wish(given.request)
        if self._capable:
            written, missing = await self._written(given, code, asked)
            if written and given.found:
                spoken = language(given.text)
                written = await asyncio.to_thread(
                    marked, written, given.passages, given.sources, self._embeddings, spoken
                )
            if written:
                note = f"\n\n{say.draft_missing.format(missing=', '.join(missing))}" if missing else ""
                return written + note, self._model_name
        if asked.bullets and given.parts and not is_reply(given.request):
            return _listed(given), ""
        return _framed(given, code, own, asked, say), ""

    async def _written(self, given: Given, code: str, asked: Wish) -> tuple[str, list[str]]:
        """What the model wrote, and what of the request it left out; empty if it put in what nobody said."""
        material = MARKER.sub("", given.text)
        hidden = protect(f"Request: {given.request}" + (f"\n\nMaterial:\n\n{material}" if material else ""))
        best, missing = "", list[str]()
        for _ in range(TRIES):
            again = f"\n\nKeep in the text: {', '.join(missing)}" if missing else ""
            said = await self._said(hidden.text + again, code, asked)
            written = hidden.filled(said)
            if written and not new_numbers(hidden.text, said) and tongues.written_in(protect(written).plain, code):
                best, missing = written, _missing(given.request, written, code)
                if not missing:
                    break
        return best, missing

    async def _rephrased(self, given: Given, own: Language, say: EditorWords) -> tuple[str, str]:
        """The given text in other words, and who wrote it: the model, or rules that change little."""
        asked, source = wish(given.request), _source(given)
        code = tongues.wanted(given.request) or tongues.spoken(source) or language(source)
        hidden = protect(source)
        if self._capable and (written := await self._reworded(given.request, hidden, code, asked)):
            return written, self._model_name
        before = read(source) if given.origin == "earlier" and not given.found else None
        if asked.shorter:
            return await self._shortened(given, before, code, say), ""
        if before and asked.tone != "plain":
            return _framed(given, code, own, asked, say), ""
        by_rules = rephrased(hidden.text, asked.tone) if language(source) == code == "en" else hidden.text
        if by_rules != hidden.text and (changed := hidden.restored(by_rules)):
            return changed, ""
        failed = say.rephrase_failed if self._capable else say.rephrase_too_small
        return f"{source}\n\n{failed}" if given.found else failed, ""

    async def _shortened(self, given: Given, before: Written | None, code: str, say: EditorWords) -> str:
        """Half of the sentences, of a letter those between its greeting and its end; a word about it if nothing changed."""
        parts = (Part(before.points),) if before else given.parts
        most, page = max(1, len(sentences_of(parts)) // 2), Page()
        for one in await asyncio.to_thread(extract, parts, most, self._embeddings):
            page.add(one.shown, one.part.passage, alone=False)
        text = tightened(page.text) if code == "en" and not given.found else page.text
        source = before.points if before else _source(given)
        note = f"\n\n{say.unchanged}" if text.split() == source.split() else ""
        return text + note

    async def _reworded(self, request: str, hidden: Protected, code: str, asked: Wish) -> str | None:
        """What the model makes of a text; None if numbers, links or the language did not come through."""
        for _ in range(TRIES):
            said = await self._said(f"Request: {request}\n\nText to rephrase:\n\n{hidden.text}", code, asked)
            written = hidden.filled(said) if asked.shorter else hidden.restored(said)
            sound = not new_numbers(hidden.text, said) if asked.shorter else same_numbers(hidden.text, said)
            if written and sound and tongues.written_in(protect(written).plain, code):
                return written
        return None

    async def _said(self, material: str, code: str, asked: Wish) -> str:
        return await said_by(
            self._model,
            "draft",
            material,
            language=tongues.name_of(code),
            tone=_TONES[asked.tone],
            length=_length(asked),
        )


def _listed(given: Given) -> str:
    """The sentences of the material, a line each."""
    page = Page()
    for one in sentences_of(given.parts):
        page.add(f"- {LIST_SIGN.sub('', one.shown)}", one.part.passage, alone=True)
    return page.text


def _source(given: Given) -> str:
    """The text to rephrase: what was found keeps its markers, others lose them."""
    return given.found.shown if given.found else MARKER.sub("", given.text).strip()


def _problem(given: Given, rephrases: bool, say: EditorWords) -> str:
    """Why there is no text; empty if there can be one."""
    if given.size > LIMIT:
        return say.too_long.format(size=f"{given.size:,}", limit=f"{LIMIT:,}")
    if rephrases and not given.parts:
        return say.thread_unread if given.in_thread else say.nothing_to_draft
    return "" if given.request.strip() or given.parts else say.nothing_to_draft


def _framed(given: Given, code: str, own: Language, asked: Wish, say: EditorWords) -> str:
    """The person's own points in a letter's frame, and a word about how it was made."""
    written: Language = next((one for one in get_args(Language) if one == code), own)
    notes, name = _notes(given)
    text = letter(given.request, notes, asked.tone, written, name)
    missing = _missing(given.request, text, code)
    told = [text, say.draft_missing.format(missing=", ".join(missing)) if missing else ""]
    if any(blank in text for blank in BLANKS):
        return "\n\n".join(filter(None, [*told, say.draft_open.format(request=_clipped(given.request))]))
    own_words = language(notes or given.request) == written == code
    framed, foreign = (
        (say.draft_of_found, say.draft_found_untranslated)
        if given.found and notes
        else (say.draft_in_frame, say.draft_untranslated)
    )
    unknown = tongues.unknown(given.request)
    untranslated = "" if own_words and not unknown else foreign.format(language=unknown or tongues.called(code, own))
    return "\n\n".join(filter(None, [*told, framed, untranslated]))


def _notes(given: Given) -> tuple[str, str]:
    """The points beside a request and the name that they were addressed to, empty if what is beside it is to be answered.

    Behind the colon of "draft a reply:" are points; "draft a reply to this:" is followed by what is to be answered.
    """
    source = _source(given)
    points_back = bool(_POINTS_BACK.search(given.request))
    if given.origin == "given":
        return source, ""
    if given.origin == "earlier" and not says(given.request):
        before = read(source)
        return (before.points, before.name) if before else (source, "")
    if is_reply(given.request):
        return (source if given.inline and not points_back else ""), ""
    return (source if given.origin in ("pasted", "files") or points_back else ""), ""


def _clipped(request: str) -> str:
    """A request as it can be quoted in a note."""
    plain = " ".join(request.split())
    return plain if len(plain) <= QUOTED else f"{plain[:QUOTED]}…"


def _missing(request: str, written: str, code: str) -> list[str]:
    """What of a request's numbers, names and dates a text does not have; names only where the letters are the same."""
    plain = _LENGTHS.sub(" ", request)
    absent = sorted(numbers(plain) - numbers(written))
    if language(request) != ("ja" if code == "ja" else "en"):
        return absent
    dates = _DATES.findall(plain) if code in ("en", "ja") else []
    return [*absent, *(one for one in dict.fromkeys([*kept_names(plain), *dates]) if one not in written)]


def _length(asked: Wish) -> str:
    """The length that was asked for, as the prompt says it."""
    if asked.words:
        return f" At most {asked.words} words."
    if asked.characters:
        return f" At most {asked.characters} characters."
    if asked.points:
        return f" At most {asked.points} sentences."
    return " Keep it short." if asked.shorter else ""
