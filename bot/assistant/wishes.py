"""How somebody wants a text: how long, in what form, in which tone. Read from the request alone, never from its material."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

Tone = Literal["plain", "formal", "friendly", "firm", "apologetic"]

MOST = 20
"""Sentences or bullets at most, whatever is asked for."""

_SPOKEN = dict(zip("one two three four five six seven eight nine ten".split(), range(1, 11), strict=True))
_SPOKEN |= {"a": 1, "single": 1, "couple": 2, "few": 3, "several": 5}
_KANJI = dict(zip("一二三四五六七八九十", range(1, 11), strict=True))
_COUNT = rf"(?P<count>\d{{1,5}}|{'|'.join(_SPOKEN)})"
_COUNT_JA = r"(?P<kanji>\d{1,5}|[一二三四五六七八九十])"
_BULLETS = re.compile(
    rf"{_COUNT}[ -](?:\w+ )?(?:bullets?(?: points?)?|points?|items?|takeaways|lines)\b"
    rf"|{_COUNT_JA}(?:つ|個|点|項目|箇条)"
)
_LIST = re.compile(r"\bbullets?\b|\bbullet points\b|\bas a list\b|\blist (?:the|all|of)\b|箇条書き|リスト")
_SENTENCES = re.compile(
    rf"{_COUNT}[ -](?:\w+ )?(?:sentences?|lines?)\b"
    rf"|{_COUNT_JA}(?:文|行)(?!字)"
)
_ONE = re.compile(r"一言|ひとこと|in a nutshell|in a word|one[- ]liner|bottom line|結論だけ")
_WORDS = re.compile(rf"(?:{_COUNT}|(?P<few>a few))[ -]words?\b")
_CHARACTERS = re.compile(r"(?P<count>\d{1,5})[\s-]?(?:characters?|letters|文字|字)")
_SHORTER = re.compile(
    r"\b(?:shorter|briefer|more briefly|shorten|too long|cut it down)\b|もっと短|もう少し短|短くして|縮めて"
)
_LONGER = re.compile(r"\b(?:longer|more detail(?:s|ed)?|in more depth|elaborate)\b|もっと詳し|もう少し詳し|詳しく")
_WITHIN = r"(?:in|under|within|below|at most|up to|(?:no more|not more|less|fewer) than|max(?:imum|\.)?) "
_KEEP = (
    r"(?:and )?(?:please )?(?:keep|make|write|limit) (?:it|this|that|the (?:text|e?mail|letter|reply|message)) (?:to )?"
)
_FORM_ONLY = re.compile(
    rf"[,;]?\s{{0,9}}\b(?:{_KEEP}(?:{_WITHIN}){{0,3}}|(?:{_WITHIN}){{1,3}})"
    rf"(?:\d{{1,5}}|{'|'.join(_SPOKEN)})(?: \w{{1,40}})? (?:words?|sentences?|lines?|characters|paragraphs?)\b"
    r"(?: or (?:less|fewer))?\.?"
    r"|[,;]?\s{0,9}\b(?:and )?(?:please )?(?:keep|make) it (?:very |nice and )?"
    r"(?:short|brief|concise|simple|polite|formal|friendly)(?: and \w{1,40})?\b\.?"
    r"|(?:\d{1,5}|[一二三四五六七八九十百]{1,5})(?:文字|字|文|行)(?:以内|程度|以下)?(?:で|に)、?|(?:短く|簡潔に)(?=、|書|作|お願い)、?",
    re.I,
)
_TONES: tuple[tuple[Tone, re.Pattern[str]], ...] = (
    ("apologetic", re.compile(r"\b(?:apolog\w*|sorry)\b|お詫び|謝罪|申し訳")),
    ("firm", re.compile(r"\b(?:firm\w*|strict\w*|stern\w*|assertive\w*|insist\w*|reminder)\b|毅然|きっぱり|強め|督促")),
    (
        "friendly",
        re.compile(
            r"\b(?:friendl\w*|warm\w*|casual\w*|informal\w*|cheerful\w*)\b|親しみ|気軽|フレンドリー|カジュアル|柔らか"
        ),
    ),
    (
        "formal",
        re.compile(
            r"\b(?:formal\w*|polite\w*|professional\w*|business\w*|courteous\w*)\b|丁寧|敬語|フォーマル|ビジネス|正式"
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a request says about form. None where it says nothing; `points` are sentences or bullets at most.

    `words` and `characters` bound the whole text; `longer` and `shorter` compare with what was said before.
    """

    points: int | None = None
    bullets: bool = False
    words: int | None = None
    characters: int | None = None
    shorter: bool = False
    longer: bool = False
    tone: Tone = "plain"


def wish(request: str) -> Wish:
    """Read a request, English or Japanese."""
    said = unicodedata.normalize("NFKC", request).casefold()
    bullets, sentences = _BULLETS.search(said), _SENTENCES.search(said)
    points = _count(sentences or bullets)
    words, characters = _WORDS.search(said), _CHARACTERS.search(said)
    if points is None and _ONE.search(said):
        points = 1
    return Wish(
        min(points, MOST) if points else None,
        (bullets is not None and sentences is None) or bool(_LIST.search(said)),
        _count(words) if words else None,
        int(characters["count"]) if characters else None,
        bool(_SHORTER.search(said)),
        bool(_LONGER.search(said)),
        next((tone for tone, pattern in _TONES if pattern.search(said)), "plain"),
    )


def without_form(request: str) -> str:
    """A request without what it says about length: "Keep it under 60 words" is for the writer, not for the reader."""
    return _FORM_ONLY.sub("", request).strip()


def _count(match: re.Match[str] | None) -> int | None:
    """The number that a match found, in digits, in words or as a kanji."""
    if match is None:
        return None
    found = match.groupdict()
    text = found.get("count") or found.get("kanji") or ""
    if text.isdecimal():
        return int(text) or None
    return _SPOKEN.get(text) or _KANJI.get(text) or (20 if found.get("few") else None)
