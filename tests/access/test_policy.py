"""roles.yaml: what it may say, what it may not, and what each role gives to whom."""

import hashlib
import re
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.access.policy import Limits, own_labels, parse_policy, read_policy
from bot.errors import ConfigError
from bot.types import Principal
from tests.access.policies import (
    BOTH,
    CARLA,
    EXTERNAL,
    FIONA,
    FOREIGN,
    GONE,
    GUEST,
    OSKAR,
    PLAIN,
    POLICY,
    ROBOT,
    TENANT,
    TEXT,
)

TOOLS = "classify, debug_code, draft, search_documents, sentiment, summarize, translate, write_code"
LABELS = "company, filings, hr, maintenance, sap"

# (what to replace in the sound file, by what, the one line that is said)
BROKEN = {
    "unknown key": ("    read: [company]", "    reads: [company]",
        "7: roles.everyone.reads: unknown key; did you mean 'read'? known: admin, applies_to, limits, members, read, tools"),
    "unknown key at the top": ("tenants:", "tenant:",
        "2: tenant: unknown key; did you mean 'tenants'? known: labels, roles, rooms, sensitivity, tenants, tests, version"),
    "duplicate role": ("  operations:", "  finance:", "17: roles.finance: this key is already on line 9"),
    "missing key": ("version: 1\n", "", "1: the key 'version' is missing; known: labels, roles, rooms"),
    "other version": ("version: 1", "version: 2",
        "1: version: 2 is not a version that this Rolecall reads; choices: 1"),
    "version true": ("version: 1", "version: true", "1: version: expected a whole number, not true"),
    "undeclared label": ("[filings, sap]", "[fillings, sap]",
        f"14: roles.finance.read[0]: 'fillings' is not a label declared in labels; did you mean 'filings'? "
        f"labels: {LABELS}"),
    "unknown tool": ("[write_code]", "[write_cod]",
        f"15: roles.finance.tools[0]: 'write_cod' is not a tool; did you mean 'write_code'? tools: {TOOLS}"),
    "label twice": ("sap, maintenance, hr]", "sap, sap]", "3: labels[3]: 'sap' is the same name as the one on line 3"),
    "label read twice": ("[filings, sap]", "[sap, sap]", "14: roles.finance.read[1]: 'sap' is in the list twice"),
    "member twice": ("- slack-user:T0HOME/U0CARLA", "- slack-group:S0FIN",
        "12: roles.finance.members[1]: 'slack-group:S0FIN' is in the list twice"),
    "no members": ("members: [slack-group:S0OPS]", "members: []",
        "17: roles.operations.members: the list is empty; name people or groups"),
    "nothing for members": ("members: [slack-group:S0OPS]", "members: ",
        "17: roles.operations: nobody holds this role; give it members: [...] or applies_to: members"),
    "nobody holds it": ("members: [slack-group:S0OPS], ", "", "17: roles.operations: nobody holds this role"),
    "two ways to hold it": ("    read: [company]", "    members: [slack-group:S0OPS]",
        "7: roles.everyone.members: a role has either applies_to or members, not both"),
    "applies to somebody else": ("applies_to: members", "applies_to: guests",
        "6: roles.everyone.applies_to: 'guests' is not a choice; choices: members"),
    "role without effect": ("read: [maintenance], limits: {per_minute: 10, per_day: 500}", "read: []",
        "17: roles.operations: this role gives nothing; give it read, tools, limits or admin"),
    "no roles": (TEXT[TEXT.index("roles:"):], "roles: {}\n", "4: roles: at least 1 needed, 0 given"),
    "display name": ("- slack-user:T0HOME/U0CARLA", "- carla",
        "12: roles.finance.members[1]: 'carla' is not a person or a group; forms: slack-user:T0HOME/U0FIONA, "),
    "e-mail": ("- slack-user:T0HOME/U0CARLA", "- carla@airline.example",
        "12: roles.finance.members[1]: 'carla@airline.example' is not a person or a group"),
    "user without workspace": ("- slack-user:T0HOME/U0CARLA", "- slack-user:U0CARLA",
        "12: roles.finance.members[1]: 'slack-user:U0CARLA' is not a person; form: slack-user:T0HOME/U0FIONA"),
    "group handle": ("slack-group:S0OPS]", "slack-group:ops]",
        "17: roles.operations.members[0]: 'slack-group:ops' is not a group; form: slack-group:S0FIN"),
    "upper-case guid": ("7f1c0000", "7F1C0000",
        "13: roles.finance.members[2]: 'entra-group:7F1C0000-1111-4222-8333-444455556666' is not a group"),
    "user of another workspace": ("T0HOME/U0CARLA\n", "T0OTHER/U0CARLA\n",
        "12: roles.finance.members[1]: 'T0OTHER' is not listed in tenants.slack; known: T0HOME"),
    "entra group without a teams tenant": (f", teams: [{TENANT}]", "",
        "13: roles.finance.members[2]: 'entra-group:7f1c0000-1111-4222-8333-444455556666' is of a platform without"),
    "no tenants": (TEXT[TEXT.index("tenants:"):TEXT.index("labels:")], "tenants: {}\n",
        "2: tenants: no tenant is listed, so nobody could be a member; known: slack, teams"),
    "tenant by name": ("slack: [T0HOME]", "slack: [airline]",
        "2: tenants.slack[0]: 'airline' is not a workspace id such as T0HOME"),
    "teams tenant by name": (f"[{TENANT}]", "[airline.example]",
        "2: tenants.teams[0]: 'airline.example' is not a tenant GUID in lower case"),
    "unknown platform": ("teams: [", "discord: [",
        "2: tenants.discord: unknown key; known: slack, teams"),
    "capital letters": ("  operations:", "  Operations:",
        "17: roles.Operations: 'Operations' is not a name: use a-z, 0-9, _ and -; write it as 'operations'"),
    "ligature": ("  operations:", "  \ufb01nance:",
        "17: roles.\ufb01nance: '\\ufb01nance' is the same name as the one on line 9"),
    "zero-width space": ("  operations:", '  "finance\\u200b":',
        "17: roles.finance\u200b: 'finance\\u200b' is the same name as the one on line 9"),
    "full-width label": ("maintenance, hr]", "maintenance, \uff48\uff52]",
        "3: labels[4]: '\\uff48\\uff52' is not a name: use a-z, 0-9, _ and -; write it as 'hr'"),
    "label is a boolean": ("maintenance, hr]", "maintenance, no]", "3: labels[4]: YAML reads no as true or false"),
    "label is a number": ("maintenance, hr]", "maintenance, 2024]",
        '3: labels[4]: 2024 is not text; put it in quotes: "2024"'),
    "octal limit": ("per_day: 500", "per_day: 0500",
        "17: roles.operations.limits.per_day: YAML reads 0500 as a number"),
    "limit of nothing": ("per_minute: 10", "per_minute: 0",
        "17: roles.operations.limits.per_minute: 0 is out of range; it must be at least 1"),
    "limit beyond reason": ("per_minute: 10", "per_minute: 100000",
        "17: roles.operations.limits.per_minute: 100000 is out of range; it must be at most 1000"),
    "limit in words": ("per_minute: 10", "per_minute: ten",
        "17: roles.operations.limits.per_minute: expected a whole number, not the text 'ten'"),
    "unknown limit": ("per_minute: 10", "per_hour: 10",
        "17: roles.operations.limits.per_hour: unknown key; known: per_day, per_minute"),
    "room by name": ("  slack:T0HOME/C0FIN:", "  '#finance':",
        "19: rooms.#finance: '#finance' is not a room; forms: slack:T0HOME/C0FIN, teams:TENANT-GUID/"),
    "room of another workspace": ("  slack:T0HOME/C0FIN:", "  slack:T0OTHER/C0FIN:",
        "19: rooms.slack:T0OTHER/C0FIN: 'T0OTHER' is not listed in tenants.slack; known: T0HOME"),
    "ceiling of an undeclared label": ("ceiling: [filings,", "ceiling: [filing,",
        "19: rooms.slack:T0HOME/C0FIN.ceiling[0]: 'filing' is not a label declared in labels; did you mean 'filings'?"),
    "empty ceiling": ("ceiling: [filings, company]", "ceiling: []",
        "19: rooms.slack:T0HOME/C0FIN.ceiling: the list is empty; name labels"),
    "unknown reply": ("reply: threads", "reply: always",
        "20: rooms.slack:T0HOME/C0OPS.reply: 'always' is not a choice; choices: all, mentions, never, threads"),
    "test of a group": ("{as: slack-user:T0HOME/U0CARLA,", "{as: slack-group:S0FIN,",
        "22: tests[0].as: 'slack-group:S0FIN' is a group; name a person, and put groups into groups"),
    "test without expectation": ("kind: guest, cannot_read: [company]", "kind: guest",
        "25: tests[3]: this test expects nothing; give it can_read or cannot_read"),
    "test that contradicts itself": ("cannot_read: [maintenance]", "cannot_read: [filings]",
        "22: tests[0].cannot_read: 'filings' is also in can_read"),
    "test of an undeclared label": ("cannot_read: [maintenance]", "cannot_read: [maintenence]",
        "22: tests[0].cannot_read[0]: 'maintenence' is not a label declared in labels; did you mean 'maintenance'?"),
    "test of an unknown kind": ("kind: guest", "kind: visitor",
        "25: tests[3].kind: 'visitor' is not a choice; choices: bot, external, guest, member"),
    "test without a person": ("- {as: slack-user:T0HOME/U0CARLA, ", "- {",
        "22: tests[0]: the key 'as' is missing; known: as, can_read, cannot_read, groups, in, kind"),
    "alias": ("    read: [company]", "    read: &all [company]",
        "7: roles.everyone.read: anchors (&all) are not allowed; write it out"),
    "merge key": ("    read: [company]", "    <<: {read: [company]}",
        "7: roles.everyone.<<: merge keys are not allowed"),
    "tag": ("    read: [company]", "    read: !!set {company}",
        "7: roles.everyone.read: tags (tag:yaml.org,2002:set) are not allowed"),
    "second document": ("labels:", "---\nlabels:", "3: a second document begins here (---)"),
    "tab": ("    read: [company]", "\tread: [company]", "7: "),
    "one label, no list": ("    read: [company]", "    read: company",
        "7: roles.everyone.read: expected a list: [one, two], not the text 'company'"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_gets_one_line_with_file_line_key_and_choices(kind: str) -> None:
    old, new, expected = BROKEN[kind]
    assert TEXT.count(old) >= 1
    with pytest.raises(ConfigError) as raised:
        parse_policy(TEXT.replace(old, new, 1), "roles.yaml")
    words = str(raised.value)
    assert words.startswith(f"roles.yaml:{expected}"), words
    assert "\n" not in words


@given(
    start=st.integers(0, len(TEXT)),
    length=st.integers(0, 30),
    new=st.text("\n\t :-#&*!|>'\"{}[],?%@`\\~<=\x00\ufeff\u2028abc019ﬁ", max_size=12)
    | st.sampled_from(["yes", "0x1", "<<: "]),
)
@settings(max_examples=150, deadline=None)
def test_whatever_is_wrong_it_is_one_line(start: int, length: int, new: str) -> None:
    try:
        parse_policy(TEXT[:start] + new + TEXT[start + length :], "roles.yaml")
    except ConfigError as error:
        words = str(error)
    else:
        return
    assert re.match(r"roles\.yaml:\d+: .+$", words)
    assert len(words) < 700


def test_an_error_is_no_longer_than_one_can_read() -> None:
    with pytest.raises(ConfigError) as raised:
        parse_policy("!" * 100_000)
    assert len(str(raised.value)) < 700


def test_the_sound_file_is_sound(tmp_path: Path) -> None:
    path = tmp_path / "roles.yaml"
    path.write_text(TEXT, encoding="utf-8")
    policy = read_policy(path)
    assert policy.hash == hashlib.sha256(path.read_bytes()).hexdigest()
    assert policy.unread == ("hr",)
    assert [role.line for role in policy.roles] == [5, 9, 17]
    with pytest.raises(FrozenInstanceError):
        policy.hash = "x"  # type: ignore[misc]


def test_a_change_changes_the_hash() -> None:
    assert parse_policy(TEXT + "# a remark\n").hash != POLICY.hash


def roles(person: Principal) -> dict[str, tuple[str, int]]:
    return {held.role.name: (held.via, held.line) for held in POLICY.grant(person).roles}


def test_a_role_says_by_which_entry_and_line_it_is_held() -> None:
    assert roles(FIONA) == {"everyone": ("applies_to: members", 6), "finance": ("slack-group:S0FIN", 11)}
    assert roles(CARLA) == {"everyone": ("applies_to: members", 6), "finance": ("slack-user:T0HOME/U0CARLA", 12)}
    assert roles(PLAIN) == {"everyone": ("applies_to: members", 6)}


def test_labels_and_tools_are_the_union_over_roles() -> None:
    grant = POLICY.grant(BOTH)
    assert grant.labels - own_labels(BOTH) == {"company", "filings", "sap", "maintenance"}
    assert grant.tools == {"search_documents", "summarize", "write_code"}


def test_each_limit_is_the_most_generous_of_the_held_roles() -> None:
    assert POLICY.grant(BOTH).limits == Limits(10, 900)
    assert POLICY.grant(OSKAR).limits == Limits(10, 500)
    assert POLICY.grant(PLAIN).limits == Limits(None, None)


def test_members_hold_the_labels_by_which_sources_name_them() -> None:
    assert own_labels(FIONA) == {"user:slack-user:T0HOME/U0FIONA", "group:slack-group:S0FIN"}
    assert own_labels(FIONA) < POLICY.grant(FIONA).labels


@pytest.mark.parametrize("nobody", [GUEST, EXTERNAL, ROBOT, GONE, FOREIGN, replace(FIONA, platform="teams")])
def test_who_is_not_an_active_member_of_a_listed_tenant_holds_nothing(nobody: Principal) -> None:
    grant = POLICY.grant(nobody)
    assert (grant.roles, grant.labels, grant.tools) == ((), frozenset(), frozenset())
    assert grant.refusal


def test_the_same_id_in_another_workspace_is_somebody_else() -> None:
    text = TEXT.replace("slack: [T0HOME]", "slack: [T0HOME, T0SISTER]")
    carla = replace(CARLA, tenant="T0SISTER")
    assert [held.role.name for held in parse_policy(text).grant(carla).roles] == ["everyone"]


def test_an_entra_group_works_as_a_slack_group_does() -> None:
    person = Principal("teams", TENANT, "9a", groups=frozenset({"entra-group:7f1c0000-1111-4222-8333-444455556666"}))
    assert roles(person)["finance"] == ("entra-group:7f1c0000-1111-4222-8333-444455556666", 13)


def test_an_unknown_kind_of_person_holds_nothing() -> None:
    assert POLICY.grant(replace(FIONA, kind="owner")).labels == frozenset()  # type: ignore[arg-type]


def test_without_a_role_for_members_a_member_holds_only_their_own_name() -> None:
    text = TEXT[: TEXT.index("  everyone:")] + TEXT[TEXT.index("  finance:") : TEXT.index("tests:")]
    assert parse_policy(text).grant(PLAIN).labels == own_labels(PLAIN)
    assert parse_policy(text).shared == frozenset()
