"""Runs a Hugging Face decoder over pieces of several chats laid end to end, each with its own keys and values.

There is no padding: linear layers see all tokens of all chats as rows, attention sees one chat at a time. So chats may
join and leave between two steps, and a chat computes exactly what it would compute alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention

ATTENTION = "rolecall_ragged"
"""The name under which the attention function is known to transformers."""
_FIRST_CAPACITY = 256


@dataclass(slots=True)
class Memory:
    """The keys and values of one chat: for each layer, tensors of shape (heads, capacity, size); `length` are in use."""

    length: int = 0
    keys: dict[int, torch.Tensor] = field(default_factory=dict)
    values: dict[int, torch.Tensor] = field(default_factory=dict)

    def extend(self, layer: int, key: torch.Tensor, value: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Write one layer's new keys and values, shape (heads, new, size), behind those in use; return them all."""
        end = self.length + key.shape[1]
        held = self.keys.get(layer)
        if held is None or held.shape[1] < end:
            self._grow(layer, key, value, end)
        self.keys[layer][:, self.length : end] = key
        self.values[layer][:, self.length : end] = value
        return self.keys[layer][:, :end], self.values[layer][:, :end]

    def _grow(self, layer: int, key: torch.Tensor, value: torch.Tensor, end: int) -> None:
        capacity = _FIRST_CAPACITY
        while capacity < end:
            capacity *= 2
        for kept, new in ((self.keys, key), (self.values, value)):
            room = new.new_empty(new.shape[0], capacity, new.shape[2])
            if layer in kept:
                room[:, : self.length] = kept[layer][:, : self.length]
            kept[layer] = room


@dataclass(frozen=True, slots=True)
class Piece:
    """The next tokens of one chat."""

    tokens: Sequence[int]
    memory: Memory


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    memory: Memory


def register_attention() -> None:
    """Tell transformers about the attention function; harmless when done twice."""
    from transformers import AttentionInterface

    AttentionInterface.register(ATTENTION, _attention)


def step(model: Any, pieces: Sequence[Piece], wanted: Sequence[int]) -> list[torch.Tensor]:
    """Let each chat read its piece. Returns for each the logits after as many of its last tokens as are wanted."""
    spans: list[_Span] = []
    positions: list[int] = []
    for piece in pieces:
        spans.append(_Span(len(positions), len(positions) + len(piece.tokens), piece.memory))
        positions.extend(range(piece.memory.length, piece.memory.length + len(piece.tokens)))
    kept = [place for span, want in zip(spans, wanted, strict=True) for place in range(span.end - want, span.end)]
    device = model.device
    out = model(
        input_ids=torch.tensor([[token for piece in pieces for token in piece.tokens]], device=device),
        position_ids=torch.tensor([positions], device=device),
        use_cache=False,
        logits_to_keep=torch.tensor(kept or [0], device=device),
        spans=spans,
    )
    for piece in pieces:
        piece.memory.length += len(piece.tokens)
    return list(out.logits[0, : len(kept)].split(list(wanted)))


def _attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    spans: Sequence[_Span] = (),
    **unused: Any,
) -> tuple[torch.Tensor, None]:
    """One layer's attention. Tensors come as (1, heads, tokens, size); returned as (1, tokens, heads, size)."""
    parts = []
    for span in spans:
        here = slice(span.start, span.end)
        keys, values = span.memory.extend(module.layer_idx, key[0, :, here], value[0, :, here])
        parts.append(_one_chat(query[:, :, here], keys[None], values[None], scaling, sliding_window))
    return (parts[0] if len(parts) == 1 else torch.cat(parts, 1)), None


def _one_chat(
    query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, scaling: float | None, window: int | None
) -> torch.Tensor:
    new, known = query.shape[2], keys.shape[2]
    if window is not None and known > window + new - 1:
        keys, values = keys[:, :, -(window + new - 1) :], values[:, :, -(window + new - 1) :]
        known = keys.shape[2]
    if new == 1:
        # The query heads that share a key head become rows of one product: no copy of the keys is made.
        grouped = query.reshape(1, keys.shape[1], -1, query.shape[3])
        out = scaled_dot_product_attention(grouped, keys, values, scale=scaling)
        return out.reshape(1, 1, query.shape[1], -1)
    mask = None if new == known and window is None else _mask(new, known, window, query.device)
    out = scaled_dot_product_attention(
        query, keys, values, attn_mask=mask, is_causal=mask is None, scale=scaling, enable_gqa=True
    )
    return out.transpose(1, 2)


def _mask(new: int, known: int, window: int | None, device: torch.device) -> torch.Tensor:
    row = torch.arange(known - new, known, device=device)[:, None]
    column = torch.arange(known, device=device)[None]
    seen = column <= row
    return seen if window is None else seen & (column > row - window)
