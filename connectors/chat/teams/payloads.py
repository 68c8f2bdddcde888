"""Activities as plain dicts: what Teams is sent, key by key, so that another SDK can take this one's place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from bot.access.policy import Sensitivity
from bot.types import Citation

CITATIONS = 20
"""Teams takes no more on one message; further sources are listed in the text."""
INFORMATIVE = 1000
"""Characters of a status line."""
SUGGESTIONS = 6

StreamType = Literal["informative", "streaming", "final"]


def typing() -> dict[str, Any]:
    """The three dots."""
    return {"type": "typing"}


def plain(text: str) -> dict[str, Any]:
    """A message that is not an answer."""
    return {"type": "message", "text": text, "textFormat": "markdown"}


def streamed(activity: dict[str, Any], kind: StreamType, stream: str, sequence: int = 0) -> dict[str, Any]:
    """An activity as one step of a stream; old clients look for the same keys in the channel data."""
    info: dict[str, Any] = {"streamType": kind}
    info |= {"streamId": stream} if stream else {}
    info |= {"streamSequence": sequence} if sequence else {}
    return activity | {
        "entities": [*activity.get("entities", ()), {"type": "streaminfo", **info}],
        "channelData": {**activity.get("channelData", {}), **info},
    }


def step(text: str, kind: StreamType, stream: str, sequence: int) -> dict[str, Any]:
    """A status line, or all of the answer so far."""
    shown = text[:INFORMATIVE] if kind == "informative" else text
    return streamed({"type": "typing", "text": shown}, kind, stream, sequence)


def answer(
    text: str,
    sources: Sequence[Citation],
    *,
    feedback: bool,
    sensitivity: Sensitivity | None = None,
) -> dict[str, Any]:
    """A final answer: labelled as made by AI, with its sources, and thumbs if `feedback`."""
    entity: dict[str, Any] = {
        "type": "https://schema.org/Message",
        "@type": "Message",
        "@context": "https://schema.org",
        "@id": "",
        "additionalType": ["AIGeneratedContent"],
    }
    cited = [one for one in sources if f"[{one.number}]" in text][:CITATIONS]
    if cited:
        entity["citation"] = [_claim(one) for one in cited]
    if sensitivity is not None:
        about = {"@type": "CreativeWork", "name": sensitivity.name}
        entity["usageInfo"] = about | ({"description": sensitivity.description} if sensitivity.description else {})
    made = plain(text) | {"entities": [entity]}
    if feedback:
        made["channelData"] = {"feedbackLoop": {"type": "default"}}
    return made


def suggesting(activity: dict[str, Any], examples: Sequence[str]) -> dict[str, Any]:
    """The activity with requests below it that can be sent by pressing them."""
    actions = [{"type": "imBack", "title": one, "value": one} for one in examples[:SUGGESTIONS]]
    return activity | ({"suggestedActions": {"actions": actions}} if actions else {})


def uncited(text: str, sources: Sequence[Citation]) -> list[Citation]:
    """The sources that no citation can show: those beyond the limit, and those that the text has no mark for."""
    marked = [one for one in sources if f"[{one.number}]" in text]
    return [one for one in sources if one not in marked[:CITATIONS]]


def named(source: Citation) -> str:
    """A source in words: its title, and the page."""
    return f"{source.title}, p. {source.page}" if source.page else source.title


def _claim(source: Citation) -> dict[str, Any]:
    appearance: dict[str, Any] = {
        "@type": "DigitalDocument",
        "name": source.title[:80] or source.document[-80:],
        "abstract": named(source)[:160] or source.document[-160:],
    }
    if source.url:
        appearance["url"] = source.url
    return {"@type": "Claim", "position": source.number, "appearance": appearance}
