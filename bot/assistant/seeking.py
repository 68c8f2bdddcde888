"""What a search is for, without the words that ask for it; and the document that it names, if it names one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.assistant.terms import asked, coverage
from bot.types import Passage

HALF = 0.5
"""The share of a title that must be named, unless the request says that a document is meant."""

_ASKS = re.compile(
    r"^(?:(?:please|can you|could you|would you|i need you to)\s+)*"
    r"(?:find|look up|look for|search for|search|check|get|fetch|show me|tell me)\s+(?:out\s+)?(?=\S)",
    re.I,
)
_ASKS_JA = re.compile(
    r"(?:を|について)?(?:調べ|探し|検索し|見つけ|確認し|捜し|見せ|教え)(?:て(?:ください|下さい)?|たうえで|た上で)?[。、]?$"
)
_DOCUMENT = re.compile(
    r"\b(?:polic(?:y|ies)|rules?|guidelines?|guide|handbook|manual|document|procedure|regulations?|report|paper|notice|chapter)\b"
    r"|規程|規則|規定|手引き?|案内|文書|資料|要領|手順書|ルール|マニュアル",
    re.I,
)
_IS = re.compile(r"^(?:what(?:'s| is| are)|where(?:'s| is| are))\s+(?:our|the|your)\s+", re.I)
_ASKED = re.compile(
    r"[?？]|^(?:what|which|wh[oy]|whom|whose|when|where|how|is|are|do|does|can|may)\b|何|誰|いつ|どこ|どう", re.I
)


def sought(request: str) -> str:
    """The request without "find", "look up" or 「調べて」; as it is if nothing would be left."""
    plain = _ASKS_JA.sub("", _ASKS.sub("", request.strip())).strip()
    return plain or request


def subject(request: str) -> str:
    """What a request for a document is about, without "policy", "guide" and the like; any other request as it is."""
    said = sought(request)
    plain = _DOCUMENT.sub(" ", said).strip()
    return plain if not _ASKED.search(said) and asked(plain) else said


def named(request: str, passages: Sequence[Passage]) -> str | None:
    """The document that a request names: all that it says beside "policy", "guide" and the like stands in the title.

    Of several it is the one whose title says the least beside; None if the request asks something, or names none.
    """
    said = sought(request)
    whole = _IS.sub("", said).rstrip(" ?？")
    meant = bool(_DOCUMENT.search(whole))
    if _ASKED.search(whole if meant else said):
        return None
    about = _DOCUMENT.sub(" ", whole)
    if not asked(about):
        return None
    least = 0.0 if meant else HALF
    shares = {one.document: _share(about, one.title) for one in reversed(passages)}
    best = max(reversed(shares), key=shares.__getitem__, default=None)
    return best if best and shares[best] > least else None


def _share(about: str, title: str) -> float:
    """The share of a title that is named; nothing unless it has all that the request says."""
    return coverage(_DOCUMENT.sub(" ", title), about) if coverage(about, title) == 1.0 else 0.0
