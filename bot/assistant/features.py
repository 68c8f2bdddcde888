"""What the router looks at in a request: the words that ask, and the kinds of material that come with them.

A pasted log, a traceback or a long letter would drown the one line that says what to do with it. So the asking lines
are told apart from the pasted ones; of the latter only their kinds are kept.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterator
from itertools import combinations

from bot.assistant.concepts import concepts
from bot.language import language

BUCKETS = 1 << 15
LINE = 220  # characters of an asking line that are read
KINDS_WEIGHT = 0.5
CONCEPT = 0.5
PAIR = 0.25

_FENCE = re.compile(r"```.*?(```|\Z)", re.S)
_TRACE = re.compile(
    r"traceback|^\s*at \S+\(|^\s+file \"|\w*(error|exception)\b ?[:(]|panic|err!|segmentation fault|^fatal:|core dumped",
    re.M | re.I,
)
_CODE = re.compile(
    r"^\s*(def|class|import|from \w+ import|for .*:$|if .*:$|while .*:$|return|print\(|const|let|var|function|public|select|insert"
    r"|update|fn|func|#include|package|using|async|try:|except|end;?$|[{}\])]+[;,]?$|\w+ ?= ?\S+$|\w[\w.]*\(.*\);?$)|[;{]$|=>|\"\"\"",
    re.I,
)
_LOG = re.compile(r"\d{1,2}:\d\d|\b(error|warn|info|debug|fatal)\b.*\S", re.I)
_ITEM = re.compile(r"^\s*([-*•・]|\d+[.)]|[a-z][.)])\s*\S")
_SPEAKER = re.compile(r"^\s*\S{1,20}( \S{1,15})?\s?[:：] ?\S")
_QUOTED = re.compile(r"^\s*(\"|“|「|>).*(\"|”|」)?$")
_CELLS = re.compile(r"\S[,;|\t]\S.*[,;|\t]\S")
_GREETING = re.compile(
    r"^(hi|hello|hey|good (morning|afternoon|evening)|thanks|thank you|ok|okay|おはようございます|こんにちは|お疲れ様です|"
    r"ありがとうございます)( there| rolecall| everyone)?[!,.。、！ -]+(?=\S)"
)
_POLITE = re.compile(
    r"^(please|pls|kindly|(can|could|would|will) (you|u)( please| quickly| maybe| kindly)?|i('d| would) like (you )?to|i (need|want) (you )?to)\s+"
)
_CLOSING = re.compile(
    r"(?<=\S)[,.!?。、]?\s+(please |pls |i hope |could you |can you |so )*(help|help me|advise|thanks|thank you|thx|assist)( me)?( out)?( in advance| please)?\W*$"
)
_REQUEST_JA = re.compile(
    r"(て|で|下さい|ください|たい|たいです|ほしい|欲しい|ほしいです|お願い|お願いします|もらえますか|いただけますか|くれますか|もらえる|くれる)[?]?$"
)
_QUESTION = re.compile(
    r"(and |but |so |what|who|whom|whose|where|when|which|why|how|is|are|was|were|do|does|did|can|may|must|should|shall|has|have|am|any|does anyone)\b"
)
_STATEMENT = frozenset("i i'm i've my our we the there this it a an some somebody according thanks ok from".split())
_SUBJECTS = frozenset(["company", "fact", "find", "this", "language", "you"])
_WORD = re.compile(r"[a-z][a-z'+#]*|\d+")
_JAPANESE = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+")


def asking(text: str) -> str:
    """The lines that ask, in order, each cut at `LINE` characters: all of a short request, the frame of a long one."""
    lines = [line.strip() for line in _FENCE.sub("\n", text).splitlines() if line.strip()]
    if len(lines) < 2:
        return " ".join(line[:LINE] for line in lines)
    frame = [line[:LINE] for line in (lines[0], lines[-1]) if not _pasted(line)]
    return "\n".join(frame)


def _pasted(line: str) -> bool:
    return bool(
        _CODE.search(line) or _TRACE.search(line) or _ITEM.match(line) or _QUOTED.match(line) or _CELLS.search(line)
    )


def _bare(view: str) -> str:
    """The view without greeting, courtesy and thanks around the request itself."""
    return _CLOSING.sub("", _POLITE.sub("", _GREETING.sub("", view)))


def kinds(text: str) -> set[str]:
    """The kinds of material that come with a request."""
    lines = [line for line in text.splitlines() if line.strip()]
    found = {f"lines={min(len(lines), 4)}"} if len(lines) > 1 else set()
    if "```" in text:
        found.add("fence")
    if _TRACE.search(text):
        found.add("trace")
    for name, pattern in (("code", _CODE), ("log", _LOG), ("item", _ITEM), ("speaker", _SPEAKER), ("quoted", _QUOTED)):
        if len(lines) > 1 and sum(1 for line in lines if pattern.search(line)) >= (
            1 if name in ("code", "quoted") else 2
        ):
            found.add(name)
    if len(lines) > 1 and len({language(line) for line in lines}) > 1:
        found.add("two languages")
    if len(text) > 400:
        found.add("long")
    return found


def terms(text: str) -> Iterator[tuple[str, float]]:
    """The weighted terms of a request's asking lines: words and their pairs, n-grams of characters, how it opens and ends."""
    view = unicodedata.normalize("NFKC", asking(text)).casefold()
    plain = _bare(view)
    words = _WORD.findall(plain)
    yield from ((f"w {word}", 1.0) for word in words)
    yield from ((f"p {first} {second}", 1.0) for first, second in zip(words, words[1:], strict=False))
    if words:
        yield f"o {words[0]}", 1.5
        yield f"o {' '.join(words[:2])}", 1.0
    for word in words:
        yield from ((f"c {gram}", 0.4) for gram in grams(f"<{word}>", 3, 5))
    for run in _JAPANESE.findall(plain):
        yield from ((f"j {gram}", 1.0) for gram in grams(run, 1, 4))
        yield from ((f"e {run[-size:]}", 1.0) for size in (2, 3, 4) if len(run) >= size)
    yield f"q {view.rstrip().endswith(('?', 'か', 'か。'))}", 0.7
    yield f"n {min(len(words) + len(''.join(_JAPANESE.findall(plain))) // 3, 12) // 3}", 0.7


