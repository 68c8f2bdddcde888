"""How a message feels, from -1 to 1: words that tell a mood, and nearness to plainly good or bad sentences.

English words come from VADER (Hutto and Gilbert, 2014), Japanese ones from moods.yaml. Irony is beyond both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml

from bot.assistant.grouping import Embed, Vectors, units
from bot.language import language

Mood = Literal["positive", "neutral", "negative"]
LEXICON = Path(__file__).with_name("moods.yaml")
GOOD = (
    "I am very happy with this.",
    "Thank you, excellent work!",
    "The staff were friendly and everything went smoothly.",
    "This is a great improvement and I like it.",
    "It works again, problem solved quickly.",
)
BAD = (
    "I am very unhappy with this.",
    "This is unacceptable, poor work.",
    "The staff were rude and everything went wrong.",
    "This has become worse and I am annoyed.",
    "It is broken again, and nobody has answered us.",
)
NEARNESS = 2.0
"""What a whole unit of cosine between good and bad sentences weighs, beside a lexicon's score from -1 to 1."""
MILD = 0.2
"""Scores up to this far from 0 are neutral."""
_NOT_JA = re.compile(r"^\S{0,4}?(?:ない|なく|なかった|ません|ず(?:、|に)|ではあり)")
_HOLDS_NOT = ("な", "と")
"""How words end that a negation belongs to: 「足りな（い）」, 「二度と（…ない）」."""
_STRONG_JA = re.compile(r"(?:とても|本当に|非常に|大変|すごく|かなり|あまりに|実に)\S{0,3}$")
_FULL = 4.0
"""The sum of Japanese strengths at which a score is near its end."""


def scores(texts: Sequence[str], embed: Embed) -> list[float]:
    """The mood of each text from -1 to 1."""
    told = [_japanese(text) if language(text) == "ja" else _english()(text) for text in texts]
    read = [number for number, text in enumerate(texts) if language(text) == "en"]
    if read:
        good, bad = _poles(embed)
        vectors = units(embed([texts[number] for number in read]))
        for number, near in zip(read, vectors @ good - vectors @ bad, strict=True):
            told[number] += NEARNESS * float(near)
    return [float(np.clip(score, -1.0, 1.0)) for score in told]


def mood(score: float) -> Mood:
    """The name of a score."""
    return "neutral" if abs(score) <= MILD else "positive" if score > 0 else "negative"


def _poles(embed: Embed) -> tuple[Vectors, Vectors]:
    vectors = units(embed([*GOOD, *BAD]))
    return units(vectors[: len(GOOD)].mean(axis=0)), units(vectors[len(GOOD) :].mean(axis=0))


def _japanese(text: str) -> float:
    total = 0.0
    for match in _words().finditer(text):
        strength = _strengths()[match.group()]
        if _STRONG_JA.search(text[: match.start()]):
            strength *= 1.3
        if _NOT_JA.match(text[match.end() : match.end() + 8]) and match.group()[-1:] not in _HOLDS_NOT:
            strength *= -0.7
        total += strength
    return float(total / (total**2 + _FULL) ** 0.5)


@cache
def _strengths() -> dict[str, float]:
    lists: dict[int, str] = yaml.safe_load(LEXICON.read_text(encoding="utf-8"))
    return {word.strip(): float(strength) for strength, words in lists.items() for word in words.split(",")}


@cache
def _words() -> re.Pattern[str]:
    return re.compile("|".join(sorted(map(re.escape, _strengths()), key=len, reverse=True)))


@cache
def _english() -> Callable[[str], float]:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer: Any = SentimentIntensityAnalyzer()
    return lambda text: float(analyzer.polarity_scores(text)["compound"])
