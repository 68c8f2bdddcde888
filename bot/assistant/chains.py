"""Requests of several parts: told apart by rule, and what one specialist found handed on to the next.

What is handed on is checked text from documents with its sources: material for the next specialist, never an instruction.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bot.assistant.given import parted
from bot.assistant.grounding import MARKER
from bot.types import Answer, Citation, Excerpt, Turn

STEPS = 4
"""Specialists that one request may go through."""
LONGEST = 400
"""Characters of a request that is looked through for parts: a longer one carries material."""

_FIND = r"(?:find|look up|search(?: for)?|look for|check|get|fetch|show me|tell me|what|which|who|when|where)\b"
_SECONDS = {
    "translate": r"(?:translate|put (?:it|this|that|them) (?:in|into)|render)\b|(?:say|give) (?:it|that|them)(?: to me)? in \w+$"
    r"|(?:answer|respond)(?: me)? in \w+(?:,? please)?[.!]?$",
    "summarize": r"(?:summari[sz]e|sum (?:it|them|that|this) up|sum up|condense|shorten|boil)\b"
    r"|give me (?:a |the )?(?:summary|key points|gist)",
    "draft": r"(?:draft|write|compose|prepare|rephrase|reword|rewrite|formulate"
    r"|make (?:a|an|it into an?))\b(?!-)|reply (?:to|in|that|with)\b",
}
_POLITE = r"(?:please |can you |could you |would you |i need you to )*"
_JOINED = re.compile(
    rf"^(?P<first>{_POLITE}{_FIND}.{{3,}}?)"
    r"(?:[?.!;]\s+(?:and |then |please |and then )*|,? (?:and|then|and then|and please),? (?:then )?)"
    rf"(?P<second>{_POLITE}(?:{'|'.join(f'(?P<{tool}>{verbs})' for tool, verbs in _SECONDS.items())}).*)$",
    re.I | re.S,
)
_JOINED_JA = re.compile(
    r"^(?P<first>.{2,}?(?:を|について)(?:調べ|探し|検索し|見つけ|確認し|捜し)(?:て|、|たうえで|た上で)(?:から|、)*)"
    r"(?P<second>(?:.{0,40}?)(?:(?P<translate>翻訳|英訳|和訳|訳し|語に(?:し|直))|(?P<summarize>要約|まとめ|短く|箇条書き)"
    r"|(?P<draft>下書き|文面|返信|返事|案内文|メール|草案|書いて|作成|作って)).*)$",
    re.S,
)
_DEED = re.compile(
    r"\b(?:find|look up|search|translate|summari[sz]e|draft|write|compose|reply|rephrase|classify|sort|group"
    r"|run|fix|debug|explain|compare)\b"
    r"|調べ|探し|検索|翻訳|英訳|和訳|訳し|要約|下書き|書いて|作成|返信|分類|分けて|直して",
    re.I,
)
_AND = re.compile(r"\b(?:and|then)\b|[,;]|て、|てから|たうえで|た上で|そして", re.I)


@dataclass(frozen=True, slots=True)
class Part:
    """One step of a request: the tool it is for, and the person's own words for it."""

    tool: str
    text: str


def parts(text: str) -> tuple[Part, ...]:
    """The two steps of a request to find something and then do something with it; empty if it is not one.

    Only the request is looked at: material that was pasted beside it asks for nothing.
    """
    said = unicodedata.normalize("NFKC", parted(text)[0]).strip()
    if len(said) > LONGEST or "\n" in said:
        return ()
    found = _JOINED.match(said) or _JOINED_JA.match(said)
    if not found:
        return ()
    tool = next(name for name in _SECONDS if found[name])
    return Part("search_documents", found["first"].strip(" 、,")), Part(tool, found["second"].strip())


def several(text: str) -> bool:
    """Whether a request seems to have several parts, so that a capable model may go on after the first."""
    said = unicodedata.normalize("NFKC", parted(text)[0]).strip()
    return len(said) <= LONGEST and len(set(map(str.casefold, _DEED.findall(said)))) > 1 and bool(_AND.search(said))


def handed_on(turn: Turn, given: Sequence[Answer], text: str) -> Turn:
    """The turn for the next specialist: the same person, place and authority, with what was found.

    Whoever knows nothing of sources finds the bare text among the excerpts.
    """
    excerpts = tuple(Excerpt("", bare(one.text)) for one in given)
    return replace(turn, message=replace(turn.message, text=text, excerpts=excerpts, tool=""), found=tuple(given))


def latest(steps: Iterable[tuple[str, Answer]]) -> list[Answer]:
    """What the next specialist works on: a text that was made of what was found takes the place of that."""
    kept: list[Answer] = []
    for tool, answer in steps:
        kept = [answer] if tool in _SECONDS else [*kept, answer]
    return kept


def bare(text: str) -> str:
    """Text without the markers of its sources."""
    return MARKER.sub("", text).strip()


def is_empty(answer: Answer) -> bool:
    """Whether there is nothing to hand on: a refusal, or a search that found nothing."""
    return bool(answer.refused) or not answer.text.strip() or (answer.searched and not answer.sources)


def joined(last: Answer, given: Sequence[Answer]) -> Answer:
    """The last specialist's answer, with the grounds and the files of those before it; their sources if it names none."""
    sources = list(last.sources)
    for citation in (source for one in given for source in one.sources if not last.sources):
        if not any((known.document, known.page) == (citation.document, citation.page) for known in sources):
            sources.append(_numbered(citation, sources))
    files = tuple(dict.fromkeys([*(file for one in given for file in one.files), *last.files]))
    grounds = last.rests_on.union(*(one.documents for one in given))
    ms = {name: sum(one.ms.get(name, 0.0) for one in given) for one in given for name in one.ms}
    return replace(
        last, sources=tuple(sources), rests_on=grounds, files=files, ms=ms, searched=any(one.searched for one in given)
    )


def _numbered(citation: Citation, known: Sequence[Citation]) -> Citation:
    return replace(citation, number=max((one.number for one in known), default=0) + 1)
