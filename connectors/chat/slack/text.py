"""Slack's way of writing a message, as a person reads it."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")


def readable(text: str) -> str:
    """Mentions and links in words, signs unescaped: ``<@U1|ann>`` is @ann, ``<https://a.b|here>`` here (https://a.b)."""
    shown = _SPECIAL.sub(lambda found: _shown(found[1], found[2], found[3] or ""), text)
    return shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def without(text: str, user: str) -> str:
    """A message's raw text without the mentions of one user."""
    return re.sub(rf"(?<![ \t])[ \t]*<@{re.escape(user)}(?:\|[^<>]*)?>[:,]?[ \t]*", " ", text).strip() if user else text


def mentions(text: str, user: str) -> bool:
    """Whether a raw text rings a user."""
    return bool(user) and re.search(rf"<@{re.escape(user)}(?:\|[^<>]*)?>", text) is not None


def _shown(sign: str, target: str, label: str) -> str:
    if sign == "!":
        return "@" + (label or target.partition("^")[0]).lstrip("@")
    if sign:
        return sign + (label or target)
    target = target.removeprefix("mailto:")
    return f"{label} ({target})" if label and label != target else target
