"""Measures summaries on a set: ROUGE-L against people's own, unsupported sentences, and how much shorter they are.

Beside it stand the first three sentences of each text ("lead-3"), and as much of its beginning as the summary is long,
so that a long summary gains nothing by its length. Unsupported is counted by the check of answers.py, on the whole text.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.assistant.extracting import Sentence, sentences_of
from bot.assistant.given import Given, Part
from bot.assistant.summarizing import Summarizer
from bot.errors import ConfigError
from bot.evaluation.answers import supported
from bot.evaluation.jsonl import objects
from bot.evaluation.rouge import rouge_l
from bot.knowledge.chunking import size
from bot.knowledge.sentences import sentences
from bot.types import Access, Answer, Done, Message, Principal, Room, Turn

LEAD = 3
FORMS = '{"text", "summary"}, or a meeting of QMSum'


@dataclass(frozen=True, slots=True)
class Item:
    """A text in parts, what is asked of it, and the summary that somebody wrote."""

    request: str
    parts: tuple[Part, ...]
    reference: str


Summarize = Callable[[Item], Awaitable[Answer]]


def read_items(path: Path) -> list[Item]:
    """A JSONL file of ``{"text", "summary"}`` and, if wanted, ``"request"``; or of meetings as QMSum has them.

    Of a QMSum meeting, the first general query is asked: it is the one about the whole of it. Raises ConfigError.
    """
    items = [_item(where, given) for where, given in objects(path, FORMS)]
    if not items:
        raise ConfigError(f"{path}: is empty; each line is {FORMS}")
    return items


def _item(where: str, given: Mapping[str, Any]) -> Item:
    try:
        return _meeting(given) if "meeting_transcripts" in given else _text(given)
    except (KeyError, TypeError, IndexError) as error:
        raise ConfigError(f"{where}: needs an object with {FORMS}; missing or of another kind: {error}") from error


def _text(given: Mapping[str, Any]) -> Item:
    return Item(
        str(given.get("request") or "Summarize this."), (Part(_string(given, "text")),), _string(given, "summary")
    )


def _meeting(given: Mapping[str, Any]) -> Item:
    query = given["general_query_list"][0]
    parts = tuple(Part(_string(one, "content"), _string(one, "speaker")) for one in given["meeting_transcripts"])
    return Item(_string(query, "query"), parts, _string(query, "answer"))


def _string(given: Mapping[str, Any], key: str) -> str:
    value = given[key]
    if not isinstance(value, str):
        raise TypeError(key)
    return value


def asker(summarizer: Summarizer) -> Summarize:
    """Ask a summarizer for a text that it is handed, as nobody in particular: it needs no document."""
    room = Room("terminal", "evaluation", "direct", "direct")

    async def summarize(item: Item) -> Answer:
        message = Message("evaluation", Principal("terminal", "evaluation", "reader"), room, item.request)
        answer = Answer("")
        given = Given(item.request, item.parts, "given")
        async for reply in summarizer.answer(Turn("evaluation", message, Access()), item.request, given):
            if isinstance(reply, Done):
                answer = reply.answer
        return answer

    return summarize


async def evaluate(
    items: Sequence[Item], summarize: Summarize, progress: Callable[[int, int], None] = lambda done, total: None
) -> dict[str, dict[str, float]]:
    """Return `{way: {"rouge_l", "unsupported_sentences", "compression", "words"}}`, each the mean over the items.

    `compression` is the share of the text's words that the summary has.
    """
    rows: dict[str, list[dict[str, float]]] = {}
    for done, item in enumerate(items, 1):
        made = (await summarize(item)).text
        said = sentences_of(item.parts)
        for way, text in {"rolecall": made, "lead-3": _lead(said), "lead, as long": _lead_as_long(said, made)}.items():
            rows.setdefault(way, []).append(_figures(text, item))
        progress(done, len(items))
    return {
        way: {name: sum(row[name] for row in found) / len(found) for name in found[0]} for way, found in rows.items()
    }


def _figures(text: str, item: Item) -> dict[str, float]:
    whole = "\n".join(f"{part.author}: {part.text}" for part in item.parts)
    said = [one.strip(" -\n") for one in sentences(text) if one.strip(" -\n")]
    return {
        "rouge_l": rouge_l(text, item.reference),
        "unsupported_sentences": sum(not supported(one, whole) for one in said) / len(said) if said else 0.0,
        "compression": size(text) / (size(whole) or 1.0),
        "words": size(text),
    }


def _lead(said: Sequence[Sentence]) -> str:
    return "\n".join(one.shown for one in said[:LEAD])


def _lead_as_long(said: Sequence[Sentence], made: str) -> str:
    """Sentences from the beginning, until there are as many words as in the summary."""
    lead: list[str] = []
    for one in said:
        if size("\n".join(lead)) >= size(made):
            break
        lead.append(one.shown)
    return "\n".join(lead)
