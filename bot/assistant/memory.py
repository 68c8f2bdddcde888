"""What a conversation remembers: earlier questions and answers, replayed only to readers who may see all they rest on.

An exchange is stored with the documents that its answer rested on. Labels are not stored: whether it may be replayed is
decided by the labels that SQL holds now, and by who reads along now.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from bot.assistant.terms import coverage
from bot.knowledge.sentences import sentences
from bot.ports import Journal, Records, Remembered
from bot.types import Access, Answer, Exchange, Labels, Message

BUDGET = 1200
"""Tokens of history that a turn carries unless told otherwise: a small model reads no more beside its passages."""
LATEST = 50
"""Exchanges that are looked at, counted from the latest."""
WHOLE = 4
"""The latest exchanges are kept whole, as far as the budget allows; older ones become a line each."""
ANSWER = 10_000
"""Characters of an answer, and"""
SENTENCES = 100
"""sentences of it, among which those for such a line are chosen."""
LINE = 160
"""Characters of a question, and of what is kept of its answer, in such a line."""
FIGURE = 0.5
"""What a figure in a sentence is worth, beside the share of what was asked that the sentence mentions."""

_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff66-\uff9f]")
_FIGURE = re.compile(r"\d(?![^\[]*\])")
_FORGET = re.compile(
    r"(?:please |could you |can you )?(?:forget|clear|delete|erase)"
    r"(?: (?:about|all of))? (?:this|our|the|my)(?: whole)? (?:conversation|chat|thread|history|discussion)(?: please)?"
    r"|(?:この|今の|これまでの|ここまでの)?(?:会話|やりとり|やり取り|スレッド)?(?:の?履歴)?(?:を|は|の内容を)?(?:すべて|全部|全て)?"
    r"(?:忘れて|消して|削除して|消去して)(?:ください|下さい|ほしい|欲しい|くれますか|もらえますか)?"
)


class Memory:
    """Recalls and forgets. `budget` is how many tokens of history a turn may carry, roughly counted."""

    def __init__(self, journal: Journal, records: Records, budget: int = BUDGET):
        self._journal = journal
        self._records = records
        self._budget = budget

    async def recall(self, message: Message, access: Access, private: bool = False) -> tuple[Exchange, ...]:
        """The earlier exchanges that every reader of `access` may see now, oldest first, within the budget.

        What the asker was told alone is recalled only where the asker alone will read the answer (`private`).
        """
        only = message.sender.ref if private else ""
        found = await self._journal.recall(message.conversation, only, LATEST)
        wanted = frozenset().union(*(exchange.documents for exchange in found))
        labels = await self._records.labels_of(wanted) if wanted else {}

        def seen(exchange: Exchange) -> bool:
            return all(access.sees(labels.get(document, ())) for document in exchange.documents)

        kept = within([exchange for exchange in found if seen(exchange)], self._budget)
        return tuple(_as_labelled_now(exchange, labels) for exchange in kept)

    async def forget(self, message: Message) -> int:
        """Delete what this conversation saw and what its sender saw alone in it; returns how many exchanges."""
        return await self._journal.forget(message.conversation, message.sender.ref)


def remembered(message: Message, answer: Answer, at: float) -> tuple[Remembered, ...]:
    """What to store of an answer: the room's exchange, and the asker's own. A refusal leaves nothing to remember."""
    stored = []
    if not answer.refused:
        stored.append(Remembered(message.conversation, _exchange(message, answer), at, answer=answer.id))
    if answer.private is not None and not answer.private.refused:
        stored.append(
            Remembered(message.conversation, _exchange(message, answer.private), at, message.sender.ref, answer.id)
        )
    return tuple(stored)


def wants_forgetting(text: str) -> bool:
    """Whether a message asks, and does nothing but ask, to forget this conversation."""
    said = unicodedata.normalize("NFKC", text).casefold()
    return bool(_FORGET.fullmatch(re.sub(r"[\s,.!?。、！？]+", " ", said).strip()))


def within(history: Sequence[Exchange], budget: int) -> tuple[Exchange, ...]:
    """The latest exchanges that fit: the last few whole, the ones before as a line each, all with their documents."""
    kept: list[Exchange] = []
    for age, exchange in enumerate(reversed(history)):
        for form in (exchange, shortened(exchange)) if age < WHOLE else (shortened(exchange),):
            if tokens((form.question, form.answer)) <= budget:
                kept.append(form)
                budget -= tokens((form.question, form.answer))
                break
        else:
            break
    return tuple(reversed(kept))


def shortened(exchange: Exchange) -> Exchange:
    """An exchange as a line of question and one of its answer; its documents stay.

    The answer's own sentences are chosen, as many as fit, in their order: those that say most of what was asked, and figures.
    """
    said = [line for one in sentences(exchange.answer[:ANSWER]) if (line := " ".join(one.split()))]
    asked, said = exchange.question[:LINE], said[:SENTENCES]
    worth = {n: coverage(asked, line) + FIGURE * bool(_FIGURE.search(line)) for n, line in enumerate(said)}
    kept: list[int] = []
    for n in sorted(worth, key=lambda n: -worth[n]):
        if not kept or (worth[n] and len(" ".join(said[one] for one in (*kept, n))) <= LINE):
            kept.append(n)
    answer = " ".join(said[n] for n in sorted(kept))
    return replace(exchange, question=_line(exchange.question), answer=_line(answer))


def tokens(texts: Iterable[str]) -> int:
    """About how many tokens texts are: one for each kana or kanji, one for every four other characters."""
    return sum(dense + (len(text) - dense + 3) // 4 for text in texts for dense in (len(_CJK.findall(text)),))


def _exchange(message: Message, answer: Answer) -> Exchange:
    return Exchange(message.text, answer.text, answer.documents, answer.sources)


def _as_labelled_now(exchange: Exchange, labels: Mapping[str, Labels]) -> Exchange:
    sources = tuple(replace(one, labels=labels.get(one.document, frozenset())) for one in exchange.sources)
    return replace(exchange, sources=sources)


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LINE else line[: LINE - 1] + "…"
