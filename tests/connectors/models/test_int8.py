"""Rounded layers: near the full ones, and each row as if it were alone, whichever way the processor multiplies."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from connectors.models import int8

pytestmark = pytest.mark.skipif(not int8.is_exact(), reason="this processor does not multiply eight bits exactly")


class Block(nn.Module):
    """Layers by the names that transformers gives them: some read the same values, one has far more outputs than inputs."""

    def __init__(self, bias: bool):
        super().__init__()
        self.q_proj = nn.Linear(96, 96, bias=bias)
        self.k_proj = nn.Linear(96, 32, bias=bias)
        self.v_proj = nn.Linear(96, 32, bias=False)
        self.gate_proj = nn.Linear(96, 256, bias=bias)
        self.up_proj = nn.Linear(96, 256, bias=bias)
        self.down_proj = nn.Linear(256, 96, bias=bias)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        mixed = torch.cat([self.q_proj(values), self.k_proj(values), self.v_proj(values)], -1)
        other = self.q_proj(values * 2)
        out: torch.Tensor = self.down_proj(self.gate_proj(values) * self.up_proj(values)) + mixed[..., :96] - other
        return torch.cat([out, mixed], -1)


@pytest.fixture(params=[True, False], ids=["bias", "no bias"])
def blocks(request: pytest.FixtureRequest) -> tuple[Block, Block]:
    """The same layers, full and rounded."""
    torch.manual_seed(5)
    full = Block(request.param)
    rounded = copy.deepcopy(full)
    int8.quantize(rounded)
    return full, rounded


@torch.inference_mode()
def test_each_row_gives_what_it_would_give_alone(blocks: tuple[Block, Block]) -> None:
    _, rounded = blocks
    values = torch.randn(1, 70, 96)
    values[0, 3] = 0
    values[0, 5] *= 1000
    together = rounded(values)
    for row in (0, 3, 5, 69):
        assert torch.equal(rounded(values[:, row : row + 1].clone())[0, 0], together[0, row])


@torch.inference_mode()
def test_they_give_nearly_what_the_full_ones_give(blocks: tuple[Block, Block]) -> None:
    full, rounded = blocks
    values = torch.randn(4, 9, 96)
    wanted, given = full(values), rounded(values)
    assert given.shape == wanted.shape
    assert torch.nn.functional.cosine_similarity(given, wanted, -1).min() > 0.999
