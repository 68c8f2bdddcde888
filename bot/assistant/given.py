"""What a request for the editor is about: pasted text, files, a shortcut's excerpts, the thread, an earlier answer, a document.

The request and its material are told apart here, so that nothing inside the material is ever read as a request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bot.assistant import abroad, tongues
from bot.assistant.bare import bare
from bot.assistant.editor_words import without_notes
from bot.assistant.followups import follows
from bot.assistant.found import Found
from bot.assistant.grounding import MARKER
from bot.assistant.letters import read
from bot.assistant.material import context
from bot.assistant.sizes import beside, of_files
from bot.assistant.terms import coverage, terms
from bot.assistant.wishes import without_form
from bot.language import Language, language
from bot.ports import Index, Threads
from bot.types import Answer, Citation, Excerpt, Exchange, Passage, Turn

Origin = Literal["given", "pasted", "files", "excerpts", "thread", "earlier", "documents", "nothing"]
SEARCH = "search_documents"

ABOUT = 0.58
"""The share of a topic that a document's name and best passage must mention, as for a question (quoting.COVERED)."""
FOUND = 60
"""Passages asked of the index; those of the best one's document are the material."""
LONGEST = 400_000
"""Characters of files and quoted messages that are read where nobody says fewer."""
LINES = 0.7
"""The share of lines that must begin with a name or a time for a text to be a chat or a log."""
ASKING = 240
"""Characters of a line that may be the request: a longer one is material."""

_ASKS = re.compile(
    r"\b(?:summar\w+|tl;?dr|recap|key points?|gist|minutes of|condense|shorten|shorter|boil\w* down|abstract of|digest|overview"
    r"|takeaways?|bullets?|sum up|bring me up|catch me up|in a nutshell|bottom line|short version|compress|outline"
    r"|what (?:was|is|were|did|does|do|are) (?:agreed|decided|happen\w*|this|it|they|he|she|the following)|action items"
    r"|translat\w+|how (?:do|would) (?:you|i|we) (?:say|write)|(?:in|into|to) (?:\w+ )?(?:english|japanese|german|french|spanish"
    r"|italian|portuguese|dutch|korean|chinese|russian)|(?:english|japanese|german|french|spanish)(?: version)?,? please"
    r"|draft|rephrase|reword|rewrite|paraphrase|proofread|polish|write (?:a|an|me|us|to|back)|reply|answer to|compose"
    r"|make (?:it|this|that) (?:more|less|sound|polite|shorter)|more (?:polite|formal|friendly)(?:ly)?"
    r"|say (?:this|it) (?:more|in))\b"
    r"|要約|まとめて|要点|概要|かいつまんで|ポイント|短くして|短縮|一言で|訳して|訳を|和訳|英訳|翻訳|[語訳文](?:で|に)(?:お願い|して|直し)"
    r"|言い換え|書き直|書き換え|文面|返信を|下書き|メールを(?:書|作)|を書いて|を作って|丁寧に|どういう意味|添削"
    r"|what is written|the minutes|improve|correct my|zusammenfassung|übersetz|résumé|resumen|riassunto",
    re.I,
)
_ABROAD = re.compile(rf"\b{abroad.TRANSLATES}", re.I)
_MIGHT_ASK = re.compile(r"(?:[?？:：]|お願いします。?|ください。?)$")
_COLON = re.compile(r"^(?P<head>[^\n]{1,240}?)(?:[:：](?=\s|[^\x00-\x7f]|[\"'“「>])|：)\s*(?P<body>.+)$", re.S)
_HEAD = re.compile(
    r"^(?:in|into|to) \w+$|^[^\s]{1,8}語(?:で|に|へ)$|^(?:the )?(?:following|text|message|this)\b|^(?:次|以下)の"
    r"|^(?:please )?(?:run|execute)\b|^(?:これを)?実行して(?:ください)?$",
    re.I,
)
_QUOTED = re.compile(r"“(?P<curly>[^“”]+)”|\"(?P<straight>[^\"]+)\"|「(?P<corner>[^「」]+)」|『(?P<double>[^『』]+)』")
_THREAD = re.compile(
    r"\b(?:this|the|our) (?:\w+ )?(?:thread|conversation|discussion|channel|chat)\b|\b(?:conversation|discussion|story) so far\b"
    r"|\bup to speed\b|\bcatch me up\b|\bdid i miss\b|\b(?:discussion|messages?|conversation) above\b|\blast (?:\d+ )?messages?\b"
    r"|スレッド|会話|やり取り|やりとり|このチャンネル|ここまで|これまでの(?:話|議論)|上の議論|最後のメッセージ",
    re.I,
)
_FRAME = re.compile(
    r"\b(?:please|pls|can|could|would|you|give|me|us|a|an|the|of|for|in|into|to|as|short|quick|brief|long|write|make|tell|what|are"
    r"|is|does|do|say|says|and|hi|hello|this|that|it|these|my|our|your|list|all|with|about|by|on|from"
    r"|summar\w*|sum|up|recap|whole|entire|key|main|points?|gist|overview|digest|abstract|outline|condense|shorten|shorter|takeaways?|tl;?dr"
    r"|bullets?|sentences?|words?|characters|lines?|paragraphs?|most|important|facts|executive|version|longer|detail\w*"
    r"|one|two|three|four|five|six|seven|eight|nine|ten|single|few|document|report|file|text|english|japanese|german|french)\b"
    r"|\d+|を|の|で|に|は|が|と|要約|まとめ|概要|要点|ポイント|して|てください|ください|下さい|教えて|お願いします|欲しい|ほしい|[一二三四五六七八九十]?[文つ行字]"
    r"|箇条書き|簡単|短く|もっと|結論|大事な?|全部|だけ|内容|文書|資料|[\s,.:;!?。、？！：「」“”\"'()（）]+",
    re.I,
)

