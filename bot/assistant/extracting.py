"""Summarizes by choosing sentences: every word is the material's own, so every sentence is supported.

Sentences near the middle of what is said, by words (Radev et al., "Centroid-based summarization", 2004) and in English
by meaning, are taken one by one, each as unlike the ones before as possible (Carbonell and Goldstein, MMR, 1998).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from bot.assistant.given import Part
from bot.assistant.grounding import MARKER
from bot.assistant.material import told
from bot.assistant.memory import tokens
from bot.assistant.rows import rows
from bot.assistant.terms import coverage, stem, terms
from bot.knowledge.chunking import size
from bot.knowledge.sentences import is_finished
from bot.language import language

MOST = 7
"""Sentences at most where no length is asked for."""
KEPT = 16
"""Sentences of each part of a long text that are compared with those of the others."""
NEW = 0.7
"""How much being central counts against being new (the lambda of MMR)."""
FOCUS = 1.0
"""The weight of what was asked for beside being central, where something particular was."""
OPENING = 0.1
"""What the first sentence of a part gains: a text begins with what it is about."""
POINTING = 0.15
"""What a sentence loses that leans on the one before it: alone it says less."""
BRIEF, LENGTHY = 5, 45
"""Words under and over which a sentence is a poor summary: it says too little, or too much at once."""
HESITATION = 4.0
"""What each hesitation of transcribed speech costs, for its share of the words."""
BADLY_SIZED = 0.5
"""The share of its score that such a sentence keeps."""
REPEATED = 10.0
"""What a sentence loses that repeats one with other numbers: more than any score."""
LONGEST = 400
"""Characters of a sentence that are compared by meaning."""

_POINTS = re.compile(
    r"(?:and|but|so|or|then|because|well|yeah|yes|no|okay|ok|oh|he|she|it|they|this|that|these|those|there|also|however)\b"
    r"|(?:しかし|そして|また|それ|これ|その|この|だから|なので|でも|ただし|はい|いいえ)",
    re.I,
)

_HESITATES = re.compile(
    r"\b(?:uh|um|uhm|eh|er|erm|hmm?|mm|mhm|yeah|okay|you know|i mean)\b|\{\w+\}|えーと|えっと|あの[ー、]", re.I
)
_DIGITS = re.compile(r"\d+(?:[.,:]\d+)*")
_WRAPPED = re.compile(r"(?<=[\u3000-\u9fff]) (?=[\u3000-\u9fff])")
_CHATTER = frozenset(
    stem(word)
    for word in "uh um uhm eh er erm hm hmm mm mhm yeah yes yep ok okay oh ah well right just like know think mean see guess "
    "thing things something kind sort lot bit actually basically really maybe probably going go get got want let one sure "
    "don doesn didn isn".split()
)
"""Words of spoken language that say nothing about what is talked about."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the material, which part it is from, and where it stands in it."""

    text: str
    part: Part
    place: int
    row: bool = False

    @property
    def shown(self) -> str:
        """The sentence with who said it."""
        return f"{self.part.author}: {self.text}" if self.part.author else self.text


def sentences_of(parts: Sequence[Part]) -> list[Sentence]:
    """What a text says, in order: no headings, nothing twice, and nothing that orders an assistant about."""
    found: list[Sentence] = []
    seen: set[str] = set()
    for part in parts:
        table = {row.raw: row.shown for row in rows(part.text)}
        for place, one in enumerate(told(part.text)):
            text = table.get(one.text, "") if one.row else _WRAPPED.sub("", " ".join(one.text.split()))
            if text and found and not MARKER.sub("", text).strip():
                found[-1] = replace(found[-1], text=f"{found[-1].text} {text}")
            elif text and text not in seen:
                seen.add(text)
                found.append(Sentence(text, part, place, one.row))
    return found


def chunks(sentences: Sequence[Sentence], most: int) -> list[list[Sentence]]:
    """Runs of sentences of at most `most` tokens each; a longer sentence is a run of its own."""
    found: list[list[Sentence]] = []
    room = 0
    for one in sentences:
        needs = tokens([one.shown])
        if not found or needs > room:
            found.append([])
            room = most
        found[-1].append(one)
        room -= needs
    return found


