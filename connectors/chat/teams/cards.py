"""Adaptive Cards 1.5, each with a text for where cards are not shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.assistant.teams_words import TeamsWords
from bot.types import Attachment, Citation
from connectors.chat.teams.payloads import named

CARD = "application/vnd.microsoft.card.adaptive"
CONSENT = "application/vnd.microsoft.teams.card.file.consent"
FILE_INFO = "application/vnd.microsoft.teams.card.file.info"
READERS = "rolecall/readers"
"""The verb of the button that asks who can read the sources."""
LISTED = 40
"""Sources that one card lists: it may have 28 KB."""


def card(body: Sequence[Mapping[str, Any]], fallback: str, actions: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """An attachment with a card in it."""
    content: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.5",
        "fallbackText": fallback,
        "body": list(body),
    }
    if actions:
        content["actions"] = list(actions)
    return {"contentType": CARD, "content": content}


def sources(found: Sequence[Citation], say: TeamsWords, *, admin: bool) -> dict[str, Any]:
    """The sources of an answer; an admin can ask who may read them."""
    lines = [f"[{one.number}] {named(one)}" for one in found[:LISTED]]
    body = [_line(say.sources, weight="Bolder"), *(_source(one) for one in found[:LISTED])]
    ask = {
        "type": "Action.Execute",
        "title": say.who_reads,
        "verb": READERS,
        "data": {"documents": list(dict.fromkeys(one.document for one in found[:LISTED]))},
        "fallback": "drop",
    }
    return card(body, "\n".join([say.sources, *lines]), [ask] if admin else [])


def readers(lines: Sequence[str], say: TeamsWords) -> dict[str, Any]:
    """Who can read the sources of an answer, a line each."""
    body = [_line(say.who_reads, weight="Bolder"), *(_line(line) for line in lines)]
    return card(body, "\n".join([say.who_reads, *lines]))


def language_asked(say: TeamsWords, default: str) -> dict[str, Any]:
    """Into which language to translate."""
    field = {"type": "Input.Text", "id": "into", "label": say.into_which, "value": default, "maxLength": 40}
    return card([field], say.into_which, [{"type": "Action.Submit", "title": say.translate}])


def consent(file: Attachment, key: str, say: TeamsWords) -> dict[str, Any]:
    """Ask whether a file may be put into somebody's OneDrive."""
    return {
        "contentType": CONSENT,
        "name": file.name,
        "content": {
            "description": say.file_offered,
            "sizeInBytes": len(file.content),
            "acceptContext": {"file": key},
            "declineContext": {"file": key},
        },
    }


def file_info(name: str, upload: Mapping[str, Any]) -> dict[str, Any]:
    """A file that lies in somebody's OneDrive now."""
    kind = str(upload.get("fileType") or name.rpartition(".")[2])
    return {
        "contentType": FILE_INFO,
        "contentUrl": upload.get("contentUrl"),
        "name": name,
        "content": {"uniqueId": upload.get("uniqueId"), "fileType": kind},
    }


def _source(one: Citation) -> dict[str, Any]:
    name = named(one).replace("[", "(").replace("]", ")")
    return _line(f"\\[{one.number}\\] [{name}]({one.url})" if one.url else f"\\[{one.number}\\] {name}")


def _line(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "TextBlock", "text": text, "wrap": True, "spacing": "Small", **more}
