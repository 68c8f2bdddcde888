"""Finds the sentences of passages that answer a question, or that there are none: no model, every word is the document's."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from langchain_core.embeddings import Embeddings

from bot.assistant.facts import quantities
from bot.assistant.material import context, heading_name, told
from bot.assistant.rows import rows
from bot.assistant.terms import coverage, notions, terms
from bot.knowledge.sentences import is_list_item
from bot.language import language
from bot.types import Passage

PASSAGES = 5
"""How many of the best passages are read for sentences."""
RANK_COST = 0.1
"""What a passage's sentences lose for each place behind the best passage, in shares of the question's terms."""
NEIGHBOUR = 0.2
"""What a sentence gains from the one before and behind it: an answer often follows the sentence that names its subject."""
AMOUNT = 0.1
"""What a sentence with a number gains where one is asked for."""
MEANING = 0.8
"""The weight of meaning against words, where the embedding reads the language."""
WORTH, WORTH_NEW = 0.75, 0.6
"""The share of the best score from which a further sentence is shown, where meaning is compared; less is enough if it
mentions what the question asks for and no better one did, or tells another document's version."""
VERSION = 0.75
"""The share of what the best sentence mentions of the question, from which one of another document is its version."""
WORTH_BY_WORDS, WORTH_ELSEWHERE = 0.2, 0.3
"""The same by words alone, for a sentence from a document of the same title and from one of another: words say less about
what answers than meaning does, so most are shown."""
ABOVE = 0.5
"""What a term of the question counts that stands in the title or the headings of a passage, and not in the sentence."""
EMBEDDED = 16
"""How many of the best sentences by words are compared by meaning."""
LONGEST = 400
"""Characters of a sentence that are compared by meaning."""
COVERED = 0.6
"""The share of a question, on average, that a passage and its best sentence must mention. JSQuAD valid: 97 % of the
answerable questions lie above, 95 % of those asked over articles about other things below."""
CLOSE = 0.5
"""The cosine from which a sentence counts as an answer by meaning, if its passage also covers `PARTLY` of the question."""
PARTLY = 0.5

LIST_SIGN = re.compile(r"^(?:[-*•] |・\s*|\(?\d{1,2}[.)] )")
"""What begins an item of a list."""

