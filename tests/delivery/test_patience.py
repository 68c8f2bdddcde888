"""How long somebody waits for a word: each wait by its own constant, and all of them together below half a minute."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest

from bot.delivery.breaker import PAUSE
from bot.delivery.guarded import SEARCH_LIMIT, SILENCE
from bot.delivery.leases import DOOR_LIMIT
from bot.delivery.patience import KEEP, TELL_AFTER, TURN_LIMIT, patient, pause
from bot.types import Delta, Reply, Status
from connectors.models import server as models
from connectors.qdrant import server as qdrant

TOLD = 30.0
"""Seconds after which the person knows: what the project promises."""
QUERIES = 2
"""Questions to Qdrant in one search, one after the other."""
TEN_MINUTES = 600.0


def test_what_is_away_is_told_within_half_a_minute_whatever_it_is() -> None:
    assert TELL_AFTER + DOOR_LIMIT < TOLD
    assert qdrant.TIMEOUT * QUERIES + DOOR_LIMIT < TOLD
    assert SEARCH_LIMIT + DOOR_LIMIT < TOLD


def test_a_search_fails_by_its_own_limits_before_the_one_around_it() -> None:
    assert qdrant.TIMEOUT * QUERIES < SEARCH_LIMIT <= TELL_AFTER


def test_a_turn_ends_after_what_it_waits_for() -> None:
    assert SEARCH_LIMIT + SILENCE < TURN_LIMIT
    assert models.TIMEOUT <= SILENCE


def test_ten_minutes_cost_nobody_an_answer() -> None:
    assert TEN_MINUTES + PAUSE < KEEP
    assert all(pause(age, 60.0) <= 60.0 for age in (0.0, 1.0, TEN_MINUTES, KEEP))


async def turn(*steps: float | Reply) -> AsyncGenerator[Reply, None]:
    for step in steps:
        if isinstance(step, float):
            await asyncio.sleep(step)
        else:
            yield step


async def remarks(*steps: float | Reply) -> Sequence[Reply | None]:
    return [reply async for reply in patient(turn(*steps), 0.1, 5.0)]


async def test_slow_steps_one_after_the_other_are_told_of_as_one_is() -> None:
    """Each is quicker than the limit, and none of them has anything to show."""
    searching, writing = Status("Searching"), Status("Writing")
    heard = await remarks(0.07, searching, 0.07, writing, 0.07, Delta("Here."))
    assert heard == [searching, None, writing, Delta("Here.")]


@pytest.mark.parametrize("steps", [(Delta("Here."), 0.2, Delta("And there.")), (0.01, Status("x"), Delta("Here."))])
async def test_who_reads_already_is_not_told_to_wait(steps: Sequence[float | Reply]) -> None:
    assert None not in await remarks(*steps)


async def test_a_remark_is_made_once() -> None:
    assert list(await remarks(0.3, Status("x"), 0.3, Delta("Here."))).count(None) == 1
