"""Documents, people and a meaning that the librarian's tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from langchain_core.embeddings import Embeddings
from langchain_core.messages import AIMessage

from bot.assistant.terms import stem, terms
from bot.types import Answer, Delta, Done, Message, Passage, Principal, Reply, Room, Turn, for_everyone
from tests.fakes import ScriptedModel

STAFF = frozenset({"company"})
SAME_MEANING = {"staff": "employe", "salary": "pay", "holiday": "leav"}


class WordEmbeddings(Embeddings):
    """Texts are as close as the words they share, and a few words mean the same."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [_vector(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return _vector(text)


def _vector(text: str) -> list[float]:
    vector = [0.0] * 256
    for term in terms(text):
        vector[sum(map(ord, stem(SAME_MEANING.get(term, term)))) % 256] += 1.0
    length = sum(value * value for value in vector) ** 0.5 or 1.0
    return [value / length for value in vector]


def passage(text: str, document: str = "handbook.md", title: str = "", page: int | None = None) -> Passage:
    return Passage(f"{document}#{hash(text)}", document, text, STAFF, title, (), page)


def turn(text: str, labels: frozenset[str] = STAFF) -> Turn:
    asker = Principal("slack", "T0HOME", "U0MILO")
    message = Message("1", asker, Room("slack", "T0HOME", "D1", "direct"), text)
    return Turn("1", message, for_everyone([labels]))


def saying(*lines: str) -> ScriptedModel:
    return ScriptedModel(script=[AIMessage(line) for line in lines])


async def heard(replies: AsyncIterator[Reply]) -> tuple[Answer, list[Reply]]:
    """The final answer and everything that came before it."""
    events = [reply async for reply in replies]
    assert isinstance(events[-1], Done)
    return events[-1].answer, events[:-1]


def streamed(events: Sequence[Reply]) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta))
