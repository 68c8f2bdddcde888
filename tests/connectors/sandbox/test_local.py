"""The sandbox as the rest of the house sees it: which tier it takes, whose turn it is, and how it refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from bot.ports import Language, Program, Sandbox
from connectors.sandbox.local import AT_ONCE, TRUST, WAITING, LocalSandbox
from connectors.sandbox.tiers import Bubblewrap, Landlock, Launch, Limits, Tier, Unavailable
from tests.connectors.sandbox.reachable import reachable


@pytest.fixture(scope="module")
def tier() -> Tier:
    """A tier that holds here, or the tests are skipped with the reasons."""
    python = reachable()
    if python is None:
        pytest.skip("no Python that every user can reach")
    tiers: tuple[Tier, ...] = (Landlock(python), Bubblewrap(python))
    sandbox = LocalSandbox(tiers)
    held = [tier for tier in tiers if tier.name == sandbox.tier]
    if not held:
        pytest.skip(str(sandbox.reasons))
    return held[0]


@dataclass(slots=True)
class Breaking:
    """A tier that can be broken: by an admin who removes a package, or by a kernel that is updated."""

    inner: Tier
    name: str = "bubblewrap"
    languages: frozenset[Language] = frozenset({"python"})
    broken: list[str] = field(default_factory=list)

    def check(self) -> None:
        if self.broken:
            raise Unavailable(self.broken[0])

    @contextmanager
    def open(self, language: Language, limits: Limits, user: int) -> Iterator[Launch]:
        with self.inner.open(language, limits, user) as launch:
            yield launch


def sleeper(seconds: float) -> Program:
    return Program("python", f"import time; time.sleep({seconds}); print('done')")


async def test_the_next_tier_is_taken_and_the_reason_is_kept(tier: Tier) -> None:
    sandbox: Sandbox = (made := LocalSandbox([Breaking(tier, broken=["bwrap is not installed"]), tier]))
    assert sandbox.tier == tier.name
    assert made.reasons == {"bubblewrap": "bwrap is not installed"}
    assert (await sandbox.run(Program("python", "print(6 * 7)"))).output == "42\n"


async def test_without_a_tier_it_refuses_with_the_reasons(tier: Tier) -> None:
    sandbox = LocalSandbox([Breaking(tier, broken=["no room"])])
    assert (sandbox.tier, sandbox.languages) == ("none", frozenset())
    ran = await sandbox.run(Program("python", "print(1)"))
    assert (ran.ending, ran.exit, ran.good) == ("refused", None, False)
    assert "bubblewrap: no room" in ran.reason


async def test_a_tier_is_tested_again_after_an_hour(tier: Tier) -> None:
    now = [0.0]
    first = Breaking(tier)
    sandbox = LocalSandbox([first], clock=lambda: now[0])
    first.broken.append("gone since")
    assert (await sandbox.run(sleeper(0))).good
    now[0] = TRUST + 1
    assert (await sandbox.run(sleeper(0))).reason.endswith("(bubblewrap: gone since)")


async def test_one_program_of_a_person_at_a_time_and_two_of_all(tier: Tier) -> None:
    sandbox = LocalSandbox([tier], patience=0.3)
    ran = await asyncio.gather(*(sandbox.run(sleeper(2), person) for person in ("ann", "ann", "bob", "eve")))
    assert [one.ending for one in ran] == ["finished", "refused", "finished", "refused"]
    assert "another program of yours" in ran[1].reason
    assert "of others" in ran[3].reason


async def test_a_second_program_of_a_person_waits_for_the_first(tier: Tier) -> None:
    sandbox = LocalSandbox([tier])
    both = await asyncio.gather(sandbox.run(sleeper(0.1), "ann"), sandbox.run(sleeper(0.1), "ann"))
    assert [one.good for one in both] == [True, True]


async def test_a_flood_of_programs_is_refused(tier: Tier) -> None:
    sandbox = LocalSandbox([tier])
    many = await asyncio.gather(*(sandbox.run(sleeper(0), "ann") for _ in range(AT_ONCE + WAITING + 5)))
    assert [one.ending for one in many].count("refused") == 5


async def test_whoever_stops_waiting_stops_the_program(tier: Tier) -> None:
    sandbox = LocalSandbox([tier])
    running = asyncio.create_task(sandbox.run(sleeper(60), "ann"))
    await asyncio.sleep(0.5)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (await sandbox.run(sleeper(0), "ann")).good, "the place is free again"


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (Program("python", "", files={"../up": b""}), "plain names only"),
        (Program("python", "", files={"main.py": b""}), "plain names only"),
        (Program("python", "", stdin="x" * (9 << 20)), "8 MB is the most"),
    ],
)
async def test_what_cannot_be_begun_is_refused(tier: Tier, program: Program, reason: str) -> None:
    ran = await LocalSandbox([tier]).run(program)
    assert ran.ending == "refused"
    assert reason in ran.reason


async def test_a_language_that_the_tier_has_not_is_refused(tier: Tier) -> None:
    ran = await LocalSandbox([Breaking(tier, languages=frozenset())]).run(Program("shell", "true"))
    assert (ran.ending, ran.reason) == ("refused", "shell is not run here, only python, sql")
