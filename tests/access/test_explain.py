"""Explanations and comparisons: they say what the rules do, with the lines of roles.yaml."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.access.audience import alone, together
from bot.access.diff import Roster, alike, compare
from bot.access.explain import Target, explain, find_target
from bot.access.policy import Limits, parse_policy
from bot.access.who import who_can_read
from bot.errors import ConfigError
from bot.types import Principal
from tests.access.policies import (
    ALL,
    BOTH,
    CARLA,
    EXTERNAL,
    FINANCE,
    FIONA,
    GONE,
    GUEST,
    OPERATIONS,
    OSKAR,
    PLAIN,
    POLICY,
    SHARED,
    TEXT,
)

FILINGS = Target("airline/report.pdf", "document", frozenset({"filings"}))
DOCUMENTS = {
    "airline/report.pdf": frozenset({"filings"}),
    "airline/handbook.md": frozenset({"company"}),
    "airline/brakes.docx": frozenset({"maintenance"}),
    "archive/brakes.docx": frozenset({"maintenance"}),
    "airline/lost.txt": frozenset[str](),
    "airline/letter.md": frozenset({"user:slack-user:T0HOME/U0PLAIN"}),
}


def told(asker: Principal) -> tuple[bool, str, tuple[int, ...]]:
    explanation = explain(POLICY, alone(POLICY, asker), FILINGS)
    finding = explanation.findings[0]
    assert explanation.allowed == finding.allowed
    return finding.allowed, finding.why, finding.lines


def test_who_may_read_by_which_role_entry_and_lines() -> None:
    assert told(FIONA) == (True, "reads 'filings' by the role 'finance', held by slack-group:S0FIN", (11, 14))
    assert told(CARLA) == (True, "reads 'filings' by the role 'finance', held by slack-user:T0HOME/U0CARLA", (12, 14))


def test_who_may_not_and_what_would_change_it() -> None:
    assert told(PLAIN) == (False, "holds 'everyone', not 'filings'; the role 'finance' would give it", (11, 14))
    explanation = explain(POLICY, alone(POLICY, PLAIN), FILINGS)
    (cause,) = explanation.findings[0].causes
    assert (cause.label, cause.role, cause.line) == ("filings", "finance", 14)
    assert list(cause.members.items())[:2] == [("slack-group:S0FIN", 11), ("slack-user:T0HOME/U0CARLA", 12)]


@pytest.mark.parametrize(
    ("person", "why"), [(GUEST, "a guest"), (EXTERNAL, "another organisation"), (GONE, "deactivated")]
)
def test_who_holds_nothing_is_told_why(person: Principal, why: str) -> None:
    allowed, words, _ = told(person)
    assert not allowed
    assert why in words


def test_a_label_that_no_role_gives() -> None:
    hr = Target("hr", "label", frozenset({"hr"}))
    assert "no role gives it" in explain(POLICY, alone(POLICY, FIONA), hr).findings[0].why


def test_a_source_that_names_its_reader() -> None:
    letter = find_target("letter.md", POLICY, DOCUMENTS)
    assert explain(POLICY, alone(POLICY, PLAIN), letter).allowed
    assert "named by the source itself" in explain(POLICY, alone(POLICY, PLAIN), letter).findings[0].why
    assert not explain(POLICY, alone(POLICY, FIONA), letter).allowed


def test_a_document_without_a_label_is_for_nobody() -> None:
    lost = find_target("lost.txt", POLICY, DOCUMENTS)
    explanation = explain(POLICY, alone(POLICY, BOTH), lost)
    assert not explanation.allowed
    assert explanation.findings[0].why == "carries no label: nobody may read it"


def test_a_room_names_the_reader_who_decides() -> None:
    readers = together(POLICY, FIONA, FINANCE, [FIONA, CARLA, OSKAR])
    findings = explain(POLICY, readers, FILINGS).findings
    assert [(finding.kind, finding.who, finding.allowed) for finding in findings] == [
        ("reader", FIONA.ref, True),
        ("reader", CARLA.ref, True),
        ("reader", OSKAR.ref, False),
        ("ceiling", FINANCE.ref, True),
    ]
    assert findings[-1].lines == (19,)


def test_a_room_names_its_rule_its_ceiling_and_its_outsiders() -> None:
    sap = Target("sap", "label", frozenset({"sap"}))
    above = explain(POLICY, together(POLICY, FIONA, FINANCE, [CARLA]), sap)
    assert (above.rule, above.findings[-1].why) == ("listed", "the room's ceiling allows only 'company', 'filings'")
    public = explain(POLICY, together(POLICY, FIONA, ALL, [FIONA]), FILINGS)
    assert (public.rule, public.findings[-1].who, public.allowed) == ("public", "every member", False)
    guest = explain(POLICY, together(POLICY, FIONA, OPERATIONS, [GUEST]), FILINGS)
    assert (guest.rule, guest.findings[-1].who, guest.findings[-1].why) == ("outsider", GUEST.ref, "is a guest")
    shared = explain(POLICY, together(POLICY, FIONA, SHARED, None), FILINGS)
    assert (shared.rule, shared.findings[-1].who) == ("foreign", "another organisation")
    company = explain(POLICY, together(POLICY, FIONA, ALL, None), Target("company", "label", frozenset({"company"})))
    assert (company.allowed, company.findings[-1].lines) == (True, (6, 7))


PEOPLE = [FIONA, CARLA, OSKAR, BOTH, PLAIN, GONE, GUEST, EXTERNAL]


@given(
    asker=st.sampled_from(PEOPLE),
    room=st.sampled_from([FINANCE, OPERATIONS, ALL, SHARED]),
    roster=st.none() | st.lists(st.sampled_from(PEOPLE), max_size=4),
    labels=st.frozensets(st.sampled_from(sorted(POLICY.labels)), max_size=3),
)
@settings(max_examples=200, deadline=None)
def test_an_explanation_never_contradicts_the_rule(asker, room, roster, labels) -> None:  # type: ignore[no-untyped-def]
    explanation = explain(POLICY, together(POLICY, asker, room, roster), Target("x", "document", labels))
    assert explanation.allowed == all(finding.allowed for finding in explanation.findings)


def test_documents_are_found_by_the_end_of_their_path() -> None:
    assert find_target("report.pdf", POLICY, DOCUMENTS) == FILINGS
    assert find_target("airline/brakes.docx", POLICY, DOCUMENTS).name == "airline/brakes.docx"
    assert find_target("filings", POLICY, DOCUMENTS).kind == "label"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("brakes.docx", "'brakes.docx' is the end of several documents: airline/brakes.docx, archive/brakes.docx"),
        ("fillings", "neither a document nor a label; did you mean 'filings'? labels: company, filings, hr"),
        ("report", "6 documents are indexed; documents like it: airline/report.pdf"),
    ],
)
def test_a_name_that_is_nothing_gets_choices(name: str, words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        find_target(name, POLICY, DOCUMENTS)
    assert words in str(raised.value)


def test_who_can_read_names_people_groups_and_rooms() -> None:
    people = {"fiona": FIONA, "oskar": OSKAR, "gus": GUEST}
    rosters = [
        Roster("finance", FINANCE, [FIONA]),
        Roster("all", ALL, [FIONA]),
        Roster("mixed", FINANCE, [FIONA, OSKAR]),
    ]
    entries = {entry.name: entry.allowed for entry in who_can_read(POLICY, FILINGS, people, rosters)}
    assert entries == {
        "any member of slack T0HOME": False,
        "any member of teams 0d0c2f6e-1111-4222-8333-444455556666": False,
        "anybody in entra-group:7f1c0000-1111-4222-8333-444455556666": True,
        "anybody in slack-group:S0FIN": True,
        "anybody in slack-group:S0OPS": False,
        "fiona": True,
        "gus": False,
        "oskar": False,
        "slack-user:T0HOME/U0CARLA": True,
        "finance": True,
        "all": False,
        "mixed": False,
    }


def changes(
    new: str, people: dict[str, Principal] | None = None, rosters: tuple[Roster, ...] = (), old: str = TEXT
) -> dict[str, tuple[object, ...]]:
    found = compare(parse_policy(old), parse_policy(new), people or {}, DOCUMENTS, rosters)
    return {change.name: change.effect for change in found}


def test_the_same_policy_changes_nothing() -> None:
    assert changes(TEXT + "# a remark\n", {"fiona": FIONA}) == {}


def test_a_label_more_for_a_role_reaches_its_holders_and_their_documents() -> None:
    new = TEXT.replace("[filings, sap]", "[filings, maintenance]")
    brakes = ("airline/brakes.docx", "archive/brakes.docx")
    effect = (("maintenance",), ("sap",), brakes, (), (), (), None, None, None, ())
    assert changes(new, {"fiona": FIONA, "oskar": OSKAR}) == {
        "anybody in entra-group:7f1c0000-1111-4222-8333-444455556666": effect,
        "anybody in slack-group:S0FIN": effect,
        "fiona": effect,
        "slack-user:T0HOME/U0CARLA": effect,
    }
    grouped = alike(compare(POLICY, parse_policy(new), {"fiona": FIONA}, DOCUMENTS))
    assert [[change.name for change in group] for group in grouped][1] == ["fiona", "slack-user:T0HOME/U0CARLA"]


def test_who_leaves_a_role_loses_what_only_it_gave() -> None:
    new = TEXT.replace("      - slack-user:T0HOME/U0CARLA\n", "").replace(TEXT[TEXT.index("tests:") :], "")
    gained, lost, _, documents_lost, _, tools_lost, limits, *_ = changes(new, {"carla": CARLA})["carla"]
    assert (gained, lost, documents_lost, tools_lost) == (
        (),
        ("filings", "sap"),
        ("airline/report.pdf",),
        ("write_code",),
    )
    assert limits == (Limits(5, 900), Limits())


def test_a_tenant_that_goes_takes_everything_with_it() -> None:
    new = TEXT.replace("slack: [T0HOME]", "slack: [T0NEW]").replace("T0HOME/", "T0NEW/")
    gained, lost, _, documents_lost, *_ = changes(new, {"plain": PLAIN})["plain"]
    assert (gained, lost) == ((), ("company",))
    assert documents_lost == ("airline/handbook.md", "airline/letter.md")


def test_a_ceiling_is_a_change_for_its_room() -> None:
    new = TEXT.replace("ceiling: [filings, company]", "ceiling: [company, sap]")
    assert changes(new)["slack:T0HOME/C0FIN"][:2] == (("sap",), ("filings",))


PUBLIC = Roster("all-hands", ALL, (FIONA, OSKAR))
PRIVATE = Roster("finance", FINANCE, (FIONA, CARLA))
SENSITIVE = TEXT + "sensitivity:\n  - {name: Secret, description: Not to be told., labels: [hr]}\n"


def test_a_ceiling_only_ever_narrows_a_public_room() -> None:
    wide, narrow = (
        TEXT.replace("  slack:T0HOME/C0OPS", f"  slack:T0HOME/C0ALL: {{ceiling: {labels}}}\n  slack:T0HOME/C0OPS")
        for labels in ("[company, filings]", "[filings]")
    )
    assert changes(wide, rosters=(PUBLIC,)) == {}
    assert changes(narrow, rosters=(PUBLIC,))["all-hands"][:4] == ((), ("company",), (), ("airline/handbook.md",))


def test_a_ceiling_opens_a_private_room_as_far_as_all_its_readers_may_read() -> None:
    new = TEXT.replace("ceiling: [filings, company]", "ceiling: [filings, company, sap, maintenance]")
    assert changes(new, rosters=(PRIVATE,))["finance"][:2] == (("sap",), ())
    without = TEXT.replace("{ceiling: [filings, company]}", "{reply: mentions}")
    assert changes(without, rosters=(PRIVATE,))["finance"][:4] == ((), ("filings",), (), ("airline/report.pdf",))


def test_what_all_members_read_is_heard_in_every_room_of_the_directory() -> None:
    new = TEXT.replace("read: [company]", "read: [company, hr]")
    assert changes(new, rosters=(PUBLIC,))["all-hands"][:2] == (("hr",), ())


def test_an_admin_more_is_a_change() -> None:
    found = changes(TEXT.replace("    read: [company]", "    admin: true\n    read: [company]"), {"plain": PLAIN})
    assert found["plain"] == ((), (), (), (), (), (), None, (False, True), None, ())


def test_where_a_room_is_answered_is_a_change() -> None:
    (effect,) = changes(TEXT.replace("reply: threads", "reply: never")).values()
    assert effect == ((), (), (), (), (), (), None, None, ("threads", "never"), ())


def test_a_mark_that_comes_goes_or_reads_otherwise_is_a_change() -> None:
    secret = "Secret (Not to be told.)"
    assert changes(SENSITIVE)["answers"][-1] == (("hr", "no mark", secret),)
    assert changes(TEXT, old=SENSITIVE)["answers"][-1] == (("hr", secret, "no mark"),)
    other = SENSITIVE.replace("Not to be told", "Keep it here")
    assert changes(other, old=SENSITIVE)["answers"][-1] == (("hr", secret, "Secret (Keep it here.)"),)
    assert changes(SENSITIVE, old=SENSITIVE) == {}
