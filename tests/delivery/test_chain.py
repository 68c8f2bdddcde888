"""A request of two parts on its whole way: a signed event, two specialists, the gate, the audit, and what people see."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from bot.assistant.given import Giver
from bot.assistant.librarian import Librarian
from bot.assistant.summarizing import Summarizer
from bot.assistant.supervisor import Supervisor
from bot.assistant.translating import Translator
from bot.assistant.words import ENGLISH
from bot.types import Access, Passage, Room
from connectors.chat.signing import signed
from connectors.chat.webhook import WebhookDoor, WebhookWay
from connectors.site import open_site
from tests.assistant.library import WordEmbeddings, saying
from tests.delivery.house import ALL, FIONA, House
from tests.delivery.soak.peer import Peer
from tests.fakes import FakeIndex, FakeRouter
from tools.search import search_documents
from tools.summarize import summarize

SECRET = "s3cret"
BOTH = "What was net revenue in 2025? Then summarize it in one bullet"
REPORT = Passage(
    "r",
    "airline/report.pdf",
    "Net revenue in 2025 was EUR 1,482.6 million before tax.",
    frozenset({"filings"}),
    "Annual report",
    page=7,
)
PRESS = Passage(
    "p", "airline/press.md", "Net revenue in 2025 was about EUR 1.48 billion.", frozenset({"company"}), "Press release"
)
WHOLE, SHORT = f"- {REPORT.text} [1]", f"- {PRESS.text} [1]"


class Library(FakeIndex):
    """Documents one of which may be withdrawn as soon as it was found."""

    def __init__(self, house: House) -> None:
        super().__init__([REPORT, PRESS])
        self.house = house
        self.withdrawn = ""

    async def search(self, query: str, access: Access, limit: int = 8) -> list[Passage]:
        found = await super().search(query, access, limit)
        if self.withdrawn:
            await self.house.records.delete(self.withdrawn)
        return found[:1]


class Company:
    """A house with a librarian and an editor, between a signed way in and a chat that shows what is posted."""

    def __init__(self, session: ClientSession, peer: Peer) -> None:
        self.session, self.peer, self.port = session, peer, 0
        doors = {"webhook": WebhookDoor(session, peer.url, SECRET)}
        self.house = House(doors=doors)
        self.index = Library(self.house)
        model, meaning, giver = saying("The model was asked."), WordEmbeddings(), Giver(self.index)
        translator = Translator(giver, model, capable=False)
        tools = [
            search_documents(Librarian(self.index, model, meaning)),
            summarize(Summarizer(giver, model, meaning, translator)),
        ]
        supervisor = Supervisor(model, tools, FakeRouter("search_documents"))
        self.house = House(assistant=supervisor, doors=doors)
        self.index.house = self.house

    async def ask(self, room: Room | None) -> None:
        """A signed event comes in and is answered."""
        event = {"event": "e1", "id": "m1", "as": FIONA.ref, "in": room.ref if room else "", "text": BOTH}
        body = json.dumps(event).encode()
        url = f"http://127.0.0.1:{self.port}/webhook"
        async with self.session.post(url, data=body, headers=signed(SECRET, time.time(), body)) as response:
            assert response.status == 200
        await self.house.answer_next()

    def seen(self) -> list[tuple[str | None, str]]:
        """For whom each standing message is, and what it says now."""
        return [(one.only, one.text) for one in self.peer.shown.values() if not one.removed]

    def ever_shown(self) -> str:
        """Every form of every message that anybody but the asker alone could see."""
        forms = [form for one in self.peer.shown.values() if not one.only for form in one.forms]
        return json.dumps([form for _, form in forms])


@pytest.fixture
async def company() -> AsyncIterator[Company]:
    async def changed(room: str, person: str) -> None:
        pass

    async def ready() -> tuple[bool, dict[str, object]]:
        return True, {}

    peer = Peer(SECRET)
    async with peer.listening(), ClientSession() as session:
        made = Company(session, peer)
        way = WebhookWay([SECRET], made.house.directory, made.house.receiver.receive, changed)
        async with open_site("127.0.0.1", 0, {"POST /webhook": way.handle}, ready, 1024 * 1024) as made.port:
            yield made


async def test_both_tools_and_their_source_are_in_the_answer_and_in_the_audit(company: Company) -> None:
    await company.ask(None)
    assert company.seen() == [(None, WHOLE)]
    (row,) = [one for one in company.house.journal.entries if one.event == "answered"]
    assert (row.tool, row.by, row.person) == ("search_documents+summarize", "rule", FIONA.ref)
    assert row.documents == ((REPORT.document, ("filings",)),)


async def test_the_room_gets_what_all_may_see_and_the_asker_the_fuller_answer_alone(company: Company) -> None:
    await company.ask(ALL)
    assert company.seen() == [(None, SHORT), (FIONA.ref, WHOLE)]
    assert "1,482.6" not in company.ever_shown()
    rows = [(one.private, one.tool, one.documents) for one in company.house.journal.entries if one.event == "answered"]
    assert rows == [
        (False, "search_documents+summarize", ((PRESS.document, ("company",)),)),
        (True, "search_documents+summarize", ((REPORT.document, ("filings",)),)),
    ]


async def test_a_source_that_is_withdrawn_between_the_steps_withholds_the_answer(company: Company) -> None:
    company.index.withdrawn = REPORT.document
    await company.ask(None)
    assert company.seen() == [(None, ENGLISH.access_changed)]
    assert "1,482.6" not in company.ever_shown()
    assert [one.layer for one in company.house.journal.entries if one.event == "refused"] == ["gate"]


async def test_a_room_whose_source_is_withdrawn_is_told_and_the_asker_keeps_the_rest(company: Company) -> None:
    company.index.withdrawn = PRESS.document
    await company.ask(ALL)
    assert (None, ENGLISH.access_changed) in company.seen()
    assert "1.48" not in company.ever_shown()
