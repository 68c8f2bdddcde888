"""Measures answers on a question set: is a known answer in the reply, is each sentence supported, is "not found" said rightly.

The check of sentences is stricter than the one that answers pass, and shares no code with it: nine tenths of a
sentence's words (pairs of characters in Japanese) and each of its numbers must stand in the cited document.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bot.assistant.librarian import Librarian
from bot.assistant.words import ENGLISH, JAPANESE
from bot.errors import ConfigError
from bot.evaluation.jsonl import objects
from bot.evaluation.retrieval import LABEL
from bot.types import Answer, Done, Message, Principal, Room, Turn, for_everyone

KEYS = ("question", "answers", "label", "as")
LABELS = ("answerable", "unanswerable")
SUPPORTED = 0.9
"""The share of a sentence's words that must stand in the cited document."""

_MARKER = re.compile(r"\[(\d+)\]")
_UNIT = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]+|[^\W_]+(?:[.,]\d+)*")


@dataclass(frozen=True, slots=True)
class Question:
    """One line of a set. `answers` are the known ones, any of which is right; none if the documents hold no answer.

    `who` asks, as in ``--as``; empty if the line does not say. `label` is what the line says of its documents.
    """

    text: str
    answers: tuple[str, ...] = ()
    who: str = ""
    label: str = ""


Ask = Callable[[Question], Awaitable[Answer]]


def read_questions(path: Path) -> list[Question]:
    """A JSONL file of ``{"question", "answers", "label", "as"}``; all but the question may be left out.

    A `label` of answerable or unanswerable has to fit the answers; another one is kept. Other keys are passed over, so
    that a set may say more. Raises ConfigError naming file and line.
    """
    return [_question(where, given) for where, given in objects(path, ", ".join(KEYS))]


def _question(where: str, given: Mapping[str, Any]) -> Question:
    if not isinstance(given.get("question"), str):
        raise ConfigError(f"{where}: needs an object with {', '.join(KEYS)}")
    answers = given.get("answers", [])
    if not isinstance(answers, list) or not all(isinstance(answer, str) for answer in answers):
        raise ConfigError(f"{where}: answers: needs a list of strings")
    who, label = given.get("as") or "", given.get("label") or ""
    for key, value in (("as", who), ("label", label)):
        if not isinstance(value, str):
            raise ConfigError(f"{where}: {key}: needs a string")
    if label in LABELS and (label == LABELS[0]) != bool(answers):
        raise ConfigError(f"{where}: label: {label!r} does not fit {len(answers)} answers; leave it out, or correct it")
    return Question(given["question"], tuple(answers), who, label)


def asker(librarian: Librarian) -> Ask:
    """Ask a librarian over an index of evaluation documents, as somebody who may read them all."""
    reader = Principal("terminal", "evaluation", "reader")
    room = Room("terminal", "evaluation", "direct", "direct")
    access = for_everyone([frozenset({LABEL})])

    async def ask(question: Question) -> Answer:
        answer = Answer("")
        turn = Turn("evaluation", Message("evaluation", reader, room, question.text), access)
        async for reply in librarian.answer(turn, question.text):
            if isinstance(reply, Done):
                answer = reply.answer
        return answer

    return ask


async def evaluate(
    questions: Sequence[Question],
    ask: Ask,
    text_of: Callable[[str], str],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, float]:
    """Ask each question and count. `text_of` gives the whole text of a document by its id; shares are 0 to 1.

    Who may see nothing at all is refused, which counts as "not found".
    """
    text_of = cache(text_of)
    there: list[tuple[bool, bool]] = []
    missing: list[bool] = []
    sentences: list[bool] = []
    for done, question in enumerate(questions, 1):
        answer = await ask(question)
        silent = bool(answer.refused) or answer.text in (ENGLISH.not_found, JAPANESE.not_found)
        if question.answers:
            there.append((not silent and holds(answer.text, question.answers), silent))
        else:
            missing.append(silent)
        if not silent:
            sentences += [supported(text, cited) for text, cited in _sentences(answer, text_of)]
        progress(done, len(questions))
    answered = sum(not silent for _, silent in there) + sum(not silent for silent in missing)
    return {
        "questions": len(questions),
        "answerable": len(there),
        "gold_in_reply": _share(found for found, _ in there),
        "not_found_when_answerable": _share(silent for _, silent in there),
        "not_found_when_unanswerable": _share(missing),
        "unsupported_sentences": _share(not good for good in sentences),
        "sentences_per_reply": len(sentences) / answered if answered else 0.0,
    }


def holds(reply: str, answers: Iterable[str]) -> bool:
    """Whether one of the known answers stands in the reply, spaces and the width of characters aside."""
    text = _tight(reply)
    return any(_tight(answer) in text for answer in answers)


def supported(sentence: str, document: str) -> bool:
    """Whether a document says what a sentence says, word by word."""
    said, known = _units(sentence), set(_units(document))
    if not said:
        return True
    if any(unit not in known for unit in said if any(char.isdigit() for char in unit)):
        return False
    return sum(unit in known for unit in said) >= SUPPORTED * len(said)


def _sentences(answer: Answer, text_of: Callable[[str], str]) -> list[tuple[str, str]]:
    """Each marked sentence with the text of the documents that its markers name; an unmarked rest has none."""
    sources = {source.number: source for source in answer.sources}
    found: list[tuple[str, str]] = []
    end = 0
    for markers in _marked(answer.text):
        said = answer.text[end : markers[0].start()].strip()
        cited = [sources[number] for one in markers if (number := int(one[1])) in sources]
        end = markers[-1].end()
        if said:
            found.append((said, "\n".join(f"{one.title}\n{text_of(one.document)}" for one in cited)))
    rest = answer.text[end:].strip()
    return [*found, *([(rest, "")] if rest else [])]


def _marked(text: str) -> Iterator[list[re.Match[str]]]:
    """The markers behind each sentence, those side by side together: what follows the last one is a space, or the end."""
    beside: list[re.Match[str]] = []
    for marker in _MARKER.finditer(text):
        if beside and text[beside[-1].end() : marker.start()].strip():
            yield from _ending(beside, text)
            beside = []
        beside.append(marker)
    yield from _ending(beside, text)


def _ending(markers: list[re.Match[str]], text: str) -> Iterator[list[re.Match[str]]]:
    """The markers up to the last one that ends something, if there is one."""
    while markers and text[markers[-1].end() : markers[-1].end() + 1].strip():
        markers.pop()
    if markers:
        yield markers


def _tight(text: str) -> str:
    return re.sub(r"[\s,]", "", unicodedata.normalize("NFKC", text).lower())


def _units(text: str) -> list[str]:
    """Words and numbers; Japanese in pairs of characters."""
    units: list[str] = []
    for found in _UNIT.findall(unicodedata.normalize("NFKC", text).lower()):
        pairs = [found[i : i + 2] for i in range(len(found) - 1)]
        units += (pairs or [found]) if found[0] > "\u3000" else [found.replace(",", "")]
    return units


def _share(hits: Iterable[bool]) -> float:
    counted = list(hits)
    return sum(counted) / len(counted) if counted else 0.0
