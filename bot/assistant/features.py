"""What the router looks at in a request: the words that ask, and the kinds of material that come with them.

A pasted log, a traceback or a long letter would drown the one line that says what to do with it. So the asking lines
are told apart from the pasted ones; of the latter only their kinds are kept.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterator
from itertools import combinations, pairwise
from typing import Literal

from bot.assistant.concepts import concepts
from bot.language import language

Act = Literal["question", "request", "deed", "statement"]

BUCKETS = 1 << 15
LINE = 220  # characters of an asking line that are read
LONG = 400  # characters from which a request is long
SEEN = 2000  # characters at the start and at the end of a longer request that decide
KIND, CONCEPT, PAIR = 0.5, 0.5, 0.25  # weights of the traits, beside terms that have length 1 together

SUBJECTS = frozenset(["company", "fact", "find", "this", "language", "you"])
"""Concepts that say what a request is about; all others say what is to be done."""

_FENCE = re.compile(r"```.*?(```|\Z)", re.S)
_TRACE = re.compile(
    r"traceback|^[^\S\n]*at \S+\(|^[^\S\n]+file \"|(error|exception)\b ?[:(]|panic|err!|segmentation fault|^fatal:|core dumped",
    re.M | re.I,
)
_CODE = re.compile(
    r"^\s*(def|class|import|from \w+ import|for .*:$|if .*:$|while .*:$|return|print\(|const|let|var|function|public"
    r"|select|insert|update|fn|func|#include|package|using|async|try:|except|end;?$|[{}\])]+[;,]?$|\w+ ?= ?\S+$"
    r"|\w[\w.]*\(.*\);?$)|[;{]$|=>|\"\"\"",
    re.I,
)
_LOG = re.compile(r"\d{1,2}:\d\d|\b(error|warn|info|debug|fatal)\b.*\S", re.I)
_ITEM = re.compile(r"^\s*([-*•・]|\d+[.)]|[a-z][.)])\s*\S")
_SPEAKER = re.compile(r"^\s*\S{1,20}( \S{1,15})?\s?[:：] ?\S")
_QUOTED = re.compile(r"^\s*(\"|“|「|>).*(\"|”|」)?$")
_CELLS = re.compile(r"\S[,;|\t]\S.*[,;|\t]\S")
_ONCE = {"code": _CODE, "quoted": _QUOTED}  # one such line is enough
_TWICE = {"log": _LOG, "item": _ITEM, "speaker": _SPEAKER}

_GREETING = re.compile(
    r"^(hi|hello|hey|good (morning|afternoon|evening)|thanks|thank you|ok|okay|おはようございます|こんにちは|お疲れ様です"
    r"|ありがとうございます)( there| rolecall| everyone)?[!,.。、！ -]+(?=\S)"
)
_POLITE = re.compile(
    r"^(please|pls|kindly|(can|could|would|will) (you|u)( please| quickly| maybe| kindly)?|i('d| would) like (you )?to"
    r"|i (need|want) (you )?to)\s+"
)
_CLOSING = re.compile(
    r"(?<=\S)[,.!?。、]?\s+(please |pls |i hope |could you |can you |so )*"
    r"(help|help me|advise|thanks|thank you|thx|assist)( me)?( out)?( in advance| please)?\W*$"
)
_REQUEST_JA = re.compile(
    r"(て|で|下さい|ください|たい|たいです|ほしい|欲しい|ほしいです|お願い|お願いします|もらえますか|いただけますか"
    r"|くれますか|もらえる|くれる)[?]?$"
)
_QUESTION = re.compile(
    r"(and|but|so|what|who|whom|whose|where|when|which|why|how|is|are|was|were|do|does|did|can|may|must|should|shall"
    r"|has|have|am|any)\b"
)
_STATEMENT = re.compile(r"(i|i'm|i've|my|our|we|the|there|this|it|an?|some|somebody|according|thanks|ok|from)( |$)")
_WORD = re.compile(r"[a-z][a-z'+#]*|\d+")
_JAPANESE = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+")


def sparse(text: str) -> dict[int, float]:
    """The request as bucket -> value: its terms, scaled to length 1 together, and its traits."""
    values: dict[int, float] = {}
    for term, weight in terms(text):
        bucket = _bucket(term)
        values[bucket] = max(values.get(bucket, 0.0), weight)
    length = sum(value * value for value in values.values()) ** 0.5
    values = {bucket: value / length for bucket, value in values.items()}
    for trait, weight in traits(text):
        bucket = _bucket(trait)
        values[bucket] = values.get(bucket, 0.0) + weight
    return values


def asking(text: str) -> str:
    """The lines that ask: all of a short request; of a long one the first and the last unless they look pasted.

    After words that say what to do with what follows there is material only, whatever it seems to ask for.
    """
    lines, announced = _lines(text), announcement(text)
    if announced or len(lines) < 2:
        return (announced or "".join(lines))[:LINE]
    return "\n".join(line[:LINE] for line in (lines[0], lines[-1]) if not _pasted(line))


def announcement(text: str) -> str:
    """The words of a request after which its material comes; empty where they do not say that it comes."""
    lines = _lines(text)
    return _announcement(lines[0], len(lines) > 1) if lines else ""


def kinds(text: str) -> set[str]:
    """The kinds of material that come with a request."""
    size, text = len(text), _ends(text)
    found = {
        name
        for name, there in {"fence": "```" in text, "trace": _TRACE.search(text), "long": size > LONG}.items()
        if there
    }
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < 2:
        return found
    found.add(f"lines={min(len(lines), 4)}")
    found |= {name for name, pattern in _ONCE.items() if any(map(pattern.search, lines))}
    found |= {name for name, pattern in _TWICE.items() if sum(1 for line in lines if pattern.search(line)) > 1}
    return found | ({"two languages"} if len({language(line) for line in lines}) > 1 else set())


def act(view: str) -> Act:
    """Whether the asking lines ask a question, politely request something, order a deed, or state something."""
    plain = _GREETING.sub("", view)
    last = plain.splitlines()[-1].rstrip(' 。.!！:：」"') if plain else ""
    if _POLITE.match(plain) or _REQUEST_JA.search(last):
        return "request"
    if _QUESTION.match(plain) or last.endswith(("?", "か", "かな", "かね")):
        return "question"
    return "statement" if not plain or _STATEMENT.match(plain) else "deed"


def terms(text: str) -> Iterator[tuple[str, float]]:
    """The weighted terms of the asking lines: words, pairs of words, n-grams of characters, how it opens and ends."""
    view = _view(text)
    plain = _bare(view)
    words = _WORD.findall(plain)
    yield from ((f"w {word}", 1.0) for word in words)
    yield from ((f"p {first} {second}", 1.0) for first, second in pairwise(words))
    if words:
        yield f"o {words[0]}", 1.5
        yield f"o {' '.join(words[:2])}", 1.0
    for word in words:
        yield from ((f"c {gram}", 0.4) for gram in _grams(f"<{word}>", 3, 5))
    runs = _JAPANESE.findall(plain)
    for run in runs:
        yield from ((f"j {gram}", 1.0) for gram in _grams(run, 1, 4))
        yield from ((f"e {run[-size:]}", 1.0) for size in (2, 3, 4) if len(run) >= size)
    yield f"q {view.rstrip().endswith(('?', 'か', 'か。'))}", 0.7
    yield f"n {min(len(words) + len(''.join(runs)) // 3, 12) // 3}", 0.7


def traits(text: str) -> Iterator[tuple[str, float]]:
    """The weighted traits that no single word carries: what is to be done, with what, in which kind of sentence."""
    view = _view(text)
    came = kinds(text)
    found = concepts(_bare(view))
    material = "material" if came or "this" in found else "bare"
    deed = "+".join(sorted(set(found) - SUBJECTS)) or "plain"
    yield from ((f"a {name}", CONCEPT) for name in found)
    yield from ((f"b {one} {other}", PAIR) for one, other in combinations(sorted([*found, act(view), material]), 2))
    yield f"s {deed}", CONCEPT
    yield f"s {deed} {material}", CONCEPT
    yield f"s {deed} {material} {act(view)}", PAIR
    if found:
        yield f"f {found[0]}", PAIR
    yield from ((f"k {kind}", KIND) for kind in came)


def _bucket(name: str) -> int:
    return zlib.crc32(name.encode()) % BUCKETS


def _view(text: str) -> str:
    return unicodedata.normalize("NFKC", asking(text)).casefold()


def _bare(view: str) -> str:
    """The view without greeting, courtesy and thanks around the request itself."""
    return _CLOSING.sub("", _POLITE.sub("", _GREETING.sub("", view)))


def _lines(text: str) -> list[str]:
    return [line.strip() for line in _ends(_FENCE.sub("\n", text)).splitlines() if line.strip()]


def _ends(text: str) -> str:
    """The start and the end of a text, which is all that is looked at of a very long one."""
    return text if len(text) <= 2 * SEEN else f"{text[:SEEN]}\n{text[-SEEN:]}"


def _announcement(line: str, more: bool) -> str:
    """The words of a first line after which material comes: up to a colon, or all of it if `more` lines follow; or none."""
    head, colon, rest = unicodedata.normalize("NFKC", line).partition(":")
    said = set(concepts(_bare(head.casefold())))
    if _pasted(line) or not said - SUBJECTS:
        return ""
    if colon and (more if not rest.strip() else "this" in said):
        return f"{head}:"
    asks = more and "this" in said and _REQUEST_JA.search(line.rstrip(" 。.!！"))
    return line if asks else ""


def _pasted(line: str) -> bool:
    return bool(
        _CODE.search(line) or _TRACE.search(line) or _ITEM.match(line) or _QUOTED.match(line) or _CELLS.search(line)
    )


def _grams(text: str, shortest: int, longest: int) -> Iterator[str]:
    for size in range(shortest, longest + 1):
        yield from (text[start : start + size] for start in range(len(text) - size + 1))
