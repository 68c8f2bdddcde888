"""The gate trusts neither the index nor the model: it looks at the readers and the SQL record as they are now."""

from dataclasses import replace

import pytest

from bot.access.audience import Audience
from bot.access.gate import Gate
from bot.access.policy import parse_policy
from bot.types import Answer, Citation, Delta, Message, Principal, Room
from tests.fakes import FakeDirectory, FakeRecords

POLICY = parse_policy(
    """
version: 1
tenants: {slack: [T0HOME]}
labels: [company, filings]
roles:
  everyone: {applies_to: members, read: [company], tools: [search_documents]}
  finance: {members: [slack-group:S0FIN], read: [filings]}
rooms:
  slack:T0HOME/C0FIN: {ceiling: [filings, company]}
"""
)
FIONA = Principal("slack", "T0HOME", "U0FIONA", groups=frozenset({"slack-group:S0FIN"}))
OSKAR = Principal("slack", "T0HOME", "U0OSKAR")
FINANCE = Room("slack", "T0HOME", "C0FIN", "private")
DIRECT = Room("slack", "T0HOME", "D0", "direct")
REPORT = Citation(
    1, "airline/report.pdf", "Annual report", frozenset({"filings"}), 4, "https://docs.acme.example/r.pdf"
)
ANSWER = Answer("Revenue was 12 [1]. See https://evil.com/?x=12", (REPORT,))


class House:
    def __init__(self) -> None:
        self.directory = FakeDirectory([FIONA, OSKAR], {FINANCE: [FIONA]})
        self.records = FakeRecords({"airline/report.pdf": {"filings"}})
        self.gate = Gate(Audience(lambda: POLICY, self.directory), self.records, {"docs.acme.example"})


@pytest.fixture
def house() -> House:
    return House()


def question(room: Room, sender: Principal = FIONA) -> Message:
    return Message("m1", sender, room, "What was revenue?")


async def test_an_answer_that_all_readers_may_see_passes_with_its_text_made_inert(house: House) -> None:
    shown = await house.gate.room(question(FINANCE), ANSWER)
    assert shown is not None
    assert shown.text == "Revenue was 12 [1]. See [link removed]"
    assert shown.sources == (REPORT,)


async def test_somebody_who_joined_during_the_turn_stops_it(house: House) -> None:
    house.directory.rosters[FINANCE] = [FIONA, OSKAR]
    assert await house.gate.room(question(FINANCE), ANSWER) is None
    assert await house.gate.asker(question(FINANCE), ANSWER) is not None


async def test_a_label_that_changed_in_sql_stops_it_whatever_the_index_said(house: House) -> None:
    record = house.records.rows["airline/report.pdf"]
    house.records.rows["airline/report.pdf"] = replace(record, labels=frozenset({"hr"}))
    assert await house.gate.room(question(FINANCE), ANSWER) is None
    assert await house.gate.asker(question(DIRECT), ANSWER) is None


@pytest.mark.parametrize("state", ["indexing", "removing", "failed"])
async def test_a_source_that_is_not_settled_in_sql_is_not_shown(house: House, state: str) -> None:
    record = house.records.rows["airline/report.pdf"]
    house.records.rows["airline/report.pdf"] = replace(record, state=state)
    assert await house.gate.room(question(FINANCE), ANSWER) is None


async def test_a_source_that_sql_does_not_know_is_not_shown(house: House) -> None:
    house.records.rows.clear()
    assert await house.gate.asker(question(DIRECT), ANSWER) is None


async def test_one_hidden_source_among_several_is_enough(house: House) -> None:
    hidden = Citation(2, "airline/hidden.pdf", "Hidden", frozenset({"company"}))
    assert await house.gate.room(question(FINANCE), replace(ANSWER, sources=(REPORT, hidden))) is None


async def test_a_streamed_piece_is_held_to_the_same_rule(house: House) -> None:
    piece = Delta("Revenue was 12 [1]. <!channel>", (REPORT,))
    shown = await house.gate.piece(question(FINANCE), piece)
    assert shown == Delta("Revenue was 12 [1]. [mention removed]", (REPORT,))
    house.directory.rosters[FINANCE] = [FIONA, OSKAR]
    assert await house.gate.piece(question(FINANCE), piece) is None


async def test_a_source_link_to_an_unlisted_host_is_left_out(house: House) -> None:
    foreign = replace(REPORT, url="https://evil.com/r.pdf")
    shown = await house.gate.room(question(FINANCE), replace(ANSWER, sources=(foreign,)))
    assert shown is not None
    assert shown.sources[0].url == ""


@pytest.mark.parametrize("document", ["airline/report.pdf", "airline/unknown.pdf"])
async def test_what_a_text_rests_on_without_citing_it_is_checked_as_well(house: House, document: str) -> None:
    house.directory.rosters[FINANCE] = [FIONA, OSKAR]
    uncited = Answer("Twelve.", rests_on=frozenset({document}))
    assert await house.gate.room(question(FINANCE), uncited) is None
    assert await house.gate.asker(question(DIRECT, OSKAR), uncited) is None
    assert await house.gate.piece(question(FINANCE), Delta("Twelve.", rests_on=frozenset({document}))) is None


async def test_the_private_answer_within_is_held_to_what_the_asker_may_see(house: House) -> None:
    house.directory.rosters[FINANCE] = [FIONA, OSKAR]
    both = Answer("Nothing here.", private=ANSWER)
    for_fiona = await house.gate.room(question(FINANCE), both)
    assert for_fiona is not None
    assert for_fiona.private is not None
    assert for_fiona.private.text == "Revenue was 12 [1]. See [link removed]"
    for_oskar = await house.gate.room(question(FINANCE, OSKAR), both)
    assert for_oskar is not None
    assert for_oskar.private is None


async def test_who_loses_a_role_during_the_turn_is_not_shown_its_answer(house: House) -> None:
    house.directory.people[FIONA.ref] = replace(FIONA, groups=frozenset())
    assert await house.gate.asker(question(DIRECT), ANSWER) is None
    assert await house.gate.room(question(FINANCE), ANSWER) is None


async def test_a_title_is_made_inert_too(house: House) -> None:
    named = replace(REPORT, title="Report <!channel> https://evil.com/x")
    shown = await house.gate.asker(question(DIRECT), replace(ANSWER, sources=(named,)))
    assert shown is not None
    assert shown.sources[0].title == "Report [mention removed] [link removed]"
