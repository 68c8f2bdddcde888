"""Markdown with a head of YAML to blocks: headings, paragraphs, list items, tables and page breaks. Nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Literal

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

Kind = Literal["heading", "paragraph", "item", "table", "break"]


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text in one face."""

    text: str
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """One block. `level` is of a heading (1 to 6); `sign` of a list item; `rows` of a table, its header first."""

    kind: Kind
    runs: tuple[Run, ...] = ()
    level: int = 0
    sign: str = ""
    rows: tuple[tuple[str, ...], ...] = ()

    @property
    def text(self) -> str:
        """The words without faces."""
        return "".join(run.text for run in self.runs)


@dataclass(frozen=True, slots=True)
class Prose:
    """A document as written: its title, its author, its date (which stamps the generated file) and its blocks."""

    title: str
    author: str
    made: datetime
    blocks: tuple[Block, ...] = field(repr=False)
    subtitle: str = ""
    language: str = "en"
    look: str = ""


def read_prose(path: Path) -> Prose:
    """Read one file: YAML between `---` lines, then Markdown."""
    _, head, body = path.read_text(encoding="utf-8").split("---\n", 2)
    facts = yaml.safe_load(head)
    return Prose(
        title=facts["title"],
        author=facts["author"],
        made=datetime.combine(facts["date"], time(9), UTC),
        blocks=tuple(_blocks(MarkdownIt("commonmark").enable("table").parse(body))),
        subtitle=facts.get("subtitle", ""),
        language=facts.get("language", "en"),
        look=facts.get("look", ""),
    )


def _blocks(tokens: list[Token]) -> Iterator[Block]:
    signs: list[int | None] = []
    rows: list[tuple[str, ...]] = []
    cells: list[str] = []
    for position, token in enumerate(tokens):
        inline = tokens[position + 1] if position + 1 < len(tokens) else token
        match token.type:
            case "hr":
                yield Block("break")
            case "heading_open":
                yield Block("heading", _runs(inline), level=int(token.tag[1:]))
            case "paragraph_open" if signs:
                yield Block("item", _runs(inline), sign=_sign(signs))
            case "paragraph_open":
                yield Block("paragraph", _runs(inline))
            case "bullet_list_open":
                signs.append(None)
            case "ordered_list_open":
                signs.append(int(token.attrs.get("start", 1)) - 1)
            case "bullet_list_close" | "ordered_list_close":
                signs.pop()
            case "th_open" | "td_open":
                cells.append(inline.content.replace("**", ""))
            case "tr_close":
                rows.append(tuple(cells))
                cells = []
            case "table_close":
                yield Block("table", rows=tuple(rows))
                rows = []


def _sign(signs: list[int | None]) -> str:
    last = signs[-1]
    if last is None:
        return "•"
    signs[-1] = last + 1
    return f"{last + 1}."


def _runs(inline: Token) -> tuple[Run, ...]:
    runs: list[Run] = []
    bold = False
    for child in inline.children or []:
        if child.type in ("strong_open", "strong_close"):
            bold = child.type == "strong_open"
        elif child.type == "softbreak":
            runs.append(Run("" if runs and runs[-1].text[-1:] > "\u3000" else " ", bold))
        elif child.content:
            runs.append(Run(child.content, bold))
    return tuple(runs)
