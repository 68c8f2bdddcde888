"""Takes the messages that a request is about out of it: a list, one text, an upload's column, or a thread.

What stands in them is material. Nothing here reads them for instructions, and the request is never taken from a file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

from bot.assistant.concepts import concepts
from bot.assistant.sizes import of_files
from bot.types import Excerpt, Upload

_BULLET = re.compile(r"^\s*(?:[-*•・>]\s+|[・•]|\(?\d{1,4}[.):、]\s*|[①-⑳]\s*)(?=\S)")
_QUOTED = re.compile(r"[“「『\"]([^“”「」『』\"]{2,})[”」』\"]")
_LEAD = re.compile(r"^(?P<asked>[^:：]{3,200}[:：])\s*(?P<rest>\S.*)$", re.S)
_ONE = re.compile(
    r"\b(?:this|the following|that) (?:\w+ ){0,2}?(?:message|e-?mail|mail|letter|review|comment|text|reply"
    r"|post|note|answer|sentence)\b"
    r"|この(?:[^、。\s]{0,6})(?:メール|文|メッセージ|レビュー|コメント|手紙|返信|投稿|返事|文章)",
    re.I,
)
_THREAD = re.compile(
    r"\b(?:thread|conversation|discussion|channel|chat)\b|スレッド|会話|やり取り|やりとり|チャット|チャンネル", re.I
)
_DEEDS = frozenset({"feeling", "grouping"})
_NUMBER = re.compile(r"[\d\s.,:/%+$€¥()-]*")


@dataclass(frozen=True, slots=True)
class Item:
    """One message under analysis; `author` is empty where nobody is named."""

    text: str
    author: str = ""


@dataclass(frozen=True, slots=True)
class Material:
    """The request in the person's own words, and what it is about. `thread` says that it means the place it stands in."""

    request: str
    items: tuple[Item, ...]
    thread: bool = False


def material(text: str, excerpts: Sequence[Excerpt] = (), uploads: Sequence[Upload] = ()) -> Material:
    """What a message asks and what about: files before excerpts before its own lines."""
    request, own = divided(text)
    if any(upload.sections for upload in uploads):
        found = tuple(item for upload in uploads for item in uploaded(upload))
        return Material(request if own else text.strip(), found)
    if excerpts:
        return Material(request if own else text.strip(), tuple(Item(one.text, one.author) for one in excerpts))
    return Material(request, tuple(Item(one) for one in own), thread=not own and bool(_THREAD.search(request)))


def sizes(excerpts: Sequence[Excerpt], uploads: Sequence[Upload]) -> tuple[int, int]:
    """Characters that are messages for certain, and characters of tables, of which one column is: counted, not read."""
    tables = sum(len(section.text) for upload in uploads for section in upload.sections if section.table)
    if uploads_read := of_files(uploads):
        return uploads_read - tables, tables
    return sum(len(one.text) for one in excerpts), 0


def divided(text: str) -> tuple[str, list[str]]:
    """The request of a message, and the items that come with it."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    if sum(bool(line.strip()) for line in lines) < 2:
        return _in_one_line(text.strip())
    marked = [number for number, line in enumerate(lines) if _BULLET.match(line)]
    if marked:
        return _listed(lines, marked)
    asked = 0 if _asks(lines[0]) or not _asks(lines[-1]) else len(lines) - 1
    rest = [line for number, line in enumerate(lines) if number != asked]
    if _ONE.search(lines[asked]):
        return lines[asked].strip(), ["\n".join(rest).strip()]
    return lines[asked].strip(), _blocks(rest)


def uploaded(upload: Upload) -> list[Item]:
    """The rows of a table, by the column that says most; of any other file the lines, or the paragraphs if it has them."""
    tables = [section.text for section in upload.sections if section.table]
    if not tables:
        return [Item(block) for block in _blocks(upload.text.splitlines())]
    rows = [line.split(" | ") for table in tables for line in table.splitlines()]
    if len(rows) < 2:
        return [Item(" ".join(row)) for row in rows]
    header, body = rows[0], [row for row in rows[1:] if row != rows[0]]
    column = max(range(max(map(len, rows))), key=lambda place: _telling(body, place))
    cells = [row[column].strip() for row in body if column < len(row)]
    said = header[column] if column < len(header) else ""
    return [Item(cell) for cell in ([said] if _is_sentence(said) else []) + cells if cell]


def _telling(rows: Sequence[Sequence[str]], column: int) -> float:
    """How much text a column holds in the mean; figures say nothing."""
    cells = [row[column] for row in rows if column < len(row)]
    return mean(0 if _NUMBER.fullmatch(cell) else len(cell) for cell in cells) if cells else 0.0


def _is_sentence(cell: str) -> bool:
    return len(cell) > 30 or cell.endswith((".", "!", "?", "。", "！", "？"))


def _in_one_line(text: str) -> tuple[str, list[str]]:
    """A request with its item in quotation marks or behind a colon."""
    quoted = _QUOTED.findall(text)
    if quoted and len("".join(quoted)) < len(text):
        return " ".join(_QUOTED.sub(" ", text).split()), [one.strip() for one in quoted]
    lead = _LEAD.match(text)
    if lead and _asks(lead["asked"]):
        parts = [part.strip() for part in re.split(r"[;；]", lead["rest"]) if part.strip()]
        return lead["asked"], parts
    return text, []


def _listed(lines: Sequence[str], marked: Sequence[int]) -> tuple[str, list[str]]:
    """Bulleted items with the lines that go on; what stands before them and after an empty line is the request."""
    items: list[str] = []
    asked = [line for line in lines[: marked[0]] if line.strip()]
    behind = False
    for number, line in enumerate(lines[marked[0] :], marked[0]):
        behind = (behind or not line.strip()) and number not in marked
        if number in marked:
            items.append(_BULLET.sub("", line).strip())
        elif line.strip() and behind:
            asked.append(line)
        elif line.strip():
            items[-1] += f" {line.strip()}"
    return "\n".join(asked).strip(), items


def _blocks(lines: Sequence[str]) -> list[str]:
    """Paragraphs if empty lines set them apart, else lines."""
    text = "\n".join(lines).strip()
    parts = re.split(r"\n\s*\n", text) if re.search(r"\n\s*\n", text) else text.splitlines()
    return [part.strip() for part in parts if part.strip()]


def _asks(line: str) -> bool:
    return not _DEEDS.isdisjoint(concepts(line.casefold()))
