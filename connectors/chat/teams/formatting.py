"""Answers as Teams shows them: no headings and no tables in its Markdown, and at most so much in one message.

Sizes are in bytes of UTF-16, as Teams counts them.
"""

from __future__ import annotations

import re

PART = 24_000
"""Bytes of text in one message: Teams takes 100 KB with everything in it, and people stop reading long before."""
_HEADING = re.compile(r"^ {0,3}#{1,6}\s+(.*)$")
_ROW = re.compile(r"^\s*\|.*\|\s*$")
_ITEM = re.compile(r"^ {0,3}(?:[-*+]|\d{1,3}[.)])\s")
_FENCE = re.compile(r"^ {0,3}(```+|~~~+)")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])")


def size(text: str) -> int:
    """Bytes of UTF-16."""
    return len(text.encode("utf-16-le"))


def markdown(text: str, *, growing: bool = False) -> str:
    """Headings become bold lines, lists stand apart, tables stand in a code block, where their columns stay columns.

    A table at the end of a `growing` text is left open, so that what comes next goes on from it.
    """
    shown: list[str] = []
    fenced = table = False
    for line in text.split("\n"):
        if _FENCE.match(line):
            fenced = not fenced
        row = not fenced and bool(_ROW.match(line))
        if row != table:
            shown.append("```")
            table = row
        item = not fenced and bool(_ITEM.match(line))
        if item and shown and shown[-1].strip() and not _ITEM.match(shown[-1]) and not shown[-1].startswith(" "):
            shown.append("")  # else Teams takes it for the same paragraph
        heading = None if fenced or row else _HEADING.match(line)
        shown.append(f"**{heading[1].rstrip('#').rstrip()}**" if heading else line)
    if table and not growing:
        shown.append("```")
    return "\n".join(shown)


def parts(text: str, limit: int = PART) -> list[str]:
    """The text in pieces of at most `limit`, cut between blocks; a block that is too long between lines, or sentences.

    Nothing is lost. A code block that is cut is closed, and opened again in the next piece; a table in it gets its head again.
    """
    if size(text) <= limit:
        return [text]
    found: list[str] = []
    for block in (piece for whole in _blocks(text) for piece in _cut(whole, limit)):
        if found and size(found[-1]) + size(block) + 4 <= limit:
            found[-1] += "\n\n" + block
        else:
            found.append(block)
    return found


def _blocks(text: str) -> list[str]:
    """What stands between blank lines; a code block is one, whatever stands in it."""
    blocks: list[list[str]] = [[]]
    fenced = False
    for line in text.split("\n"):
        if _FENCE.match(line):
            if not fenced and blocks[-1]:
                blocks.append([])
            blocks[-1].append(line)
            fenced = not fenced
            if not fenced:
                blocks.append([])
        elif line.strip() or fenced:
            blocks[-1].append(line)
        else:
            blocks.append([])
    return ["\n".join(block) for block in blocks if block]


def _cut(block: str, limit: int) -> list[str]:
    """A block in pieces of at most `limit`."""
    if size(block) <= limit:
        return [block]
    lines = block.split("\n")
    if not _FENCE.match(lines[0]):
        return _packed([piece for line in lines for piece in _short(line, limit)], limit, "\n")
    body = lines[1:-1] if _FENCE.match(lines[-1]) else lines[1:]
    head = [lines[0], *(body[:2] if body and _ROW.match(body[0]) else ())]
    rest = body[len(head) - 1 :]
    room = limit - size("\n".join([*head, "```"])) - 8
    packed = _packed([piece for line in rest for piece in _short(line, room)], room, "\n")
    return ["\n".join([*head, piece, "```"]) for piece in packed]


def _short(line: str, limit: int) -> list[str]:
    """A line in pieces of at most `limit`: whole sentences where they fit, else as many characters as do."""
    if size(line) <= limit:
        return [line]
    step = limit // 4  # a character has four bytes at most
    sentences = _SENTENCE.split(line)
    pieces = [one[at : at + step] for one in sentences for at in range(0, len(one), step)]
    return _packed(pieces, limit, " ")


def _packed(pieces: list[str], limit: int, between: str) -> list[str]:
    """As many pieces together as fit."""
    found: list[str] = []
    for piece in pieces:
        if found and size(found[-1] + between + piece) <= limit:
            found[-1] += between + piece
        else:
            found.append(piece)
    return found
