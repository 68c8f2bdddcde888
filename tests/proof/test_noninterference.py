"""Whatever changes, and whenever: nobody hears what they may not read, though the model prints all that it was shown.

`ROLECALL_DELIVERIES=10000 pytest tests/proof/test_noninterference.py` is the long form; `make soak` runs it.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.proof.world import ROOMS, RULES, Parts, World, some_change, walk

DELIVERIES = int(os.environ.get("ROLECALL_DELIVERIES", "200"))
STEPS = 30
A_RUN = 14
"""Deliveries in one run of so many steps, about."""
FEWEST = 20
"""Runs that are asked for at once: the first of them is the simplest there is, in which nobody asks anything."""
SEEDS = st.integers(0, 2**32)
PLACES = st.sampled_from([*sorted(ROOMS), "", ""])
WHO = st.integers(0, 5).map(lambda number: f"U0P{number}")
delivered: list[int] = []


class Company(RuleBasedStateMachine):
    """Hypothesis chooses what happens."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.world = World(Parts())

    @rule(seed=SEEDS)
    def something_changes(self, seed: int) -> None:
        some_change(random.Random(seed), self.world)()

    @rule(person=WHO, place=PLACES, thread=st.sampled_from("ttu"))
    def somebody_asks(self, person: str, place: str, thread: str) -> None:
        self.runner.run(self.world.ask(person, place, thread))

    @rule(person=WHO, place=PLACES, seeds=st.lists(SEEDS, min_size=1, max_size=2))
    def something_changes_while_somebody_asks(self, person: str, place: str, seeds: list[int]) -> None:
        changes = [some_change(random.Random(seed), self.world) for seed in seeds]
        self.runner.run(self.world.ask(person, place, "t", *changes))

    @rule(rules=st.sampled_from(sorted(RULES)))
    def the_policy_changes(self, rules: str) -> None:
        self.world.rule(RULES[rules])

    @rule(person=WHO, place=PLACES, rules=st.sampled_from(sorted(RULES)), in_private=st.booleans())
    def the_policy_changes_while_somebody_asks(self, person: str, place: str, rules: str, in_private: bool) -> None:
        before: list[Callable[[], None]] = [lambda: None] if in_private else []
        self.runner.run(self.world.ask(person, place, "t", *before, lambda: self.world.rule(RULES[rules])))

    @rule(person=WHO, place=PLACES)
    def somebody_has_it_forgotten(self, person: str, place: str) -> None:
        self.runner.run(self.world.forget(person, place))

    @invariant()
    def nobody_heard_what_they_may_not_read(self) -> None:
        assert not self.world.leaks
        assert not self.world.withheld

    def teardown(self) -> None:
        delivered.append(self.world.deliveries)
        self.runner.close()


def test_nobody_hears_what_they_may_not_read() -> None:
    delivered.clear()
    while (left := DELIVERIES - sum(delivered)) > 0:
        chosen = settings(
            max_examples=max(FEWEST, left // A_RUN),
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        run_state_machine_as_test(Company, settings=chosen)


async def test_the_world_is_not_silent() -> None:
    """A proof that nothing leaks is worth something only where much is said: most questions are answered from documents."""
    world = World(Parts())
    await walk(world, 1, 200)
    assert world.deliveries > 100
    said = [one.exchange for one in world.journal.remembered if one.exchange.documents]
    assert len(said) > 40
    assert any(one.only for one in world.journal.remembered)
    assert not world.leaks
