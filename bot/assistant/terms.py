"""What a text is about, as a set of terms that can be compared: stems, numbers, identifiers, and pairs of kanji or kana."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_CJK = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_TERM = re.compile(
    rf"(?P<cjk>[{_CJK}]+)"
    r"|(?P<code>(?=[a-z0-9])(?=[a-z0-9/-]{0,99}\d)(?=[a-z0-9/-]{0,99}[a-z/-])[a-z0-9]+(?:[-/][a-z0-9]+)*)"
    r"|(?P<number>\d+(?:[.,]\d+)*)"
    rf"|(?P<word>[^\W\d_{_CJK}]+)"
)
_MEANT = re.compile(r"[\u3005\u3400-\u4dbf\u4e00-\u9fff]+|[\u30a0-\u30ffー]+")
_CAPITALISED = re.compile(r"\b[A-Z][a-z]+(?:\s(?:of\s|and\s|for\s)?[A-Z][a-z]+){2,}")
_FEWEST, _MOST = 3, 5
"""Letters of initials that mean something by themselves."""
_ASKED = re.compile(r"(?<![幾如])何[\u3005\u3400-\u9fff]?")
"""What is asked for is no notion that an answer mentions: how many, at what time, in which year."""
_KANJI_NUMBERS = str.maketrans("〇一二三四五六七八九", "0123456789")
_ENDINGS = re.compile(r"(?:ies|ing|ed|es|s|ly)$")

STOP = frozenset(
    "a about after all also am an and any are as at be been before but by can could did do does for from had has have he "
    "her his how i if in into is it its many me much my no not of on or our out please she should so some tell than that "
    "the their them then there these they this those to under up us was we were what when where which while who whom whose "
    "why will with would you your amount number give show find know explain mean say said".split()
)
JAPANESE_STOP = frozenset(
    "誰 時 年 人 月 日 場所 名前 名 事 物 方 中 教 下 知 内容 理由 意味 際 場合 上 以下 必要 可能".split()
)


def fold(text: str) -> str:
    """The form in which texts are compared: NFKC, lower case."""
    return unicodedata.normalize("NFKC", text).lower()


def terms(text: str) -> set[str]:
    """All terms but stop words: what is matched between a question and a sentence. A name brings its initials, as in CEO."""
    found = set(_initials(text))
    for match in _TERM.finditer(fold(text)):
        kind, value = match.lastgroup, match.group()
        if kind == "cjk":
            found.update(pairs(value))
        elif kind == "number":
            found.add(value.replace(",", ""))
        elif kind == "code":
            found.update((value, *re.split(r"[-/]", value)))
        elif value not in STOP:
            found.add(stem(value))
    return found


def _initials(text: str) -> Iterator[str]:
    for run in _CAPITALISED.findall(text):
        letters = "".join(re.findall(r"[A-Z]", run)).lower()
        for length in range(_FEWEST, min(len(letters), _MOST) + 1):
            yield from (letters[i : i + length] for i in range(len(letters) - length + 1))


def pairs(run: str) -> list[str]:
    """Neighbouring characters of a run without word borders; a single character stands for itself."""
    return [run] if len(run) == 1 else [run[i : i + 2] for i in range(len(run) - 1)]


def stem(word: str) -> str:
    """An English word without its ending, roughly: enough to match "exceeds" and "exceeded"."""
    short = _ENDINGS.sub("", word) if len(word) > 4 else word
    return short.removesuffix("e") if len(short) > 4 else short


def asked(question: str) -> list[tuple[frozenset[str], float]]:
    """What a question is about: each notion as its terms, with a weight. Numbers and codes weigh double."""
    found: list[tuple[frozenset[str], float]] = []
    for match in _TERM.finditer(fold(question)):
        kind, value = match.lastgroup, match.group()
        if kind == "cjk":
            runs = [run for run in map(_unasked, _MEANT.findall(value)) if run and run not in JAPANESE_STOP]
            found += [(frozenset(pairs(run)), len(run) ** 0.5) for run in runs]
        elif kind == "word":
            if value not in STOP and len(value) > 1:
                found.append((frozenset({stem(value)}), 1.0))
        else:
            found.append((frozenset({value.replace(",", "")}), 2.0))
    return found


def _unasked(run: str) -> str:
    return _ASKED.sub("", run)


def coverage(question: str, text: str) -> float:
    """The share, 0 to 1, of what a question is about that a text mentions; 1 for a question about nothing particular."""
    notions = list(dict.fromkeys(asked(question)))
    total = sum(weight for _, weight in notions)
    if not total:
        return 1.0
    known, folded = terms(text), fold(text)
    hits = (weight * sum(_mentions(term, known, folded) for term in wanted) / len(wanted) for wanted, weight in notions)
    return sum(hits) / total


def notions(question: str, text: str) -> set[frozenset[str]]:
    """Those notions of a question that a text mentions with all their terms."""
    known, folded = terms(text), fold(text)
    return {wanted for wanted, _ in asked(question) if all(_mentions(term, known, folded) for term in wanted)}


def _mentions(term: str, known: set[str], folded: str) -> bool:
    return term in known or (not term.isascii() and term in folded)


def numbers(text: str) -> Iterator[str]:
    """Numbers as digits without thousands separators, in whatever script they were written."""
    for found in re.findall(r"\d+(?:[.,]\d+)*", fold(text).translate(_KANJI_NUMBERS)):
        yield re.sub(r",(?=\d{3}(?!\d))", "", found).rstrip(".,")
