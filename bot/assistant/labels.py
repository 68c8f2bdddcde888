"""What a request to sort says about the result: the labels it names, or how many groups it wants."""

from __future__ import annotations

import re
import unicodedata
from itertools import chain, islice

MOST = 200
"""Labels that one request may name."""
LEADS = 20
"""Places of a request at which a list may begin, each of which is tried."""
LONGEST = 10_000
"""Characters of such a list."""

_QUOTED = re.compile(r"[“「『\"]([^“”「」『』\"]{1,40})[”」』\"]")
_LEAD = re.compile(
    r"\b(?:into|as|under|between|among|among these|(?:labels?|categor(?:y|ies)|tags?|class(?:es)?|buckets?|types?|groups?)"
    r"(?: are| is)?\s*[:：]|labels?|categories|tags|one of|of the labels)\s*[:：]?\s+",
    re.I,
)
_LEAD_JA = re.compile(r"(?:ラベル|カテゴリー?|分類先|区分|タグ|種類)(?:は|：|:)\s*")
_OBJECT_JA = re.compile(r"^.*[をは](?:、)?")
_TAIL_JA = re.compile(
    r"(?:の(?:いずれか|どれか?|どちらか?|[一二三四五六七八九\d]+つ?))?(?:に|で|へ|の)?(?:分け|分類|仕分け|振り分け|整理|ラベル付け|タグ付け|判定|です|でしょう|どれ|どちら)"
)
_ARTICLE = re.compile(r"^(?:(?:the|an?|either|as|into|(?:is|are) (?:it|they|this|these)|please)\s+)+", re.I)
_FITS = re.compile(r"\s+(?:fits?|apply|applies|please|match(?:es)?|is it|are they)\b.*$", re.I)
_CHOICE = re.compile(r"\bor\b|/|\bvs\b|か[、?]|か$", re.I)
_SPLIT = re.compile(r"\s*(?:,|;|/|、|・|\||\band\b|\bor\b|\bvs\.?\b)\s*", re.I)
_SPLIT_JA = re.compile(r"と|または|もしくは|か(?=[^、]{1,12}か?$)")
_GENERIC = re.compile(
    r"^(?:\w+ )?(?:groups?|themes?|topics?|categor(?:y|ies)|clusters?|buckets?|classes|labels?|tags?|kinds?|types?)$"
    r"|^(?:グループ|テーマ|トピック|話題|カテゴリー?|種類|内容)(?:別|ごと)?$|ごと$|[をがは]",
    re.I,
)
_FORM = re.compile(
    r"(?:in |to |with )?(?:a |an )?(?:csv|excel|xlsx|spreadsheet|table|file)(?: file| table)?|表|ファイル", re.I
)
"""How the result is wanted, which is no label."""
_COUNT = re.compile(
    r"\b(\d{1,3}|two|three|four|five|six|seven|eight|nine|ten) (?:\w+ )?"
    r"(?:groups?|themes?|topics?|categories|clusters?|buckets?|classes|kinds?)\b"
    r"|([\d一二三四五六七八九十]{1,3})(?:つ|個)?の?(?:グループ|テーマ|トピック|話題|カテゴリ|種類)",
    re.I,
)
_NUMBERS = {
    word: number
    for words in ("two three four five six seven eight nine ten", "二 三 四 五 六 七 八 九 十")
    for number, word in enumerate(words.split(), 2)
}


def labels_of(request: str) -> list[str]:
    """The labels that a request names, in its order; empty if it names fewer than two."""
    text = " ".join(unicodedata.normalize("NFKC", request).split())
    quoted = _unique(_QUOTED.findall(text))
    if len(quoted) > 1:
        return quoted[:MOST]
    clauses = [clause for clause in re.split(r"[.?!。？！:]\s*", text) if clause.strip()]
    leads = chain(islice(_LEAD.finditer(text), LEADS), islice(_LEAD_JA.finditer(text), LEADS))
    tails = [text[lead.end() : lead.end() + LONGEST] for lead in leads]
    choices = [clause for clause in reversed(clauses) if _CHOICE.search(clause) or _TAIL_JA.search(clause)]
    for candidate in (*tails, *choices):
        found = _listed(re.split(r"[.?!。？！:]", candidate)[0])
        if len(found) > 1:
            return found[:MOST]
    return []


def count_of(request: str) -> int | None:
    """How many groups a request asks for; None if it leaves that open."""
    found = _COUNT.search(unicodedata.normalize("NFKC", request).casefold())
    if not found:
        return None
    said = found[1] or found[2]
    number = int(said) if said.isdecimal() else _NUMBERS.get(said, 0)
    return number if number > 1 else None


def _listed(text: str) -> list[str]:
    """The parts of a list of short names; nothing if a part is not a name."""
    text = _OBJECT_JA.sub("", _TAIL_JA.split(text)[0])
    parts = _SPLIT.split(text)
    if any("\u3040" <= one <= "\u9fff" for one in text):
        parts = [piece for part in parts for piece in _SPLIT_JA.split(part)]
    names = [_FITS.sub("", _ARTICLE.sub("", part.strip(" 「」\"'“”()（）"))).removesuffix("か") for part in parts]
    names = [name for name in names if name and not _FORM.fullmatch(name)]
    if any(len(name.split()) > 4 or len(name) > 40 or _GENERIC.search(name) for name in names):
        return []
    return _unique(names)


def _unique(names: list[str]) -> list[str]:
    return list({name.casefold(): name for name in reversed(names)}.values())[::-1]
