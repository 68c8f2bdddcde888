"""Linear layers in eight bits, exact for each row: what a row of a batch gives does not depend on its neighbours.

Weights have one scale for each output, activations one scale for each token, and the products are summed in integers.
PyTorch's own dynamic quantization has one scale for the whole batch, so that a chat's text would depend on who else is
talking. Layers that read the same activations (query, key and value; gate and up) are one product.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

_LEVELS = 127
_SMALLEST = 1e-12
"""Keeps the scale of a row of zeros from being zero."""
_TOGETHER = (("q_proj", "k_proj", "v_proj"), ("query", "key", "value"), ("gate_proj", "up_proj"))
"""Names by which transformers knows layers that read the same activations."""
_WIDE = 2
"""From so many times as many outputs as inputs, oneDNN with its own order of the weights beats a plain product."""
_COPIES = 24
"""As many layers as leave no room in a processor's second cache: the weights of a model come from further away."""


def quantize(model: nn.Module) -> None:
    """Replace every linear layer of the model, in place. Weights that are shared with an embedding stay there."""
    last = _Last()
    for module in list(model.modules()):
        left = {name: child for name, child in module.named_children() if type(child) is nn.Linear}
        groups = [names for names in _TOGETHER if _alike([left.get(name) for name in names])]
        grouped = {name for names in groups for name in names}
        for names in [*groups, *((name,) for name in left if name not in grouped)]:
            for name, layer in zip(names, _joined([left[name] for name in names], last), strict=True):
                setattr(module, name, layer)


def is_exact() -> bool:
    """Whether this processor multiplies eight-bit matrices without overflow, tried with the largest values."""
    left = torch.full((3, 640), _LEVELS, dtype=torch.int8)
    for outputs in (64, 2 * 640):
        right = torch.full((outputs, 640), -_LEVELS, dtype=torch.int8)
        right[::2] = _LEVELS
        wanted = left.long() @ right.long().t()
        multiply = _multiply(right, torch.ones(outputs))
        if not all(torch.equal(multiply(left[:rows]).long(), wanted[:rows]) for rows in (1, 3)):
            return False
    return True


@torch.inference_mode()
def is_faster() -> bool:
    """Whether eight bits beat float32 on this processor, for one token and for many; takes a few tenths of a second."""
    plain = [nn.Linear(576, 1536, bias=False) for _ in range(_COPIES)]
    small = [layer for one in plain for layer in _joined([one], _Last())]
    return all(_fastest(small, rows) < _fastest(plain, rows) for rows in (1, 64))


def _fastest(layers: Sequence[Callable[[torch.Tensor], torch.Tensor]], rows: int) -> float:
    """The seconds that all layers take one after the other, each with its own weights, as in a model."""
    values = torch.randn(rows, 576)

    def once() -> float:
        start = time.perf_counter()
        for layer in layers:
            layer(values)
        return time.perf_counter() - start

    return min(once() for _ in range(4))


Multiply = Callable[[torch.Tensor], torch.Tensor]


def _multiply(weight: torch.Tensor, scale: torch.Tensor) -> Multiply:
    """Multiplies rows of eight bits by weights of shape (outputs, inputs), and each output by its scale, in float32."""
    outputs, inputs = weight.shape
    if outputs >= _WIDE * inputs and hasattr(torch.ops.onednn, "qlinear_prepack"):
        packed, zeros = torch.ops.onednn.qlinear_prepack(weight, None), torch.zeros(outputs, dtype=torch.int32)
        wide = torch.ops.onednn.qlinear_pointwise
        return lambda rows: wide(rows, 1.0, 0, packed, scale, zeros, None, 1.0, 0, torch.float32, "none", [], "")
    turned = weight.t()
    return lambda rows: torch._int_mm(rows, turned).float().mul_(scale)


def _joined(layers: Sequence[nn.Linear], last: _Last) -> list[Int8Linear]:
    """Layers that read the same activations: each gives its own outputs of one product."""
    product = _Product(layers, last)
    ends = itertools.accumulate(layer.out_features for layer in layers)
    return [Int8Linear(product, slice(end - layer.out_features, end)) for layer, end in zip(layers, ends, strict=True)]


def _alike(layers: Sequence[nn.Linear | None]) -> bool:
    """Whether these layers are all there, and all with a bias or all without."""
    return all(layer is not None for layer in layers) and len({layer.bias is None for layer in layers if layer}) == 1


@dataclass(slots=True)
class _Last:
    """What a model multiplied last: the next layer may want its own part of it."""

    product: _Product | None = None
    source: torch.Tensor | None = None
    result: torch.Tensor | None = None


class _Product:
    """The rounded weights of layers side by side."""

    def __init__(self, layers: Sequence[nn.Linear], last: _Last):
        weight = torch.cat([layer.weight.detach().float() for layer in layers])
        scale = (weight.abs().amax(1) / _LEVELS).clamp_min(_SMALLEST)
        self._multiply = _multiply((weight / scale[:, None]).round_().to(torch.int8), scale)
        biases = [layer.bias for layer in layers if layer.bias is not None]
        self._bias = torch.cat([bias.detach().float() for bias in biases]) if biases else None
        self._last = last

    def __call__(self, values: torch.Tensor) -> torch.Tensor:
        """All outputs for each row, of shape (rows, outputs). The same values are multiplied only once in a row."""
        last = self._last
        if last.source is values and last.product is self and last.result is not None:
            return last.result
        flat = values.reshape(-1, values.shape[-1])
        scale = flat.abs().amax(-1, keepdim=True).clamp_min_(_SMALLEST).div_(_LEVELS)
        result = self._multiply((flat / scale).round_().to(torch.int8))
        result = result.mul_(scale) if self._bias is None else torch.addcmul(self._bias, result, scale)
        last.product, last.source, last.result = self, values, result
        return result


class Int8Linear(nn.Module):
    """A linear layer with rounded weights. `forward` takes and gives float32 of shape (..., features)."""

    def __init__(self, product: _Product, outputs: slice):
        super().__init__()
        self._product = product
        self._outputs = outputs

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """The layer's output for each token."""
        out = self._product(values)[:, self._outputs]
        return out.view(*values.shape[:-1], out.shape[-1])
