"""What earlier steps of a request found, as material for the next: each sentence with the passage that it is from.

Titles stay out of the text. Markers are made from provenance, here as everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from langchain_core.embeddings import Embeddings

from bot.assistant.grounding import support
from bot.assistant.protecting import numbers
from bot.knowledge.sentences import sentences
from bot.language import language
from bot.types import Answer, Citation, Passage

_NUMBER = re.compile(r"\[(\d+)\]")
_PIECE = re.compile(r"(?P<text>\S.*?)\s{0,9}\[(?P<number>\d+)\]|(?P<rest>\S.*)$", re.M)


@dataclass(frozen=True, slots=True)
class Found:
    """`shown` is what was answered so far and `whole` all that the next step may use, both with markers for `sources`.

    `pieces` are the sentences, or the passages of a whole document, each with what it is from.
    """

    shown: str
    whole: str
    sources: tuple[Citation, ...]
    pieces: tuple[tuple[str, Passage | None], ...]

    @classmethod
    def of(cls, answers: Sequence[Answer]) -> Found:
        """Several answers as one material: their sources are numbered anew, each place of a document once."""
        sources: list[Citation] = []
        shown, whole = list[str](), list[str]()
        pieces: list[tuple[str, Passage | None]] = []
        for one in answers:
            text = _renumbered(one.text, {cited.number: _number(cited, sources) for cited in one.sources})
            shown.append(text)
            whole += [_section(passage, sources) for passage in one.material] or [text]
            pieces += [(passage.text.strip(), passage) for passage in one.material] or _pieces(text, sources)
        return cls("\n\n".join(shown), "\n\n".join(whole), tuple(sources), tuple(pieces))


def used(text: str, sources: Sequence[Citation]) -> tuple[Citation, ...]:
    """The sources that a text has markers of; all of them if it has none."""
    named = {int(number) for number in _NUMBER.findall(text)}
    return tuple(one for one in sources if one.number in named) or tuple(sources)


def marked(
    text: str, passages: Sequence[Passage], sources: Sequence[Citation], embeddings: Embeddings, within: str
) -> str:
    """A text whose sentences bear the markers of the passages that support them.

    Where a text is in another language than the passages (`within`), a sentence is told by the numbers in it.
    """
    known = {(one.document, one.page): one.number for one in sources}
    written = []
    for sentence in sentences(text):
        said = sentence.rstrip()
        held = support(said, passages, embeddings) or (
            _by_numbers(said, passages) if language(said) != within else None
        )
        number = known.get((held.document, held.page)) if held else None
        written.append(f"{said} [{number}]{sentence[len(said) :]}" if number else sentence)
    return "".join(written)


def _renumbered(text: str, new: Mapping[int, int]) -> str:
    return _NUMBER.sub(lambda found: f"[{new.get(int(found[1]), found[1])}]", text)


def _section(passage: Passage, sources: list[Citation]) -> str:
    """A passage of a document under its heading, with its marker."""
    number = _number(_citation(passage), sources)
    heading = [one for one in passage.heading[-1:] if one != passage.title]
    return "\n".join([*heading, f"{passage.text.strip()} [{number}]"])


def _by_numbers(sentence: str, passages: Sequence[Passage]) -> Passage | None:
    said = numbers(sentence)
    return next((one for one in passages if said and said <= numbers(one.text)), None)


def _pieces(text: str, sources: Sequence[Citation]) -> Iterator[tuple[str, Passage | None]]:
    """The sentences of an answer without their markers; those of one source have the same passage."""
    told = [(found["text"] or found["rest"], int(found["number"] or 0)) for found in _PIECE.finditer(text)]
    passages = {
        one.number: Passage(
            f"found {one.number}",
            one.document,
            "\n".join(said for said, number in told if number == one.number),
            one.labels,
            one.title,
            page=one.page,
            url=one.url,
        )
        for one in sources
    }
    for said, number in told:
        yield said, passages.get(number)


def _citation(passage: Passage) -> Citation:
    return Citation(0, passage.document, passage.title, passage.labels, passage.page, passage.url)


def _number(cited: Citation, sources: list[Citation]) -> int:
    """The number of a place in a document, which is added to the sources if it is new."""
    for known in sources:
        if (known.document, known.page) == (cited.document, cited.page):
            return known.number
    sources.append(replace(cited, number=len(sources) + 1))
    return len(sources)