_NAMING = re.compile(r"[A-Za-z]{2}|[\u30a0-\u30ff\u3400-\u4dbf\u4e00-\u9fff]|[^\x00-\u30ff]{2}")
_SAID = re.compile(r"^\s*(?P<author>[^\W\d][^\s:：]{0,19}(?: [^\s:：]{1,15})?)\s?[:：]\s*(?P<text>\S.*)$")
_LOGGED = re.compile(r"^\s*\W?\d[\d/.-]*[T ]?\d*:?\d*.*\S")
_LAST = re.compile(r"\blast (?:(?P<count>\d+) )?messages?\b|最後のメッセージ", re.I)


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of material. `author` said it, if somebody did; `passage` is where it stands, if that is to be cited."""

    text: str
    author: str = ""
    passage: Passage | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """A request without its material, and the material with its provenance.

    `rests_on` names documents that the text may carry something of; `searched` says that documents were looked for;
    `found` is what earlier steps of the same request found, with its sources; `inline` says that the material goes on
    behind the colon of the request, in the same line. `unread` counts the characters of material that is too long to be read.
    """

    request: str
    parts: tuple[Part, ...] = ()
    origin: Origin = "nothing"
    rests_on: frozenset[str] = frozenset()
    searched: bool = False
    found: Found | None = None
    inline: bool = False
    unread: int = 0

    @classmethod
    def of(cls, answers: Sequence[Answer], request: str, brought: Sequence[Part] = ()) -> Given:
        """What other specialists answered, beside what the person brought, as material for the next step of a chain."""
        found = Found.of(answers)
        parts = (*brought, *(Part(text, passage=passage) for text, passage in found.pieces))
        documents = frozenset().union(*(answer.documents for answer in answers))
        searched = any(answer.searched for answer in answers)
        return cls(request, parts, "given", documents, searched, found)

    @property
    def sources(self) -> tuple[Citation, ...]:
        """What markers in the found text point to."""
        return self.found.sources if self.found else ()

    @property
    def passages(self) -> tuple[Passage, ...]:
        """The passages of its parts, each once."""
        return tuple({part.passage.id: part.passage for part in self.parts if part.passage}.values())

    @property
    def text(self) -> str:
        """The whole material, each part under who said it."""
        return "\n\n".join(f"{part.author}: {part.text}" if part.author else part.text for part in self.parts)

    @property
    def size(self) -> int:
        """Characters of the material, read or not."""
        return self.unread + sum(len(part.text) for part in self.parts)

    def language(self, turn: Turn) -> Language:
        """The language that the request is in, whatever its material is in."""
        return language(self.request or turn.message.text)

    @property
    def in_thread(self) -> bool:
        """Whether the request is about the place where it was asked."""
        return bool(_THREAD.search(self.request))

    @property
    def documents(self) -> frozenset[str]:
        """Every document that whoever reads something of this must be allowed to see."""
        return self.rests_on.union(passage.document for passage in self.passages)


class Giver:
    """Finds what a request is about. `threads` reads the place it was asked in, `index` the documents, if there are any."""

    def __init__(self, index: Index | None = None, threads: Threads | None = None):
        self._index = index
        self._threads = threads

    async def given(self, turn: Turn, request: str, most: int = LONGEST, documents: bool = False) -> Given:
        """The material that came with a request; `documents`: search for it if nothing else is meant.

        Only messages of the very place are read, and only documents that every reader of the turn may see. Of files and
        quoted messages with more than `most` characters nothing is read.
        """
        if (size := of_files(turn.uploads) if turn.found else beside(turn)) > most:
            return replace(Given.of(turn.found, ""), unread=size) if turn.found else Given("", unread=size)
        asked, pasted = parted(request)
        if not pasted and request != turn.message.text:
            _, pasted = parted(turn.message.text)
        brought = [*_parts([pasted]), *_files(turn)]
        if turn.found:
            return Given.of(turn.found, asked, brought)
        brought += [_part(one) for one in turn.message.excerpts]
        if brought:
            origin: Origin = "pasted" if pasted else "files" if _files(turn) else "excerpts"
            inline = any(_goes_on(asked, text) for text in (request, turn.message.text))
            return Given(asked, tuple(brought), origin, inline=inline)
        alone = bool(turn.message.thread) and not turn.history and bare(asked) is not None
        if alone or _THREAD.search(asked):
            return await self._thread(turn, asked)
        if turn.history and (not topic(asked) or follows(asked)):
            return earlier(turn, asked)
        if documents and topic(asked) and self._index and turn.access.can_read and SEARCH in turn.access.tools:
            return await _document(self._index, turn, asked)
        return Given(asked)

    async def _thread(self, turn: Turn, asked: str) -> Given:
        """The messages of the place, with the answers that were given in it; without them, what is remembered of it."""
        said: Sequence[Excerpt] = ()
        if self._threads is not None:
            said = await self._threads.excerpts(turn.message.room, turn.message.thread) or ()
        if said and said[-1].text.strip() == turn.message.text.strip():
            said = said[:-1]
        parts = _latest(asked, _woven(said, turn.history))
        rests_on = frozenset().union(*(exchange.documents for exchange in turn.history))
        return Given(asked, tuple(parts), "thread" if parts else "nothing", rests_on=rests_on)


def parted(text: str) -> tuple[str, str]:
    """A message as the request and the material pasted beside it; the material is empty if there is none.

    The request is the first line that asks, or the last one; in a single line it ends at the colon.
    """
    lines = text.strip().splitlines()
    if len(lines) > 1:
        first, last = lines[0].strip(), lines[-1].strip()
        if _is_request(first):
            head, body = _at_colon(first)
            return head, "\n".join([*filter(None, [body]), *lines[1:]]).strip("\n")
        if _is_request(last):
            return last, "\n".join(lines[:-1]).strip("\n")
        if len(first) <= ASKING and _MIGHT_ASK.search(first):
            return first.strip(":： "), "\n".join(lines[1:]).strip("\n")
        return "", text.strip()
    return _at_colon(text.strip())


def topic(request: str) -> str:
    """What a request names beside what is to be done: "Summarize the travel policy" names the travel policy."""
    return " ".join(word for word in _FRAME.sub(" ", without_form(request)).split() if _NAMING.search(word))


def quoted(request: str) -> str:
    """What stands in quotation marks in a request; empty if nothing does."""
    found = _QUOTED.search(request)
    return next((text for text in found.groups() if text), "").strip() if found else ""


def earlier(turn: Turn, asked: str) -> Given:
    """The latest answer that says more than a note of our own, with its sources and the documents it rested on.

    There is nothing if none does: that something was not found is no material.
    """
    told = [one for one in turn.history if without_notes(one.answer)]
    if not told:
        return Given(asked)
    last, text = told[-1], without_notes(told[-1].answer)
    if last.sources:
        return replace(Given.of([Answer(text, last.sources, rests_on=last.documents)], asked), origin="earlier")
    return Given(asked, _parts([MARKER.sub("", text)]), "earlier", rests_on=last.documents)


def _is_request(line: str) -> bool:
    """Whether a line asks for something: in the part before its colon, if it has one."""
    head, body = _at_colon(line)
    return len(head) <= ASKING and (_sets_to_work(head) or bool(body and _HEAD.search(head)))


def _sets_to_work(head: str) -> bool:
    """Whether words ask for something that the editor does, in whatever language."""
    return bool(_ASKS.search(head) or _ABROAD.search(head)) or tongues.only(head)


def _at_colon(line: str) -> tuple[str, str]:
    found = _COLON.match(line)
    if found and (_sets_to_work(found["head"]) or _HEAD.search(found["head"].strip())):
        body = found["body"].strip()
        whole = _QUOTED.fullmatch(body)
        return found["head"].strip(), next(text for text in whole.groups() if text) if whole else body
    return line.strip(" :：") if line.endswith((":", "：")) else line, ""


def _goes_on(asked: str, text: str) -> bool:
    """Whether a text says something behind the colon of its request, in the same line."""
    return bool(asked and re.search(rf"{re.escape(asked)}\s*[:：][^\S\n]*\S", text))


def _parts(texts: Iterable[str]) -> tuple[Part, ...]:
    return tuple(part for text in texts if text.strip() for part in _lines(text))


def _lines(text: str) -> list[Part]:
    """A chat or a log line by line, what somebody said under their name; any other text whole."""
    lines = [line for line in text.splitlines() if line.strip()]
    said = [_SAID.match(line) for line in lines]
    single = sum(bool(found) or bool(_LOGGED.match(line)) for line, found in zip(lines, said, strict=True))
    if len(lines) < 2 or single < LINES * len(lines):
        return [Part(text)]
    return [
        Part(found["text"], found["author"]) if found else Part(line) for line, found in zip(lines, said, strict=True)
    ]


def _part(excerpt: Excerpt) -> Part:
    return Part(excerpt.text, excerpt.author)


def _files(turn: Turn) -> list[Part]:
    return [Part(section.text) for upload in turn.uploads for section in upload.sections if section.text.strip()]


def _woven(said: Sequence[Excerpt], history: Sequence[Exchange]) -> list[Part]:
    """What people said, each question to us followed by our answer; what has no place among them comes at the end.

    What they asked of the editor is left out: it says nothing that the answer does not say.
    """
    open_exchanges = list(history)
    parts: list[Part] = []
    for excerpt in said:
        answered = [one for one in open_exchanges if one.question.strip() and one.question in excerpt.text]
        parts += [] if any(map(_is_order, answered)) else [_part(excerpt)]
        for exchange in answered:
            parts += _parts([_told(exchange)])
            open_exchanges.remove(exchange)
    for exchange in open_exchanges:
        parts += _parts([*(() if said or _is_order(exchange) else (exchange.question,)), _told(exchange)])
    return parts


def _is_order(exchange: Exchange) -> bool:
    """Whether a message only set the editor to work: what came of it stands in the answer."""
    return bool(_ASKS.search(parted(exchange.question)[0]))


def _told(exchange: Exchange) -> str:
    """An answer without markers and our notes on it, and of a letter only what it says."""
    text = MARKER.sub("", without_notes(exchange.answer))
    letter = read(text)
    return letter.points if letter else text


def _latest(asked: str, parts: list[Part]) -> list[Part]:
    """All parts, or the last ones if only so many are asked for."""
    found = _LAST.search(asked)
    return parts[-int(found["count"] or 1) :] if found else parts


async def _document(index: Index, turn: Turn, asked: str) -> Given:
    """The passages of the document whose title a topic holds, or that it is most likely about; none if none is enough."""
    wanted = topic(asked)
    found = await index.search(wanted, turn.access, FOUND)
    meant = next((one for one in found if _is_titled(one, wanted)), next(iter(found), None))
    if meant is None or not (_is_titled(meant, wanted) or coverage(wanted, f"{context(meant)} {meant.text}") >= ABOUT):
        return Given(asked, searched=True)
    chosen = [one for one in found if one.document == meant.document]
    best = sorted(chosen, key=lambda one: one.page or 0)
    parts = tuple(Part(one.text, passage=one) for one in best)
    return Given(asked, parts, "documents", searched=True)


def _is_titled(passage: Passage, wanted: str) -> bool:
    """Whether a topic says the whole title of a document, of two terms at least."""
    title = terms(passage.title)
    return len(title) >= 2 and title <= terms(wanted)
