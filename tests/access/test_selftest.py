"""The expectations inside roles.yaml: run by the real rules, with a directory or without."""

import logging
import os
from dataclasses import replace
from pathlib import Path

import pytest

from bot.access.live import LivePolicy
from bot.access.policy import parse_policy
from bot.access.selftest import run_tests
from bot.errors import ConfigError
from tests.access.policies import CARLA, FINANCE, FIONA, OPERATIONS, OSKAR, POLICY, TEXT
from tests.fakes import FakeDirectory

BASE = TEXT[: TEXT.index("tests:")]


def policy(*tests: str) -> str:
    return BASE + "tests:\n" + "".join(f"  - {{as: {test}}}\n" for test in tests)


async def failures(text: str, directory: FakeDirectory | None = None) -> list[str]:
    return [outcome.sentence for outcome in await run_tests(parse_policy(text), directory) if not outcome.ok]


async def test_what_the_file_expects_of_itself_holds() -> None:
    outcomes = await run_tests(POLICY)
    assert [(outcome.line, outcome.label, outcome.ok) for outcome in outcomes] == [
        (22, "filings", True),
        (22, "company", True),
        (22, "maintenance", True),
        (23, "filings", True),
        (24, "filings", True),
        (25, "company", True),
    ]


async def test_a_failed_expectation_says_why_and_by_which_line() -> None:
    assert await failures(policy("slack-user:T0HOME/U0OSKAR, groups: [slack-group:S0OPS], can_read: [filings]")) == [
        "slack-user:T0HOME/U0OSKAR should read 'filings' but cannot: slack-user:T0HOME/U0OSKAR "
        "holds 'everyone', 'operations', not 'filings'; the role 'finance' would give it (line 11, 14)"
    ]
    assert await failures(policy("slack-user:T0HOME/U0CARLA, cannot_read: [filings]")) == [
        "slack-user:T0HOME/U0CARLA should not read 'filings' but can: slack-user:T0HOME/U0CARLA "
        "reads 'filings' by the role 'finance', held by slack-user:T0HOME/U0CARLA (line 12, 14)"
    ]
    assert await failures(policy("slack-user:T0HOME/U0CARLA, in: slack:T0HOME/C0OPS, can_read: [filings]")) == [
        "slack-user:T0HOME/U0CARLA in slack:T0HOME/C0OPS should read 'filings' but cannot: every member "
        "does not hold 'filings': no role that applies to all members reads it"
    ]


async def test_stated_kinds_count() -> None:
    assert await failures(policy("slack-user:T0HOME/U0CARLA, kind: guest, cannot_read: [filings, company]")) == []


async def test_a_listed_room_without_a_directory_is_the_asker_up_to_the_ceiling() -> None:
    carla = "slack-user:T0HOME/U0CARLA, in: slack:T0HOME/C0FIN"
    assert await failures(policy(f"{carla}, can_read: [filings, company], cannot_read: [sap]")) == []


async def test_a_directory_supplies_groups_and_rosters() -> None:
    directory = FakeDirectory([FIONA, CARLA, OSKAR], {FINANCE: [CARLA, FIONA], OPERATIONS: [OSKAR]})
    alone = policy("slack-user:T0HOME/U0FIONA, can_read: [filings]")
    together = policy("slack-user:T0HOME/U0CARLA, in: slack:T0HOME/C0FIN, can_read: [filings]")
    assert await failures(alone, directory) == []
    assert len(await failures(alone)) == 1
    assert await failures(together, directory) == []
    directory.rosters[FINANCE] = [CARLA, OSKAR]
    assert len(await failures(together, directory)) == 1


async def test_a_test_that_states_groups_does_not_ask_the_directory_for_them() -> None:
    directory = FakeDirectory([FIONA])
    assert await failures(policy("slack-user:T0HOME/U0FIONA, groups: [], cannot_read: [filings]"), directory) == []


class File:
    """A roles.yaml that changes; every write is seen, however fast."""

    def __init__(self, path: Path):
        self.path = path
        self.time = 1_000_000_000

    def write(self, text: str) -> None:
        self.path.write_text(text, encoding="utf-8")
        self.time += 1
        os.utime(self.path, (self.time, self.time))


@pytest.fixture
def file(tmp_path: Path) -> File:
    found = File(tmp_path / "roles.yaml")
    found.write(TEXT)
    return found


async def test_a_changed_file_is_read_again(file: File) -> None:
    live = LivePolicy(file.path)
    await live.start()
    assert not await live.refresh()
    file.write(TEXT.replace("read: [maintenance]", "read: [maintenance, hr]"))
    assert await live.refresh()
    assert "hr" in live.current.grant(OSKAR).labels
    assert not await live.refresh()


async def test_a_touched_file_is_the_same_policy(file: File) -> None:
    live = LivePolicy(file.path)
    await live.start()
    before = live.current
    file.write(TEXT)
    assert not await live.refresh()
    assert live.current is before


@pytest.mark.parametrize(
    "broken",
    [
        TEXT.replace("version: 1", "version: 2"),
        TEXT.replace("cannot_read: [maintenance]", "cannot_read: [company, maintenance]").replace(
            "can_read: [filings, company], ", "can_read: [sap], "
        ),
        "",
    ],
    ids=["format", "tests", "empty"],
)
async def test_a_broken_file_keeps_the_last_good_policy_and_raises_the_alarm_once(
    file: File, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    live = LivePolicy(file.path)
    await live.start()
    before = live.current
    file.write(broken)
    with caplog.at_level(logging.ERROR):
        assert not await live.refresh()
        assert not await live.refresh()
        file.write(broken)
        assert not await live.refresh()
    assert live.current is before
    assert live.alarm.startswith(f"{file.path}:")
    assert [record.getMessage() for record in caplog.records] == [f"{live.alarm}; the last good policy stays in force"]
    file.write(TEXT)
    assert not await live.refresh()
    assert live.alarm == ""


async def test_a_deleted_file_keeps_the_last_good_policy(file: File) -> None:
    live = LivePolicy(file.path)
    await live.start()
    file.path.unlink()
    assert not await live.refresh()
    assert "cannot be read" in live.alarm
    assert live.current.hash == POLICY.hash


async def test_a_file_that_is_broken_at_the_start_is_refused(file: File) -> None:
    file.write(policy("slack-user:T0HOME/U0CARLA, can_read: [hr, maintenance]"))
    with pytest.raises(ConfigError) as raised:
        await LivePolicy(file.path).start()
    assert str(raised.value).startswith(f"{file.path}:22: tests: slack-user:T0HOME/U0CARLA should read 'hr' but cannot")
    assert str(raised.value).endswith("(and 1 more: see `rolecall policy test`)")


async def test_the_tests_at_load_use_the_directory(file: File) -> None:
    file.write(policy("slack-user:T0HOME/U0FIONA, can_read: [filings]"))
    await LivePolicy(file.path, FakeDirectory([FIONA])).start()
    with pytest.raises(ConfigError):
        await LivePolicy(file.path, FakeDirectory([replace(FIONA, groups=frozenset())])).start()


async def test_there_is_no_policy_before_the_start(file: File) -> None:
    with pytest.raises(RuntimeError):
        _ = LivePolicy(file.path).current
