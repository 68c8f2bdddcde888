"""Nine kinds of people, every tool, every kind of room: what each gets, and which layer refuses. Also a page in docs/.

The page is generated: `ROLECALL_WRITE_MATRIX=1 pytest tests/proof/test_matrix.py` writes it anew.
"""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

import pytest
from langchain.tools import ToolRuntime
from langchain_core.tools import BaseTool, tool

from bot.access.audience import Audience
from bot.access.gate import Gate
from bot.access.policy import parse_policy
from bot.access.schema import TOOLS
from bot.assistant.librarian import Librarian
from bot.assistant.memory import Memory
from bot.assistant.supervisor import Supervisor
from bot.assistant.words import ENGLISH
from bot.delivery.turns import Turns
from bot.types import Answer, Done, Message, Passage, Principal, Room, Turn
from tests.assistant.library import WordEmbeddings, saying
from tests.delivery.fakes import FakeJournal
from tests.fakes import FakeDirectory, FakeIndex, FakeRecords, FakeRouter
from tools.search import search_documents

PAGE = Path(__file__).parents[2] / "docs" / "access-matrix.md"
ROLES = """
version: 1
tenants: {slack: [T0HOME]}
labels: [company, filings, maintenance]
roles:
  everyone: {applies_to: members, read: [company], tools: [search_documents, summarize, translate, draft]}
  finance: {members: [slack-group:S0FIN], read: [filings], tools: [write_code, debug_code]}
  operations: {members: [slack-group:S0OPS], read: [maintenance], tools: [sentiment, classify]}
rooms:
  slack:T0HOME/C0FIN: {ceiling: [filings, company]}
"""
POLICY = parse_policy(ROLES)


def someone(name: str, *groups: str, tenant: str = "T0HOME", **more: object) -> Principal:
    return Principal(
        "slack", tenant, f"U0{name.upper()}", groups=frozenset(f"slack-group:{one}" for one in groups), **more
    )  # type: ignore[arg-type]


PEOPLE = {
    "finance": someone("fin", "S0FIN"),
    "operations": someone("ops", "S0OPS"),
    "both": someone("both", "S0FIN", "S0OPS"),
    "no role": someone("none"),
    "guest": someone("guest", "S0FIN", kind="guest"),
    "external": someone("ext", "S0FIN", kind="external"),
    "deactivated": someone("gone", "S0FIN", active=False),
    "bot": someone("bot", "S0FIN", kind="bot"),
    "unknown": someone("new", "S0FIN", tenant="T0OTHER"),
}
DOCUMENTS = {f"{label}.md": frozenset({label}) for label in ("company", "filings", "maintenance")}
FIN, OPS, NONE = PEOPLE["finance"], PEOPLE["operations"], PEOPLE["no role"]
ROOMS = {
    "direct": (Room("slack", "T0HOME", "D0", "direct"), ()),
    "public": (Room("slack", "T0HOME", "C0PUB", "public"), (FIN, OPS)),
    "listed": (Room("slack", "T0HOME", "C0FIN", "private"), (FIN,)),
    "listed, with operations": (Room("slack", "T0HOME", "C0FIN", "private"), (FIN, OPS)),
    "listed, with a guest": (Room("slack", "T0HOME", "C0FIN", "private"), (FIN, PEOPLE["guest"])),
    "private, not listed": (Room("slack", "T0HOME", "C0PRV", "private"), (FIN,)),
    "roster unreadable": (Room("slack", "T0HOME", "C0FIN", "private"), None),
    "external": (Room("slack", "T0HOME", "C0EXT", "external"), (FIN,)),
}
MEMBERS = ("finance", "operations", "both", "no role")
EVERYBODYS = {"search_documents", "summarize", "translate", "draft"}
EXTRA = {"finance": {"write_code", "debug_code"}, "operations": {"sentiment", "classify"}}
EXTRA |= {"both": EXTRA["finance"] | EXTRA["operations"]}
READS = {
    "finance": "company filings",
    "operations": "company maintenance",
    "both": "company filings maintenance",
    "no role": "company",
}
COMMON = dict.fromkeys(MEMBERS, "company")
SEEN = {
    "direct": READS,
    "public": COMMON,
    "listed": {"finance": "company filings", "operations": "company", "both": "company filings", "no role": "company"},
    "listed, with operations": COMMON,
    "listed, with a guest": {},
    "private, not listed": COMMON,
    "roster unreadable": COMMON,
    "external": {},
}  # fmt: skip
"""What the room sees if such a person asks there: written down by hand, from the rules in docs/roles.md."""


