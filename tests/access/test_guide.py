"""The policies that docs/roles.md shows are sound, and what it says of their lines is so."""

import re
from pathlib import Path

import pytest

from bot.access.policy import parse_policy
from bot.access.selftest import run_tests

GUIDE = (Path(__file__).parents[2] / "docs" / "roles.md").read_text(encoding="utf-8")
POLICIES = re.findall(r"```yaml\n(version: .*?)```", GUIDE, re.S)


@pytest.mark.parametrize("text", POLICIES, ids=range(len(POLICIES)))
async def test_every_policy_of_the_guide_holds_its_own_tests(text: str) -> None:
    assert [outcome.sentence for outcome in await run_tests(parse_policy(text)) if not outcome.ok] == []


def test_the_lines_that_the_guide_names_are_right() -> None:
    lines = POLICIES[0].splitlines()
    member, read = map(int, re.findall(r"because line (\d+) makes.* line (\d+) lets", GUIDE)[0])
    assert "U0CARLA" in lines[member - 1]
    assert "read: [filings" in lines[read - 1]
