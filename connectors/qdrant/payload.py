"""A passage as a point's payload and back. What comes back is believed only if it has the right form."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from bot.types import Passage
from connectors.qdrant.filters import DOCUMENT, LABELS, is_labels

_ENCODED = ("id", DOCUMENT, "text", "title", "heading")


def point_id(document: str, passage: str) -> str:
    """The UUID of a passage's point. The document is part of it: none can replace another document's passage."""
    return str(uuid5(NAMESPACE_URL, f"rolecall:{document}\x1f{passage}"))


def payload_of(passage: Passage) -> dict[str, Any]:
    """What is stored of a passage besides its vectors."""
    return {
        "id": passage.id,
        DOCUMENT: passage.document,
        "text": passage.text,
        LABELS: sorted(passage.labels),
        "title": passage.title,
        "heading": list(passage.heading),
        "page": passage.page,
        "url": passage.url,
        "modified": passage.modified.isoformat() if passage.modified else None,
    }


def same_text(stored: Mapping[str, Any] | None, passage: Passage) -> bool:
    """Whether the stored vectors are this passage's: they follow from its texts, not from labels or dates."""
    wanted = payload_of(passage)
    return stored is not None and all(stored.get(key) == wanted[key] for key in _ENCODED)


def passage_of(payload: Mapping[str, Any]) -> Passage | None:
    """The passage of a payload; None if it is not one that was written here."""
    try:
        modified = payload["modified"]
        passage = Passage(
            id=payload["id"],
            document=payload[DOCUMENT],
            text=payload["text"],
            labels=frozenset(payload[LABELS]),
            title=payload["title"],
            heading=tuple(payload["heading"]),
            page=payload["page"],
            url=payload["url"],
            modified=None if modified is None else datetime.fromisoformat(modified),
        )
    except (KeyError, TypeError, ValueError):
        return None
    return passage if is_labels(payload[LABELS]) and _well_formed(passage) else None


def _well_formed(passage: Passage) -> bool:
    words = (passage.id, passage.document, passage.text, passage.title, passage.url, *passage.heading)
    page = passage.page
    return all(isinstance(word, str) for word in words) and (page is None or isinstance(page, int))