def traits(text: str) -> Iterator[tuple[str, float]]:
    """The weighted traits of a request that no single word carries: its concepts and their pairs, and what came with it."""
    view = unicodedata.normalize("NFKC", asking(text)).casefold()
    came = kinds(text)
    found = concepts(_bare(view))
    material = "material" if came or "this" in found else "bare"
    asked_for = "+".join(sorted(set(found) - _SUBJECTS)) or "plain"
    yield from ((f"a {name}", CONCEPT) for name in found)
    yield from (
        (f"b {first} {second}", PAIR) for first, second in combinations(sorted([*found, act(view), material]), 2)
    )
    yield f"s {asked_for}", CONCEPT
    yield f"s {asked_for} {material}", CONCEPT
    yield f"s {asked_for} {material} {act(view)}", PAIR
    if found:
        yield f"f {found[0]}", PAIR
    yield from ((f"k {kind}", KINDS_WEIGHT) for kind in came)


def act(view: str) -> str:
    """Whether the asking lines ask a question, request a deed, or do neither."""
    plain = _GREETING.sub("", view)
    last = plain.splitlines()[-1].rstrip(' 。.!！:：」"') if plain else ""
    if _POLITE.match(plain) or _REQUEST_JA.search(last):
        return "request"
    if _QUESTION.match(plain) or last.endswith(("?", "か", "かな", "かね")):
        return "question"
    opening = plain.split(" ", 1)[0]
    return "statement" if opening in _STATEMENT or not plain else "deed"


def grams(text: str, shortest: int, longest: int) -> Iterator[str]:
    """All runs of `shortest` to `longest` characters."""
    for size in range(shortest, longest + 1):
        yield from (text[start : start + size] for start in range(len(text) - size + 1))


def sparse(text: str) -> dict[int, float]:
    """The request as bucket -> value; the terms have length 1 together, each kind of material `KINDS_WEIGHT`."""
    values: dict[int, float] = {}
    for term, weight in terms(text):
        bucket = zlib.crc32(term.encode()) % BUCKETS
        values[bucket] = max(values.get(bucket, 0.0), weight)
    length = sum(value * value for value in values.values()) ** 0.5
    values = {bucket: value / length for bucket, value in values.items()}
    for term, weight in traits(text):
        bucket = zlib.crc32(term.encode()) % BUCKETS
        values[bucket] = values.get(bucket, 0.0) + weight
    return values
