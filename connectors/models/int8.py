"""Linear layers in eight bits, exact for each row: what a row of a batch gives does not depend on its neighbours.

Weights have one scale for each output, activations one scale for each token, and the products are summed in integers.
PyTorch's own dynamic quantization has one scale for the whole batch, so that a chat's text would depend on who else is
talking.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

_LEVELS = 127
_SMALLEST = 1e-12
"""Keeps the scale of a row of zeros from being zero."""


def quantize(model: nn.Module) -> None:
    """Replace every linear layer of the model, in place. Weights that are shared with an embedding stay there."""
    rounded = _Rounded()
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if type(child) is nn.Linear:
                setattr(module, name, Int8Linear(child, rounded))


def is_exact() -> bool:
    """Whether this processor multiplies eight-bit matrices without overflow, tried with the largest values."""
    left = torch.full((3, 640), _LEVELS, dtype=torch.int8)
    right = torch.full((64, 640), -_LEVELS, dtype=torch.int8)
    right[::2] = _LEVELS
    wanted = left.long() @ right.long().t()
    return all(torch.equal(torch._int_mm(left[:rows], right.t()).long(), wanted[:rows]) for rows in (1, 3))


def is_faster() -> bool:
    """Whether eight bits beat float32 on this processor, for one token and for many; takes a few milliseconds."""
    linear = nn.Linear(1024, 1024, bias=False)
    small = Int8Linear(linear, _Rounded())
    for rows in (1, 64):
        batch = [torch.randn(rows, 1024) for _ in range(6)]
        if _fastest(small, batch) > _fastest(linear, batch):
            return False
    return True


def _fastest(layer: Callable[[torch.Tensor], torch.Tensor], batches: list[torch.Tensor]) -> float:
    def once(values: torch.Tensor) -> float:
        start = time.perf_counter()
        layer(values)
        return time.perf_counter() - start

    return min(once(values) for values in batches)


@dataclass(slots=True)
class _Rounded:
    """The activations that were rounded last: query, key and value (gate and up) read the same ones."""

    source: torch.Tensor | None = None
    values: torch.Tensor | None = None
    scale: torch.Tensor | None = None


class Int8Linear(nn.Module):
    """A linear layer with rounded weights. `forward` takes and gives float32 of shape (..., features)."""

    scale: torch.Tensor
    packed: torch.Tensor

    def __init__(self, linear: nn.Linear, rounded: _Rounded):
        super().__init__()
        weight = linear.weight.detach().float()
        scale = (weight.abs().amax(1) / _LEVELS).clamp_min(_SMALLEST)
        self.register_buffer("scale", scale, persistent=False)
        self.register_buffer("packed", (weight / scale[:, None]).round_().to(torch.int8).t(), persistent=False)
        self.bias = None if linear.bias is None else nn.Parameter(linear.bias.detach().float(), requires_grad=False)
        self.out_features = linear.out_features
        self._rounded = rounded

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """The layer's output for each token."""
        rows, scale = self._round(values)
        out = torch._int_mm(rows, self.packed).float().mul_(scale).mul_(self.scale)
        if self.bias is not None:
            out += self.bias
        return out.view(*values.shape[:-1], self.out_features)

    def _round(self, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        last = self._rounded
        if last.source is values and last.values is not None and last.scale is not None:
            return last.values, last.scale
        flat = values.reshape(-1, values.shape[-1])
        scale = flat.abs().amax(-1, keepdim=True).clamp_min_(_SMALLEST).div_(_LEVELS)
        last.source, last.values, last.scale = values, (flat / scale).round_().to(torch.int8), scale
        return last.values, last.scale
