"""Measures retrieval on any question set in BEIR form: nDCG@10, Recall@10 and MRR of each leg and of the hybrid."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from bot.types import Access, Passage

Progress = Callable[[str, int, int], None]


class EvaluatedIndex(Protocol):
    """A temporary index with the shipped legs."""

    async def put(self, passages: Sequence[Passage]) -> None:
        """Insert passages."""

    async def legs(self, query: str, access: Access, limit: int) -> Mapping[str, Sequence[Passage]]:
        """The ranking of each leg (`bm25`, `dense`) and of the `hybrid`, best first."""


async def evaluate(
    folder: Path, index: EvaluatedIndex, limit: int | None = None, progress: Progress | None = None
) -> dict[str, dict[str, float]]:
    """Metrics of each leg. `limit` takes the first so many questions. Raises ConfigError for a folder not in BEIR form."""
    raise NotImplementedError
