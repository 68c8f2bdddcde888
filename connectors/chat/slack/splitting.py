"""Splits a long answer into messages: between blocks if it can be, else between sentences; nothing is lost.

Tables and code blocks stay whole. One that is longer than a message is cut between its lines, and what follows gets the
table's heading, or the fence, again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.knowledge.sentences import spans

LIMIT = 9_000
"""UTF-8 bytes of one message: a stream ends at about 11 KB, and all markdown of a message at about 13,000 characters."""
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})([^\n]*)$")


@dataclass(frozen=True, slots=True)
class _Block:
    text: str
    kind: str = "prose"


def split(text: str, limit: int = LIMIT) -> list[str]:
    """The messages, in order; one, maybe empty, if it fits."""
    if _size(text) <= limit:
        return [text]
    parts: list[str] = []
    current = ""
    for piece in _pieces(text, limit):
        if current and _size(current + piece) > limit:
            parts.append(current)
            current = ""
        current += piece
    return [part for part in (one.strip("\n") for one in (*parts, current)) if part.strip()]


def _pieces(text: str, limit: int) -> Iterator[str]:
    """Stretches none of which is longer than a message, to be joined as they are."""
    for block in _blocks(text):
        if _size(block.text) <= limit:
            yield block.text
        elif block.kind == "code":
            yield from _code(block.text, limit)
        elif block.kind == "table":
            yield from _table(block.text, limit)
        else:
            for start, end in spans(block.text):
                yield from _hard(block.text[start:end], limit)


def _blocks(text: str) -> Iterator[_Block]:
    """Paragraphs, tables and code blocks, each with the blank lines behind it; joined they are the text."""
    lines = text.splitlines(keepends=True)
    start, kind, fence = 0, "prose", ""
    for number, line in enumerate(lines):
        opened = _FENCE.match(line.rstrip("\n"))
        if fence:
            if opened and opened[1].startswith(fence) and not opened[2].strip():
                fence = ""
            continue
        here = "code" if opened else "table" if line.lstrip().startswith("|") else "prose"
        before = lines[number - 1] if number else ""
        begins = here != kind or (not before.strip() and bool(line.strip()))
        if begins and line.strip() and number > start:
            yield _Block("".join(lines[start:number]), kind)
            start = number
        if line.strip():
            kind = here
        if opened:
            fence = opened[1]
    yield _Block("".join(lines[start:]), kind)


def _code(text: str, limit: int) -> Iterator[str]:
    opening, *lines = text.splitlines(keepends=True)
    fence = opening.strip()[:3]
    closing = f"{fence}\n"
    body = [line for line in lines if line.strip()[:3] != fence]
    yield from _wrapped(body, opening, closing, limit)


def _table(text: str, limit: int) -> Iterator[str]:
    lines = text.splitlines(keepends=True)
    heading = "".join(lines[:2]) if len(lines) > 1 and set(lines[1].strip()) <= set("|-: ") else ""
    yield from _wrapped(lines[2:] if heading else lines, heading, "", limit)


def _wrapped(lines: list[str], before: str, after: str, limit: int) -> Iterator[str]:
    """Lines in groups that fit, each between `before` and `after`."""
    room = limit - _size(before + after) - 1
    group = ""
    for line in (part for whole in lines for part in _hard(whole, room)):
        if group and _size(group + line) > room:
            yield f"\n{before}{group}{after}"
            group = ""
        group += line
    yield f"\n{before}{group}{after}"


def _hard(text: str, limit: int) -> Iterator[str]:
    """A stretch without any border that is too long, cut between characters."""
    while _size(text) > limit:
        head = text.encode()[:limit].decode(errors="ignore")
        yield head
        text = text[len(head) :]
    yield text


def _size(text: str) -> int:
    return len(text.encode())
