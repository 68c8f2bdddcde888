"""Answers as Teams shows them: no headings and no tables in its Markdown, and at most so much in one message.

Sizes are in bytes of UTF-16, as Teams counts them.
"""

from __future__ import annotations

import re

PART = 40_000
"""Bytes of text in one message: Teams takes 100 KB with everything in it, and people stop reading long before."""
_HEADING = re.compile(r"^ {0,3}#{1,6}\s+(.*?)\s*#*$")
_ROW = re.compile(r"^\s*\|.*\|\s*$")
_FENCE = re.compile(r"^ {0,3}(```+|~~~+)")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])")


def size(text: str) -> int:
    """Bytes of UTF-16."""
    return len(text.encode("utf-16-le"))


def markdown(text: str) -> str:
    """Headings become bold lines and tables stand in a code block, where their columns stay columns."""
    shown: list[str] = []
    fenced = table = False
    for line in text.split("\n"):
        if _FENCE.match(line):
            fenced = not fenced
        row = not fenced and bool(_ROW.match(line))
        if row != table:
            shown.append("```")
            table = row
        heading = None if fenced or row else _HEADING.match(line)
        shown.append(f"**{heading[1]}**" if heading else line)
    if table:
        shown.append("```")
    return "\n".join(shown)


def parts(text: str, limit: int = PART) -> list[str]:
    """The text in pieces of at most `limit`, cut between lines, or sentences of a line that is too long.

    Nothing is lost. A code block that is cut is closed, and opened again in the next piece.
    """
    if size(text) <= limit:
        return [text]
    room = limit - 64  # for a fence at either end
    found: list[str] = []
    current: list[str] = []
    used, fence = 0, ""
    for line in (piece for whole in text.split("\n") for piece in _short(whole, room - 2)):
        cost = size(line) + 2
        if current and used + cost > room:
            found.append("\n".join([*current, "```"] if fence else current))
            current, used = ([fence], size(fence) + 2) if fence else ([], 0)
        current.append(line)
        used += cost
        if _FENCE.match(line):
            fence = "" if fence else line[:24]
    found.append("\n".join(current))
    return [one for one in found if one.strip()]


def _short(line: str, limit: int) -> list[str]:
    """A line in pieces of at most `limit`: whole sentences where they fit, else as many characters as do."""
    if size(line) <= limit:
        return [line]
    found, current = [], ""
    for sentence in _SENTENCE.split(line):
        for piece in [sentence[at : at + limit // 4] for at in range(0, len(sentence), limit // 4)] or [""]:
            joined = f"{current} {piece}" if current and current[-1] in ".!?" else current + piece
            if size(joined) <= limit:
                current = joined
            else:
                found.append(current)
                current = piece
    return [*found, current]