class Extract:
    """Chooses from one text: `shortlist` each of its parts, then `choose` among all that were shortlisted."""

    def __init__(self, sentences: Sequence[Sentence], focus: str, embeddings: Embeddings):
        self._focus = focus
        self._embeddings = embeddings
        self._terms = {one: terms(one.text) - _CHATTER for one in sentences}
        known = Counter(term for said in self._terms.values() for term in said)
        self._rarity = {term: math.log(1 + len(sentences) / count) for term, count in known.items()}
        self._centre = {term: (1 + math.log(count)) * self._rarity[term] for term, count in known.items() if count > 1}
        self._kind = {one: one.text if one.row else _DIGITS.sub("0", one.text) for one in sentences}
        self._order = {one: place for place, one in enumerate(sentences)}

    def shortlist(self, part: Sequence[Sentence]) -> list[tuple[Sentence, Numbers]]:
        """The sentences of a part that say most of what the text is about, each with its meaning."""
        ranked = sorted(part, key=lambda one: (-self._score(one), self._order[one]))
        first = set({self._kind[one]: one for one in reversed(ranked)}.values())
        best = sorted(ranked, key=lambda one: one not in first)[:KEPT]
        if not best or not all(language(one.text) == "en" for one in best):
            return [(one, np.zeros(0)) for one in best]
        vectors = self._embeddings.embed_documents([one.text[:LONGEST] for one in best])
        return [(one, np.asarray(vector)) for one, vector in zip(best, vectors, strict=True)]

    def choose(
        self, found: Sequence[tuple[Sentence, Numbers]], most: int, fits: Fits, again: bool = True
    ) -> list[Sentence]:
        """At most `most` of these sentences, as they stand in the text. `fits` limits their length together.

        Sentences that say the same of other numbers come last; without `again`, only the best of them comes at all.
        """
        scores = self._scores(found)
        chosen: list[int] = []
        left = [i for i in range(len(found)) if fits.alone(found[i][0].shown)]
        while left and len(chosen) < most:
            best = max(left, key=lambda i: (self._worth(i, scores, chosen, found), -i))
            left.remove(best)
            if not again and self._repeats(best, chosen, found):
                continue
            if fits.together([found[i][0].shown for i in (*chosen, best)]):
                chosen.append(best)
        if not chosen and found:
            chosen = [min(range(len(found)), key=lambda i: len(found[i][0].shown))]
        return sorted((found[i][0] for i in chosen), key=self._order.__getitem__)

    def _score(self, one: Sentence) -> float:
        """How central a sentence is by words (0 to 1), changed by its length, its place, and what was asked for."""
        said = self._terms[one]
        norm = math.sqrt(sum(self._rarity[term] ** 2 for term in said)) or 1.0
        whole = math.sqrt(sum(value**2 for value in self._centre.values())) or 1.0
        central = sum(self._centre.get(term, 0.0) * self._rarity[term] for term in said) / (norm * whole)
        length = size(one.text)
        score = central * (BADLY_SIZED if not BRIEF <= length <= LENGTHY else 1.0)
        score *= 1 - min(1.0, HESITATION * len(_HESITATES.findall(one.text)) / (length or 1.0))
        score += OPENING if one.place == 0 and is_finished(one.text) else 0.0
        score -= POINTING if _POINTS.match(one.text) else 0.0
        score -= POINTING if one.text.endswith(("?", "？")) else 0.0
        return score + (FOCUS * coverage(self._focus, one.text) if self._focus else 0.0)

    def _scores(self, found: Sequence[tuple[Sentence, Numbers]]) -> list[float]:
        """By words, and by how near a sentence is to the middle of the meanings, where they are known."""
        meant = [vector for _, vector in found if vector.size]
        middle = np.mean(meant, axis=0) if meant else np.zeros(0)
        length = float(np.linalg.norm(middle)) or 1.0
        return [self._score(one) + (float(vector @ middle) / length if vector.size else 0.0) for one, vector in found]

    def _worth(
        self, i: int, scores: Sequence[float], chosen: Sequence[int], found: Sequence[tuple[Sentence, Numbers]]
    ) -> float:
        alike = max((self._alike(found[i], found[j]) for j in chosen), default=0.0)
        return NEW * scores[i] - (1 - NEW) * alike - (REPEATED if self._repeats(i, chosen, found) else 0.0)

    def _repeats(self, i: int, chosen: Sequence[int], found: Sequence[tuple[Sentence, Numbers]]) -> bool:
        """Whether a sentence differs from one that was chosen in its numbers alone; rows of a table are meant to."""
        return any(self._kind[found[i][0]] == self._kind[found[j][0]] for j in chosen)

    def _alike(self, one: tuple[Sentence, Numbers], other: tuple[Sentence, Numbers]) -> float:
        left, right = self._terms[one[0]], self._terms[other[0]]
        shared = len(left & right) / (math.sqrt(len(left) * len(right)) or 1.0)
        if one[1].size and other[1].size:
            return max(shared, float(one[1] @ other[1]))
        return shared


@dataclass(frozen=True, slots=True)
class Fits:
    """A length that a summary must keep: words and characters of the whole, None for as many as it takes."""

    words: int | None = None
    characters: int | None = None

    def alone(self, text: str) -> bool:
        """Whether a sentence keeps it by itself."""
        return self.together([text])

    def together(self, texts: Sequence[str]) -> bool:
        """Whether these sentences keep it together."""
        long = sum(len(text.split()) for text in texts), sum(map(len, texts))
        limits = (self.words, self.characters)
        return all(limit is None or length <= limit for length, limit in zip(long, limits, strict=True))


def told_in_prose(found: Sequence[Sentence], least: int) -> list[Sentence]:
    """The whole sentences among rows and headings, if there are enough of them: a row alone says little."""
    whole = [one for one in found if not one.row and is_finished(one.text)]
    return whole if len(whole) >= least else list(found)


def usual(count: int) -> int:
    """How many of so many sentences a summary has if nobody says: it grows slower than the text."""
    return max(1, min(MOST, round(math.sqrt(count))))


def extract(
    parts: Sequence[Part],
    most: int,
    embeddings: Embeddings,
    focus: str = "",
    fits: Fits | None = None,
    prose: bool = False,
) -> list[Sentence]:
    """The whole choice at once, for a text that needs no progress; `prose` leaves out table rows if it can."""
    found = sentences_of(parts)
    found = told_in_prose(found, most) if prose else found
    made = Extract(found, focus, embeddings)
    return made.choose(list(_shortlisted(made, found)), most, fits or Fits())


def _shortlisted(made: Extract, found: Sequence[Sentence]) -> Iterator[tuple[Sentence, Numbers]]:
    for part in chunks(found, 1200):
        yield from made.shortlist(part)
