"""roles.yaml under a running process: a change is taken up without anybody asking, and a broken one changes nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.access.live import POLL, LivePolicy
from bot.wiring.house import open_unattended
from tests.access.policies import OSKAR, TEXT
from tests.conftest import ROLES, share, write_company
from tests.delivery.fakes import until

SECURITY = Path(__file__).parents[2] / "docs" / "security.md"
WIDER = TEXT.replace("read: [maintenance]", "read: [maintenance, hr]")
FAILING = TEXT.replace("cannot_read: [maintenance]}", "cannot_read: [sap]}")
"""Can be read, and fails a test of its own."""
IMPOSSIBLE = ['labels: ["\\UFFFFFFFF"]', 'labels: ["\\U00110000"]']
"""Escapes of characters that do not exist."""


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[LivePolicy]:
    path = tmp_path / "roles.yaml"
    path.write_text(TEXT, encoding="utf-8")
    made = LivePolicy(path)
    await made.start()
    async with made.watching(every=0.005):
        yield made


def write(live: LivePolicy, text: str) -> None:
    """Put a new file in the place of the old one, as an editor or a deployment does."""
    new = live._path.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.replace(live._path)


def reads_hr(live: LivePolicy) -> bool:
    return "hr" in live.current.grant(OSKAR).labels


async def test_a_change_counts_without_anybody_asking(live: LivePolicy) -> None:
    assert not reads_hr(live)
    write(live, WIDER)
    await until(lambda: reads_hr(live))
    write(live, TEXT)
    await until(lambda: not reads_hr(live))


@pytest.mark.parametrize("broken", ["version: 2", FAILING, "", "\0", "labels: [hr", *IMPOSSIBLE])
async def test_a_broken_file_is_told_of_once_and_the_next_good_one_counts(
    live: LivePolicy, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = live.current
    with caplog.at_level(logging.ERROR):
        write(live, broken)
        await until(lambda: bool(live.alarm))
        write(live, broken)
        told = live.alarm
        write(live, WIDER.replace("version: 1", "version: 3"))
        await until(lambda: live.alarm != told)
    assert live.current is before
    said = [record.getMessage() for record in caplog.records]
    assert said == [f"{one}; the last good policy stays in force" for one in (told, live.alarm)]
    write(live, WIDER)
    await until(lambda: reads_hr(live))
    assert live.alarm == ""


async def test_a_look_that_meets_what_nobody_thought_of_is_told_of_and_is_not_the_last(
    live: LivePolicy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    before = live.current
    with monkeypatch.context() as broken:
        broken.setattr("bot.access.live.parse_policy", lambda text, name: [][0])
        write(live, WIDER)
        await until(lambda: "IndexError" in live.alarm)
    assert live.current is before
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    write(live, WIDER + "\n")
    await until(lambda: reads_hr(live))
    assert live.alarm == ""


async def test_a_file_that_goes_and_comes_back_is_looked_at_again(live: LivePolicy) -> None:
    live._path.unlink()
    await until(lambda: "cannot be read" in live.alarm)
    assert not reads_hr(live)
    write(live, WIDER)
    await until(lambda: reads_hr(live))


async def test_after_the_block_nobody_looks_any_more(tmp_path: Path) -> None:
    path = tmp_path / "roles.yaml"
    path.write_text(TEXT, encoding="utf-8")
    live = LivePolicy(path)
    await live.start()
    async with live.watching(every=0.001):
        write(live, WIDER)
        await until(lambda: reads_hr(live))
    write(live, TEXT)
    await asyncio.sleep(0.05)
    assert reads_hr(live)


async def test_the_house_watches_at_the_default_pace(tmp_path: Path, derived: Path) -> None:
    """The wiring of `serve`, nothing in it replaced: one wait of `POLL`, and another one for the broken file."""
    config = write_company(tmp_path)
    share(derived, tmp_path / ".rolecall")
    async with open_unattended(config) as house:
        before, live = house.policy.current.hash, house.policy
        write(
            live,
            ROLES.replace(
                "{members: [slack-group:S0OPS], read: [maintenance]}", "{members: [slack-group:S0OPS], read: [company]}"
            ),
        )
        await until(lambda: live.current.hash != before)
        kept = live.current
        write(live, "version: 2")
        await until(lambda: bool(live.alarm))
        assert live.current is kept


def test_the_pace_is_the_one_that_the_page_promises() -> None:
    assert POLL == 1.0
    assert "| `roles.yaml` | it is looked at every second;" in SECURITY.read_text(encoding="utf-8")
