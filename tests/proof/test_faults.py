"""The proof can fail: every seeded fault is found, in the whole house, and in each layer alone with the others switched off.

A strong last layer hides faults of the layers before it. So a fault of an inner layer is looked for without the gate too, in
a world that stands still while a turn runs, and one of the gate with a search that hands on what it should not.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.proof.faults import FAULTS, Careless, Oblivious, Open
from tests.proof.world import Parts, World, walk

EVERY = [(layer, name) for layer, faults in FAULTS.items() for name in faults]
SEEDS, STEPS = (21, 12, 16, 13, 11, 14, 15), 150


def alone(layer: str, parts: Parts) -> Parts:
    """The same parts with the other layers switched off."""
    match layer:
        case "readers" | "search":
            return replace(parts, gate=Open, memory=Oblivious)
        case "memory":
            return replace(parts, gate=Open)
        case _:
            return replace(parts, index=Careless)


@pytest.mark.parametrize(("layer", "name"), EVERY)
async def test_a_fault_is_found_in_the_whole_house(layer: str, name: str) -> None:
    for seed in SEEDS:
        world = World(FAULTS[layer][name])
        await walk(world, seed, STEPS)
        if world.leaks or world.withheld:
            return
    pytest.fail("nobody noticed")


@pytest.mark.parametrize(("layer", "name"), EVERY)
async def test_a_fault_is_found_in_its_layer_alone(layer: str, name: str) -> None:
    for seed in SEEDS:
        world = World(alone(layer, FAULTS[layer][name]))
        await walk(world, seed, STEPS, frozen=layer != "gate", faults=False)
        if world.leaks:
            return
    pytest.fail("nobody noticed")


@pytest.mark.parametrize("layer", FAULTS)
async def test_each_layer_alone_holds(layer: str) -> None:
    world = World(alone(layer, Parts()))
    await walk(world, SEEDS[0], STEPS, frozen=layer != "gate", faults=False)
    assert not world.leaks
    assert world.deliveries > STEPS / 2
