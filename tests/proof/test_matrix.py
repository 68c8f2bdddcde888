"""Nine kinds of people, every tool, every kind of room: what each gets, and which layer refuses. Also a page in docs/.

`ROLECALL_WRITE_MATRIX=1 pytest tests/proof -k "matrix or command_line"` writes the page anew.
"""

from __future__ import annotations

from functools import cache
from itertools import count

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
from bot.types import Answer, Done, Message, Passage, Plan, Principal, Room, Turn
from tests.assistant.library import WordEmbeddings, saying
from tests.delivery.fakes import FakeJournal
from tests.fakes import FakeDirectory, FakeIndex, FakeRecords, FakeRouter
from tests.proof.kinds import KINDS, MEMBERS, NO_POLICY, READS, ROLES, check_page, granted, members, rendered
from tools.search import search_documents

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
    "admin": someone("admin"),
    "guest": someone("guest", "S0FIN", kind="guest"),
    "external": someone("ext", "S0FIN", kind="external"),
    "deactivated": someone("gone", "S0FIN", active=False),
    "bot": someone("bot", "S0FIN", kind="bot"),
    "unknown": someone("new", "S0FIN", tenant="T0OTHER"),
}
DOCUMENTS = {f"{label}.md": frozenset({label}) for label in ("company", "filings", "maintenance")}
PASSAGES = [Passage(f"p-{name}", name, f"The ferry of {name}.", labels) for name, labels in DOCUMENTS.items()]
FIN, OPS = PEOPLE["finance"], PEOPLE["operations"]
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
LISTED = dict.fromkeys(MEMBERS, "company") | {"finance": "company filings", "both": "company filings"}
SEEN = {
    "direct": members(READS),
    "public": members("company"),
    "listed": members(LISTED),
    "listed, with operations": members("company"),
    "listed, with a guest": members("nothing"),
    "private, not listed": members("company"),
    "roster unreadable": members("company"),
    "external": members("nothing"),
}
"""What the room sees if such a person asks there: written down by hand, from the rules in docs/roles.md."""
MAY = {name: members(READS if name == "search_documents" else granted(name)) for name in TOOLS}
"""What each tool does for somebody alone."""


def simple(name: str) -> BaseTool:
    @tool(name, response_format="content_and_artifact", return_direct=True)
    async def work(text: str, runtime: ToolRuntime[Turn]) -> tuple[str, Answer]:
        """Do it."""
        return "Done.", Answer("Done.")

    return work


@cache
def staff() -> tuple[Supervisor, FakeRouter]:
    """The real supervisor with every tool, and the router whose plan it follows."""
    router = FakeRouter("chat")
    librarian = Librarian(FakeIndex(PASSAGES), saying("unused"), WordEmbeddings(), sentences=9)
    tools = [search_documents(librarian), *(simple(name) for name in TOOLS if name != "search_documents")]
    return Supervisor(saying("I am the model."), tools, router, mode="router"), router


async def ask(kind: str, wanted: str, where: str) -> Answer:
    """One turn through the real supervisor, turns, audience and gate."""
    (room, roster), person = ROOMS[where], PEOPLE[kind]
    present = [*roster, person] if roster is not None else None
    directory = FakeDirectory([*PEOPLE.values()], {} if present is None else {room: present})
    audience, records = Audience(lambda: POLICY, directory), FakeRecords(DOCUMENTS)
    supervisor, router = staff()
    router.plan, numbers = Plan(wanted, "router", 1.0), count(1)
    turns = Turns(
        audience, supervisor, Gate(audience, records), Memory(FakeJournal(), records), lambda: f"a{next(numbers)}"
    )
    replies = [reply async for reply in turns.take(Message("m1", person, room, "What is the ferry?"))]
    assert isinstance(replies[-1], Done)
    return replies[-1].answer


def told(answer: Answer) -> str:
    """What somebody got: the labels they were shown, done, nothing found, or the layer that refused."""
    refusals = {"no-access": NO_POLICY, "not-granted": "refused by planner", "access-changed": "refused by gate"}
    if answer.refused:
        return refusals[answer.refused]
    if answer.text == ENGLISH.not_found:
        return "nothing"
    return " ".join(sorted(source.document.removesuffix(".md") for source in answer.sources)) or "done"


@pytest.mark.parametrize("wanted", TOOLS)
async def test_each_tool_for_each_kind_of_person(wanted: str) -> None:
    assert {kind: told(await ask(kind, wanted, "direct")) for kind in KINDS} == MAY[wanted]


@pytest.mark.parametrize("where", ROOMS)
async def test_what_each_room_hears_when_each_kind_of_person_asks(where: str) -> None:
    answers = {kind: await ask(kind, "search_documents", where) for kind in KINDS}
    assert {kind: told(answer) for kind, answer in answers.items()} == SEEN[where]
    for kind, answer in answers.items():
        if answer.private is not None:
            assert told(answer.private) == READS[kind]


def test_the_page_shows_the_policy_and_what_was_measured() -> None:
    check_page("policy", ["```yaml", *ROLES.strip().splitlines(), "```"])
    check_page("tools", rendered(MAY))
    check_page("rooms", rendered(SEEN))
