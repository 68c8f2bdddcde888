"""What a search may return, as a value that cannot say "everything", and the check of what did come back.

Two independent rules with one meaning: `only_for` goes into Qdrant with every query and every prefetch, `may_see`
looks at each point that returns. Neither calls the other, and each is tested with the other switched off.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeGuard

from bot.types import Access

LABELS = "labels"
DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class Only:
    """Points that share a label with *each* of these groups. There is no empty one: to Qdrant that means all points."""

    groups: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        if not self.groups or not all(self.groups):
            raise ValueError("a filter needs at least one group of labels, and no group may be empty")


Filters = Callable[[Access], Only]
Recheck = Callable[[Access, object], bool]


def only_for(access: Access) -> Only:
    """One group for each reader. Raises ValueError for an access that allows nothing: it must not come this far."""
    return Only(tuple(sorted(tuple(sorted(reader)) for reader in access.readers)))


def may_see(access: Access, labels: object) -> bool:
    """Whether every reader may see a point whose payload says `labels`; anything but a list of strings is no."""
    return is_labels(labels) and access.sees(labels)


def is_labels(labels: object) -> TypeGuard[list[str]]:
    """Whether this is what a point must carry: a list, not empty, of strings, none empty or padded."""
    return isinstance(labels, list) and bool(labels) and all(_is_label(label) for label in labels)


def checked_labels(labels: Collection[str], owner: str) -> list[str]:
    """The labels as they are stored, sorted. Raises ValueError naming the owner if nobody, or anybody, could see it."""
    if isinstance(labels, str):
        raise ValueError(f"{owner}: labels must be a set of labels, not the string {labels!r}")
    found: list[object] = list(labels)
    if not is_labels(found):
        raise ValueError(f"{owner}: labels must be one or more names without spaces around them, not {found!r}")
    return sorted(found)


def _is_label(label: object) -> bool:
    return isinstance(label, str) and bool(label) and label == label.strip()
