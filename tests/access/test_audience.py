"""Who reads an answer decides what it may rest on: each rule alone, and the exact intersection against brute force."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.access.audience import MAX_READERS, Audience, Readers, alone, together
from bot.access.policy import own_labels, parse_policy
from bot.types import Access, Principal, Room, for_everyone
from tests.access.policies import (
    ALL,
    BOTH,
    CARLA,
    DIRECT,
    EXTERNAL,
    FINANCE,
    FIONA,
    FOREIGN,
    GONE,
    GUEST,
    OPERATIONS,
    OSKAR,
    PLAIN,
    POLICY,
    ROBOT,
    SHARED,
    TEXT,
)
from tests.fakes import FakeDirectory

PEOPLE = [FIONA, CARLA, OSKAR, BOTH, PLAIN, GONE, GUEST, EXTERNAL, FOREIGN, ROBOT]
LABELS = ("company", "filings", "sap", "maintenance", "hr")


async def heard(asker: Principal, room: Room, roster: Sequence[Principal] | None = (), policy: str = TEXT) -> set[str]:
    """The labels that the room may hear of, when this person asks."""
    rosters = {} if roster is None else {room: roster}
    parsed = parse_policy(policy)
    access = await Audience(lambda: parsed, FakeDirectory(PEOPLE, rosters)).access(asker, room)
    return {label for label in LABELS if access.sees({label})}


async def test_alone_with_the_bot_one_hears_what_one_may_read() -> None:
    assert await heard(FIONA, DIRECT) == {"company", "filings", "sap"}
    assert await heard(OSKAR, DIRECT) == {"company", "maintenance"}


@pytest.mark.parametrize("nobody", [GUEST, EXTERNAL, ROBOT, GONE, FOREIGN])
@pytest.mark.parametrize("room", [DIRECT, ALL, FINANCE, OPERATIONS, SHARED])
async def test_who_holds_nothing_hears_nothing_anywhere(nobody: Principal, room: Room) -> None:
    assert await heard(nobody, room, [CARLA]) == set()


async def test_a_public_room_hears_what_every_member_may_read() -> None:
    assert await heard(FIONA, ALL, [FIONA, CARLA]) == {"company"}


async def test_a_public_room_that_is_listed_still_hears_only_what_every_member_may_read() -> None:
    listed = TEXT.replace("slack:T0HOME/C0FIN:", "slack:T0HOME/C0ALL:")
    assert await heard(FIONA, ALL, [FIONA], listed) == {"company"}


async def test_an_outsider_who_asks_makes_the_room_one_of_outsiders() -> None:
    audience = Audience(lambda: POLICY, FakeDirectory(PEOPLE, {ALL: [FIONA]}))
    assert (await audience.readers(GUEST, ALL)).rule == "outsider"
    assert (await audience.readers(FIONA, ALL)).rule == "public"


async def test_a_public_room_with_a_guest_hears_nothing() -> None:
    assert await heard(FIONA, ALL, [FIONA, GUEST]) == set()


async def test_a_room_shared_with_another_organisation_hears_nothing() -> None:
    assert await heard(FIONA, SHARED, [FIONA]) == set()


async def test_a_room_of_another_tenant_hears_nothing() -> None:
    assert await heard(FIONA, replace(ALL, tenant="T0OTHER"), [FIONA]) == set()


async def test_a_room_of_an_unknown_kind_hears_nothing() -> None:
    assert await heard(FIONA, replace(FINANCE, kind="huddle"), [FIONA]) == set()  # type: ignore[arg-type]


async def test_a_listed_room_hears_what_all_its_readers_may_read() -> None:
    assert await heard(FIONA, FINANCE, [FIONA, CARLA]) == {"company", "filings"}
    assert await heard(FIONA, FINANCE, [FIONA, CARLA, OSKAR]) == {"company"}


async def test_a_listed_room_hears_nothing_above_its_ceiling() -> None:
    assert "sap" in await heard(FIONA, DIRECT)
    assert "sap" not in await heard(FIONA, FINANCE, [FIONA])


async def test_a_private_room_without_a_ceiling_hears_what_every_member_may_read() -> None:
    assert await heard(BOTH, OPERATIONS, [BOTH]) == {"company"}
    assert await heard(FIONA, replace(FINANCE, id="C0NEW"), [FIONA]) == {"company"}


async def test_the_asker_counts_even_where_the_roster_misses_them() -> None:
    assert await heard(OSKAR, FINANCE, [FIONA]) == {"company"}


@pytest.mark.parametrize("outsider", [GUEST, EXTERNAL, FOREIGN])
@pytest.mark.parametrize("room", [FINANCE, OPERATIONS, ALL])
async def test_one_outsider_and_the_room_hears_nothing(outsider: Principal, room: Room) -> None:
    assert await heard(FIONA, room, [FIONA, CARLA, outsider]) == set()


async def test_a_deactivated_member_of_a_listed_room_may_read_nothing_and_so_may_the_room() -> None:
    assert await heard(FIONA, FINANCE, [FIONA, GONE]) == set()


async def test_bots_in_a_room_are_not_readers() -> None:
    assert await heard(FIONA, FINANCE, [FIONA, ROBOT]) == {"company", "filings"}


@pytest.mark.parametrize(("room", "kept"), [(FINANCE, {"company"}), (OPERATIONS, {"company"}), (ALL, {"company"})])
async def test_a_room_whose_roster_cannot_be_read_hears_what_every_member_may_read(room: Room, kept: set[str]) -> None:
    assert await heard(FIONA, room, None) == kept


async def test_a_room_with_too_many_readers_hears_what_every_member_may_read() -> None:
    crowd = [replace(FIONA, id=f"U{number}") for number in range(MAX_READERS)]
    assert await heard(FIONA, FINANCE, crowd) == {"company", "filings"}
    assert await heard(FIONA, FINANCE, [*crowd, CARLA]) == {"company"}
    assert await heard(FIONA, FINANCE, [*crowd, GUEST]) == set()


async def test_a_ceiling_lowers_a_public_room_too() -> None:
    listed = TEXT.replace("slack:T0HOME/C0FIN:", "slack:T0HOME/C0ALL:").replace("[filings, company]", "[filings]")
    assert await heard(FIONA, ALL, [FIONA], listed) == set()


async def test_documents_that_name_their_own_readers_are_heard_by_those_alone() -> None:
    audience = Audience(lambda: POLICY, FakeDirectory(PEOPLE, {FINANCE: [FIONA, CARLA], ALL: [FIONA]}))
    document = own_labels(FIONA)
    assert (await audience.private(FIONA)).sees(document)
    assert not (await audience.private(CARLA)).sees(document)
    assert not (await audience.access(FIONA, FINANCE)).sees(document)
    assert not (await audience.access(FIONA, ALL)).sees(document)


async def test_tools_are_the_askers_and_the_policy_is_named() -> None:
    audience = Audience(lambda: POLICY, FakeDirectory(PEOPLE, {FINANCE: [FIONA, OSKAR]}))
    for access in (await audience.access(FIONA, FINANCE), await audience.private(FIONA)):
        assert access.tools == {"search_documents", "summarize", "write_code"}
        assert access.policy == POLICY.hash
    assert (await audience.access(OSKAR, FINANCE)).tools == {"search_documents", "summarize"}
    assert (await audience.access(GUEST, FINANCE)).tools == frozenset()


async def test_the_policy_that_holds_at_the_moment_decides() -> None:
    policies = [POLICY, parse_policy(TEXT.replace("    read: [filings, sap]\n", "    read: [hr]\n"))]
    audience = Audience(lambda: policies[0], FakeDirectory(PEOPLE))
    assert (await audience.private(FIONA)).sees({"filings"})
    policies.pop(0)
    assert not (await audience.private(FIONA)).sees({"filings"})


async def test_a_file_that_somebody_shared_with_two_people_is_not_lost_to_both_in_their_room() -> None:
    """The intersection is over documents, not over label names: a document may reach each reader by another label."""
    access = await Audience(lambda: POLICY, FakeDirectory(PEOPLE, {FINANCE: [FIONA, OSKAR]})).access(FIONA, FINANCE)
    assert not access.sees({"filings"})
    assert not access.sees({"maintenance"})
    assert access.sees({"filings", "maintenance"})


label_sets = st.frozensets(st.sampled_from(LABELS), max_size=4)


@given(readers=st.lists(label_sets, max_size=6), document=label_sets)
@settings(max_examples=1000, deadline=None)
def test_the_reduced_sets_decide_as_every_single_reader_would(
    readers: list[frozenset[str]], document: frozenset[str]
) -> None:
    everyone_may = bool(readers) and all(reader & document for reader in readers)
    assert for_everyone(readers).sees(document) == everyone_may


def by_hand(asker: Principal, room: Room, roster: Sequence[Principal] | None, document: frozenset[str]) -> bool:
    """The rule of rooms written down a second time, reader by reader, without sets of sets."""
    ours = {person for person in PEOPLE if person.tenant == "T0HOME" and person.kind == "member"}
    finance = {FIONA, CARLA, BOTH}
    operations = {OSKAR, BOTH}

    def reads(person: Principal) -> bool:
        if person not in ours or person == GONE:
            return False
        return bool(
            "company" in document
            or (person in finance and document & {"filings", "sap"})
            or (person in operations and "maintenance" in document)
        )

    humans = [person for person in roster or () if person != ROBOT]
    if not reads(asker):
        return False
    if room == DIRECT:
        return True
    if room == SHARED or any(person not in ours for person in humans):
        return False
    if room == FINANCE:
        below = bool(document & {"filings", "company"})
        return below and (all(map(reads, humans)) if roster is not None else "company" in document)
    return "company" in document


@given(
    asker=st.sampled_from(PEOPLE),
    room=st.sampled_from([DIRECT, ALL, FINANCE, OPERATIONS, SHARED]),
    roster=st.none() | st.lists(st.sampled_from(PEOPLE), max_size=6),
    document=label_sets,
)
@settings(max_examples=1500, deadline=None)
def test_a_room_hears_exactly_what_each_of_its_readers_may_read(
    asker: Principal, room: Room, roster: list[Principal] | None, document: frozenset[str]
) -> None:
    access = (alone(POLICY, asker) if room == DIRECT else together(POLICY, asker, room, roster)).access
    assert access.sees(document) == by_hand(asker, room, roster, document)


@given(roster=st.lists(st.sampled_from(PEOPLE), max_size=6), more=st.sampled_from(PEOPLE), document=label_sets)
@settings(max_examples=300, deadline=None)
def test_one_reader_more_never_shows_more(roster: list[Principal], more: Principal, document: frozenset[str]) -> None:
    def seen(readers: Readers) -> bool:
        return readers.access.sees(document)

    assert seen(together(POLICY, FIONA, FINANCE, [*roster, more])) <= seen(together(POLICY, FIONA, FINANCE, roster))


def test_no_access_is_no_access() -> None:
    assert not Access().can_read
    assert not for_everyone([frozenset()]).can_read


async def test_the_directory_of_the_moment_says_who_the_asker_is() -> None:
    directory = FakeDirectory(PEOPLE, {FINANCE: [FIONA, CARLA]})
    audience = Audience(lambda: POLICY, directory)
    assert (await audience.private(replace(FIONA, groups=frozenset()))).sees({"filings"})
    for changed in (replace(FIONA, groups=frozenset()), replace(FIONA, active=False), replace(FIONA, kind="guest")):
        directory.people[FIONA.ref] = changed
        assert not (await audience.private(FIONA)).sees({"filings"})
        assert not (await audience.access(FIONA, FINANCE)).sees({"filings"})
        assert not (await audience.access(FIONA, DIRECT)).sees({"filings"})
    assert (await audience.access(FIONA, FINANCE)).tools == frozenset()


@pytest.mark.parametrize("room", [DIRECT, ALL, FINANCE])
async def test_whom_the_directory_does_not_know_is_nobody(room: Room) -> None:
    audience = Audience(lambda: POLICY, FakeDirectory(rosters={room: [CARLA]}))
    access = await audience.access(FIONA, room)
    assert not access.can_read
    assert access.tools == frozenset()


async def test_an_outsider_whom_the_directory_calls_a_member_stays_an_outsider() -> None:
    known = replace(GUEST, kind="member")
    assert not (await Audience(lambda: POLICY, FakeDirectory([known])).private(GUEST)).can_read


async def test_a_room_that_was_opened_to_another_organisation_meanwhile_hears_nothing() -> None:
    opened = replace(FINANCE, kind="external")
    audience = Audience(lambda: POLICY, FakeDirectory(PEOPLE, {opened: [FIONA]}))
    assert not (await audience.access(FIONA, FINANCE)).can_read


async def test_a_shared_room_never_counts_as_a_direct_one() -> None:
    claimed = replace(FINANCE, kind="direct")
    audience = Audience(lambda: POLICY, FakeDirectory(PEOPLE, {claimed: [FIONA], FINANCE: [FIONA, OSKAR]}))
    assert not (await audience.access(FIONA, FINANCE)).sees({"filings"})
