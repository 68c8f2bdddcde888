"""What somebody is told they may use and read."""

from bot.access.policy import parse_policy
from bot.assistant.about import profile
from bot.types import Principal

POLICY = parse_policy(
    """
version: 1
tenants: {slack: [T0HOME]}
labels: [company, filings]
roles:
  everyone: {applies_to: members, read: [company], tools: [search_documents, translate]}
  finance: {members: [slack-group:S0FIN], read: [filings]}
"""
)


def test_a_profile_says_what_the_roles_give_of_what_is_installed() -> None:
    fiona = Principal("slack", "T0HOME", "U0FIONA", groups=frozenset({"slack-group:S0FIN"}))
    found = profile(POLICY, fiona, ["search_documents"])
    assert (found.roles, found.labels) == (("everyone", "finance"), ("company", "filings"))
    assert list(found.tools) == ["search_documents"]
    assert found.examples == ("How many days of leave do new employees get?",)
    assert profile(POLICY, fiona, ["translate"], "ja").examples[0].startswith("これを英語に訳して")


def test_a_guest_is_told_why_there_is_nothing() -> None:
    found = profile(POLICY, Principal("slack", "T0HOME", "U0GUS", "guest"), ["search_documents"])
    assert (found.labels, found.tools, found.refusal) == ((), {}, "a guest")