def simple(name: str) -> BaseTool:
    @tool(name, response_format="content_and_artifact", return_direct=True)
    async def work(text: str, runtime: ToolRuntime[Turn]) -> tuple[str, Answer]:
        """Do it."""
        return "Done.", Answer("Done.")

    return work


async def ask(person: Principal, wanted: str, where: str) -> Answer:
    """One turn through the real supervisor, turns, audience and gate."""
    room, roster = ROOMS[where]
    present = [*roster, person] if roster is not None else None
    directory = FakeDirectory([*PEOPLE.values()], {} if present is None else {room: present})
    records = FakeRecords(DOCUMENTS)
    audience = Audience(lambda: POLICY, directory)
    index = FakeIndex(
        [Passage(f"p-{name}", name, f"The ferry of {name}.", labels) for name, labels in DOCUMENTS.items()]
    )
    librarian = Librarian(index, saying("unused"), WordEmbeddings(), sentences=9)
    tools = [search_documents(librarian), *(simple(name) for name in TOOLS if name != "search_documents")]
    supervisor = Supervisor(saying("I am the model."), tools, FakeRouter(wanted), mode="router")
    numbers = count(1)
    turns = Turns(
        audience, supervisor, Gate(audience, records), Memory(FakeJournal(), records), lambda: f"a{next(numbers)}"
    )
    replies = [reply async for reply in turns.take(Message("m1", person, room, "What is the ferry?"))]
    assert isinstance(replies[-1], Done)
    return replies[-1].answer


def told(answer: Answer) -> str:
    """What somebody got: the labels they were shown, done, nothing found, or the layer that refused."""
    refusals = {
        "no-access": "refused by policy",
        "not-granted": "refused by planner",
        "access-changed": "refused by gate",
    }
    if answer.refused:
        return refusals[answer.refused]
    if answer.text == ENGLISH.not_found:
        return "nothing"
    return " ".join(sorted(source.document.removesuffix(".md") for source in answer.sources)) or "done"


def may(kind: str, wanted: str) -> str:
    if kind not in MEMBERS:
        return "refused by policy"
    if wanted not in EVERYBODYS | EXTRA.get(kind, set()):
        return "refused by planner"
    return READS[kind] if wanted == "search_documents" else "done"


@pytest.mark.parametrize("wanted", TOOLS)
@pytest.mark.parametrize("kind", PEOPLE)
async def test_each_tool_for_each_kind_of_person(kind: str, wanted: str) -> None:
    assert told(await ask(PEOPLE[kind], wanted, "direct")) == may(kind, wanted)


def heard(kind: str, where: str) -> str:
    if where == "direct" or kind in MEMBERS:
        return SEEN[where].get(kind, "refused by policy" if kind not in MEMBERS else "nothing")
    return "refused by policy"


@pytest.mark.parametrize("where", ROOMS)
@pytest.mark.parametrize("kind", PEOPLE)
async def test_what_each_room_hears_when_each_kind_of_person_asks(kind: str, where: str) -> None:
    answer = await ask(PEOPLE[kind], "search_documents", where)
    assert told(answer) == heard(kind, where)
    if answer.private is not None:
        assert told(answer.private) == READS[kind]


async def test_the_page_shows_what_was_measured() -> None:
    lines = ["# Who gets what", "", *_intro(), "", "## Tools, in a direct message", ""]
    lines += _table(
        ["", *TOOLS],
        [[kind, *[told(await ask(one, name, "direct")) for name in TOOLS]] for kind, one in PEOPLE.items()],
    )
    lines += [
        "",
        "## Documents, by room and asker",
        "",
        "What the room hears; the rest of what the asker may read goes to them alone.",
        "",
    ]
    rows = [
        [kind, *[told(await ask(one, "search_documents", where)) for where in ROOMS]] for kind, one in PEOPLE.items()
    ]
    page = "\n".join([*lines, *_table(["", *ROOMS], rows), ""])
    if os.environ.get("ROLECALL_WRITE_MATRIX"):
        PAGE.write_text(page, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page


INTRO = """
Generated by `tests/proof/test_matrix.py`, which also holds what is expected; it fails if this page is not true. Nine kinds
of people ask under this policy, and each cell is what a real turn gave them: the labels they were shown, `done`, `nothing`
(the words of "not found"), or the layer that refused. Guest, external, deactivated, bot and unknown are in the finance
group: it does not help them.
"""


def _intro() -> list[str]:
    return [*INTRO.strip().splitlines(), "", "```yaml", *ROLES.strip().splitlines(), "```"]


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows]]
