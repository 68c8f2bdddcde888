"""Nine kinds of people and an administrator under one policy, what each holds, and the page that shows what each gets.

What is expected is written down by hand, from docs/roles.md; what is measured comes from real turns and real commands.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.assistant.words import ENGLISH

PAGE = Path(__file__).parents[2] / "docs" / "access-matrix.md"
ROLES = """
version: 1
tenants: {slack: [T0HOME]}
labels: [company, filings, maintenance]
roles:
  everyone: {applies_to: members, read: [company], tools: [search_documents, summarize, translate, draft]}
  finance: {members: [slack-group:S0FIN], read: [filings], tools: [write_code, debug_code]}
  operations: {members: [slack-group:S0OPS], read: [maintenance], tools: [sentiment, classify]}
  owners: {members: [slack-user:T0HOME/U0ADMIN], admin: true}
rooms:
  slack:T0HOME/C0FIN: {ceiling: [filings, company]}
"""
MEMBERS = ("finance", "operations", "both", "no role", "admin")
KINDS = (*MEMBERS, "guest", "external", "deactivated", "bot", "unknown")
EVERYBODYS = frozenset({"search_documents", "summarize", "translate", "draft"})
TOOLS_OF = {
    "finance": EVERYBODYS | {"write_code", "debug_code"},
    "operations": EVERYBODYS | {"sentiment", "classify"},
    "both": EVERYBODYS | {"write_code", "debug_code", "sentiment", "classify"},
    "no role": EVERYBODYS,
    "admin": EVERYBODYS,
}
READS = {
    "finance": "company filings",
    "operations": "company maintenance",
    "both": "company filings maintenance",
    "no role": "company",
    "admin": "company",
}
ROLES_OF = {
    "finance": "everyone finance",
    "operations": "everyone operations",
    "both": "everyone finance operations",
    "no role": "everyone",
    "admin": "everyone owners",
}
OWN = "their own"
NO_POLICY, NO_PLANNER = "refused by policy", "refused by planner"

Cells = Mapping[str, str]
Table = Mapping[str, Cells]
"""The cells of each column, by kind of person."""


def members(cell: str | Cells, others: str | Cells = NO_POLICY) -> Cells:
    """A column in which every member gets the same, or what a mapping says, and everybody else something else."""
    given = {kind: cell if isinstance(cell, str) else cell[kind] for kind in MEMBERS}
    return given | {kind: others if isinstance(others, str) else others[kind] for kind in KINDS if kind not in MEMBERS}


def granted(tool: str) -> Cells:
    """What each member gets of a tool."""
    return {kind: "done" if tool in TOOLS_OF[kind] else NO_PLANNER for kind in MEMBERS}


def abilities(text: str) -> frozenset[str]:
    """The tools that a text offers, each by what it does for one."""
    return frozenset(tool for tool, does in ENGLISH.abilities.items() if does.casefold() in text.casefold())


def told_of_tools(kind: str, text: str) -> str:
    """Whether a text offers somebody exactly the tools that they hold."""
    found = abilities(text)
    if not found:
        return "nothing"
    return OWN if found == TOOLS_OF.get(kind) else " ".join(sorted(found))


def told_of_turn(rows: Sequence[Mapping[str, Any]]) -> str:
    """What became of one message, by its rows in the audit: labels shown, done, nothing found, or the layer that refused."""
    if not rows:
        return "not heard"
    last = rows[0]
    match last["event"]:
        case "refused" | "withheld":
            return f"refused by {last['layer']}"
        case "failed":
            return "nobody to tell"
        case "withdrawn":
            return str(last["reason"])
        case "forgotten":
            return "forgotten"
    labels = {label for _, carried in last["documents"] for label in carried}
    return " ".join(sorted(labels)) or ("nothing" if last["tool"] == "search_documents" else "done")


def check_page(section: str, lines: Sequence[str]) -> None:
    """A section of the page says what was measured; `ROLECALL_WRITE_MATRIX=1` writes it anew."""
    begin, end = f"<!-- measured: {section} -->", "<!-- end -->"
    page = PAGE.read_text(encoding="utf-8")
    wanted = "\n".join([begin, "", *lines, "", end])
    found = re.search(f"{re.escape(begin)}.*?{re.escape(end)}", page, re.S)
    assert found, f"{PAGE.name} has no section {section}"
    if os.environ.get("ROLECALL_WRITE_MATRIX"):
        PAGE.write_text(page.replace(found[0], wanted), encoding="utf-8")
    else:
        assert found[0] == wanted


def rendered(table: Table, kinds: Collection[str] = KINDS) -> list[str]:
    """A table in Markdown, one line for each kind of person."""
    rows = [["", *table], ["---"] * (len(table) + 1)]
    rows += [[kind, *(cells[kind] for cells in table.values())] for kind in kinds]
    return [f"| {' | '.join(row)} |" for row in rows]
