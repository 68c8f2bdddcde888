"""Documents to passages: pieces of a size that the embedding model reads, never cut inside a sentence or a table row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from uuid import UUID

from bot.knowledge.sentences import is_table_row, sentences
from bot.types import Document, Passage, Section

WORDS = 160
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]|\w+")


def passages(document: Document) -> list[Passage]:
    """The passages of a document in reading order. Their ids change only when document id or content change."""
    seen: dict[str, int] = {}
    made = []
    for section in document.sections:
        for text in _pieces(section.text):
            made.append(_passage(document, section, text, seen))
    return made


def _pieces(text: str) -> Iterator[str]:
    piece: list[str] = []
    header, size = "", 0
    for sentence in sentences(text):
        row = is_table_row(sentence)
        header = (header or sentence) if row else ""
        words = len(_WORD.findall(sentence))
        if piece and size + words > WORDS:
            yield "".join(piece).strip()
            repeat = row and header is not sentence
            piece, size = ([header] if repeat else []), (len(_WORD.findall(header)) if repeat else 0)
        piece.append(sentence)
        size += words
    if "".join(piece).strip():
        yield "".join(piece).strip()


def _passage(document: Document, section: Section, text: str, seen: dict[str, int]) -> Passage:
    content = "\x1f".join((document.id, document.title, *section.heading, str(section.page or ""), document.url, text))
    copy = seen.get(content, 0)
    seen[content] = copy + 1
    return Passage(
        id=str(UUID(bytes=sha256(f"{content}\x1f{copy}".encode()).digest()[:16])),
        document=document.id,
        text=text,
        labels=document.labels,
        title=document.title,
        heading=section.heading,
        page=section.page,
        url=document.url,
        modified=document.modified,
    )