_KANA = re.compile(r"[\u3040-\u309f]+")
_AMOUNT_ASKED = re.compile(
    r"\bhow (?:many|much|long|often|old|far|thick|large|high)\b|\bwhen\b|\b(?:year|percentage|time|date|amount|total|rate)\b"
    r"|何(?:年|月|日|人|名|回|個|本|台|度|倍|歳|時|分|秒|%|パーセント|キロ|メートル|円|ドル|世紀|番|位|km|ヶ|か|カ)"
    r"|いくつ|いくら|どれ(?:くらい|ぐらい|ほど)",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence as it is shown, the passage that it stands in, and whether it is a table row."""

    text: str
    passage: Passage
    row: bool = False


@dataclass(frozen=True, slots=True)
class _Candidate:
    passage: Passage
    rank: int
    place: int
    text: str
    row: bool
    under: str
    terms: frozenset[str]

    @property
    def context(self) -> str:
        """What the sentence stands under: the passage's title and headings, and a heading inside the passage."""
        return " > ".join(filter(None, (context(self.passage), self.under)))


def quotes(question: str, passages: Sequence[Passage], most: int, embeddings: Embeddings) -> list[Quote]:
    """At most `most` sentences that answer the question, best passage first; empty if the passages do not answer it."""
    candidates = _candidates(passages[:PASSAGES])
    if not candidates:
        return []
    words = _words(question, candidates)
    closeness = _closeness(question, candidates, words, embeddings)
    if not _answered(question, passages[:PASSAGES], candidates, closeness):
        return []
    scores = _scores(question, candidates, words, closeness)
    near = {one.rank for one, said, close in zip(candidates, words, closeness, strict=True) if said > 0 or close > 0}
    answering = [i for i, one in enumerate(candidates) if one.rank in near and _tells(one, question)]
    best = sorted(answering, key=lambda i: (-scores[i], i))[:most]
    if not best:
        return []
    kept = _worth_showing(question, best, candidates, scores, any(closeness))
    best_told = _told_best(kept, candidates, terms(question))
    return _shown([candidates[i] for i in _in_reading_order(best_told, candidates)])


def _worth_showing(
    question: str, best: Sequence[int], candidates: Sequence[_Candidate], scores: Sequence[float], compared: bool
) -> list[int]:
    """The best sentences without those that say too little beside the first; `compared` says whether meanings were."""
    wanted = _telling(question)
    first, *others = best
    top = wanted & candidates[first].terms
    named = notions(question, candidates[first].context)
    kept, mentioned = [first], set(top)
    for i in others:
        said = wanted & candidates[i].terms
        if named - notions(question, f"{candidates[i].context} {candidates[i].text}"):
            continue  # it stands under the name of something else
        elsewhere = candidates[i].passage.title != candidates[first].passage.title
        if compared:
            less = said - mentioned or (elsewhere and len(said) >= VERSION * len(top))
            least = WORTH_NEW if less else WORTH
        else:
            least = WORTH_ELSEWHERE if elsewhere else WORTH_BY_WORDS
        if scores[i] > 0 and scores[i] >= least * scores[first]:
            kept.append(i)
            mentioned |= said
    return kept


def _candidates(passages: Sequence[Passage]) -> list[_Candidate]:
    found: list[_Candidate] = []
    seen: set[str] = set()
    for rank, passage in enumerate(passages):
        for place, (text, row, under) in enumerate(_readable(passage)):
            if text and text not in seen:
                seen.add(text)
                found.append(_Candidate(passage, rank, place, text, row, under, frozenset(terms(text))))
    return found


def _readable(passage: Passage) -> Iterator[tuple[str, bool, str]]:
    """The sentences of a passage but its headings, and its table rows with the names of their columns but its header."""
    table = {row.raw: row.shown for row in rows(passage.text)}
    headings = {passage.title, *passage.heading}
    for one in told(passage.text):
        text = table.get(one.text, "") if one.row else " ".join(one.text.split())
        yield "" if text in headings else text, one.row, "" if one.under in headings else one.under


def _closeness(
    question: str, candidates: Sequence[_Candidate], words: Sequence[float], embeddings: Embeddings
) -> list[float]:
    """The cosine of the best candidates by words to the question; zero for the others, and but in English.

    The default embedding reads no other language.
    """
    closeness = [0.0] * len(candidates)
    if language(question) != "en":
        return closeness
    best = sorted(range(len(candidates)), key=lambda i: (-words[i] + RANK_COST * candidates[i].rank, i))[:EMBEDDED]
    texts = [f"{candidates[i].context}: {candidates[i].text}"[:LONGEST] for i in best]
    wanted, *vectors = embeddings.embed_documents([question, *texts])
    for i, vector in zip(best, vectors, strict=True):
        closeness[i] = sum(a * b for a, b in zip(wanted, vector, strict=True))
    return closeness


def _answered(
    question: str, passages: Sequence[Passage], candidates: Sequence[_Candidate], closeness: Sequence[float]
) -> bool:
    """Whether a passage, and a sentence of it alone, mention enough of the question; or one is close in meaning.

    A question that names a heading asks about what stands under it, be the rest said in other words.
    """
    wanted = terms(question)
    covered = [coverage(question, f"{context(passage)} {passage.text}") for passage in passages]
    alone = [0.0] * len(passages)
    for one in candidates:
        share = coverage(question, f"{one.context} {one.text}")
        if share >= PARTLY and _named(one, wanted):
            return True
        alone[one.rank] = max(alone[one.rank], share)
    if any((whole + part) / 2 >= COVERED for whole, part in zip(covered, alone, strict=True)):
        return True
    close = [covered[c.rank] for c, value in zip(candidates, closeness, strict=True) if value >= CLOSE]
    return any(value >= PARTLY for value in close)


def _named(one: _Candidate, wanted: set[str]) -> bool:
    """Whether a question mentions the whole name, of two terms at least, of a heading that a sentence stands under."""
    headings = [*one.passage.heading[-1:], *filter(None, one.under.split(" > "))]
    return any(len(name) >= 2 and name <= wanted for name in (terms(heading_name(heading)) for heading in headings))


def _tells(one: _Candidate, question: str) -> bool:
    """Whether a sentence can answer: it is no question, and says something that the question did not."""
    return not one.text.endswith(("?", "？")) and bool(one.terms - terms(question))


def _words(question: str, candidates: Sequence[_Candidate]) -> list[float]:
    """The share of the question's terms in each sentence and the heading inside the passage that it stands under.

    Terms that are rare among the candidates count more; those that only the passage's title and headings have, less.
    """
    wanted = _telling(question)
    said = [wanted & (one.terms | terms(one.under)) for one in candidates]
    known = Counter(term for terms_said in said for term in terms_said)
    count = len(candidates)
    rarity = {term: math.log(1 + (count - known[term] + 0.5) / (known[term] + 0.5)) for term in wanted}
    total = sum(rarity.values()) or 1.0
    above = [(wanted & terms(context(one.passage))) - own for one, own in zip(candidates, said, strict=True)]
    return [
        (sum(rarity[term] for term in own) + ABOVE * sum(rarity[term] for term in over)) / total
        for own, over in zip(said, above, strict=True)
    ]


def _telling(question: str) -> set[str]:
    """The terms of a question that say what it is about: pairs of hiragana mostly bind words, so they count if alone."""
    wanted = terms(question)
    return {term for term in wanted if not _KANA.fullmatch(term)} or wanted


def _scores(
    question: str, candidates: Sequence[_Candidate], words: Sequence[float], closeness: Sequence[float]
) -> list[float]:
    """Words and meaning, shifted by the neighbours, the passage's rank, and a number where one is asked for."""
    scores = []
    given = {one.value for one in quantities(question)}
    counts = bool(_AMOUNT_ASKED.search(question))
    for i, one in enumerate(candidates):
        around = [j for j in (i - 1, i + 1) if 0 <= j < len(candidates) and candidates[j].passage is one.passage]
        near = sum(words[j] for j in around)
        amount = AMOUNT if counts and any(n.certain and n.value not in given for n in quantities(one.text)) else 0.0
        scores.append(words[i] + NEIGHBOUR * near + MEANING * closeness[i] + amount - RANK_COST * one.rank)
    return scores


def _told_best(kept: Sequence[int], candidates: Sequence[_Candidate], wanted: set[str]) -> list[int]:
    """Without the rows of a document that mention only a part of what another of its rows mentions of the question."""
    told = [(candidates[i].passage.document, candidates[i].terms & wanted) for i in kept if candidates[i].row]

    def outdone(one: _Candidate) -> bool:
        return any(document == one.passage.document and one.terms & wanted < other for document, other in told)

    return [i for i in kept if not (candidates[i].row and outdone(candidates[i]))]


def _shown(chosen: Sequence[_Candidate]) -> list[Quote]:
    """The quotes as they are shown: a list item without another one of its list beside it loses its sign."""
    items = Counter((one.passage.id, one.under) for one in chosen if not one.row and is_list_item(one.text))
    return [
        Quote(
            one.text if one.row or items[one.passage.id, one.under] > 1 else LIST_SIGN.sub("", one.text),
            one.passage,
            one.row,
        )
        for one in chosen
    ]


def _in_reading_order(best: Sequence[int], candidates: Sequence[_Candidate]) -> list[int]:
    """The passage of the best sentence first, and sentences of one passage as they stand in it."""
    order: dict[str, int] = {}
    for i in best:
        order.setdefault(candidates[i].passage.id, len(order))
    return sorted(best, key=lambda i: (order[candidates[i].passage.id], candidates[i].place))
