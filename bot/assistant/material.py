"""Passages as material: what may be quoted, what a sentence is checked against, and what a model is given to read.

A sentence that orders an assistant about is no knowledge of the company: it is neither quoted nor shown to a model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.knowledge.sentences import sentences
from bot.types import Passage

_ORDER = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b[^.]{0,40}\b(?:previous|prior|earlier|above|all|your|other)\b[^.]{0,40}"
    r"\b(?:instruction|prompt|rule|message|question|passage)"
    r"|\b(?:you are now|from now on,? you|act as|pretend to be)\b"
    r"|\b(?:system|developer) (?:prompt|message|instruction)"
    r"|</?(?:system|assistant|user|instructions?)>|<\|?im_(?:start|end)\|?>|\[/?INST\]"
    r"|(?:これまで|以前|上記|前|すべて|全て)の(?:指示|命令|プロンプト)[^。]{0,20}(?:無視|忘れ|従わ)",
    re.I,
)


def usable(text: str) -> list[str]:
    """The sentences and table rows of a passage, without those that give orders to an assistant."""
    return [sentence for sentence in sentences(text) if sentence.strip() and not _ORDER.search(sentence)]


def context(passage: Passage) -> str:
    """What a passage says about itself beside its text: title and headings, once each."""
    return " > ".join(dict.fromkeys(part for part in (passage.title, *passage.heading) if part))


def numbered(passages: Sequence[Passage]) -> str:
    """Passages for a model to read, numbered from 1, each under what it says about itself."""
    return "\n\n".join(
        f"[{number}] {context(passage)}\n{''.join(usable(passage.text)).strip()}"
        for number, passage in enumerate(passages, 1)
    )
