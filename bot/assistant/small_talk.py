"""Plain chat in fixed words: greeting, thanks, help from the person's real grants, and saying what is not granted.

A small model would invent abilities; these sentences cannot.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable

from bot.assistant.words import Words, words
from bot.language import language
from bot.types import Access, Turn

TOOLS = ("search_documents", "write_code", "debug_code", "summarize", "translate", "draft", "sentiment", "classify")

_THANKS = re.compile(
    r"\b(thank(s| you)|thx|cheers|appreciated|well done|good job|helpful|perfect|great)\b|ありがと|助かり|感謝|役に立ち|すごい"
)
_GOODBYE = re.compile(r"\b((good ?)?bye|see you|good night)\b|さようなら|また明日|ではまた|お先に|おやすみ")
_WELLBEING = re.compile(r"\bhow (are you|is it going|do you do)\b|\bhow's it going\b|元気です|調子は")
_GREETING = re.compile(
    r"^(hi|hello|hey|good (morning|afternoon|evening)|happy new year|nice to (meet|see) you|have a nice)\b"
    r"|^(こんにちは|こんばんは|おはよう|はじめまして|お疲れ|やあ|もしもし|よろしく)"
)
_ABOUT_ABILITY = re.compile(r"\b(what|which|help|how do|can you|use)\b|何|でき|使|機能|ヘルプ|どんな")


def fixed(turn: Turn, installed: Collection[str]) -> str | None:
    """The whole reply to a greeting, thanks, a goodbye or a question about abilities; None if the message is none of these."""
    said = unicodedata.normalize("NFKC", turn.message.text).casefold().strip()
    speak = words(language(turn.message.text))
    for pattern, reply in ((_WELLBEING, speak.wellbeing), (_THANKS, speak.thanks), (_GOODBYE, speak.goodbye)):
        if pattern.search(said):
            return reply
    if _GREETING.search(said) and not _ABOUT_ABILITY.search(said):
        return speak.greeting
    return help_text(turn, installed) if _ABOUT_ABILITY.search(said) else None


def help_text(turn: Turn, installed: Collection[str]) -> str:
    """What this person can have done here, each with an example, and which documents the answers come from."""
    speak = words(language(turn.message.text))
    offered = offers(turn.access, installed)
    if not offered:
        return speak.offers_nothing
    lines = [speak.help_intro, *(_offer(speak, tool) for tool in offered)]
    if "search_documents" in offered:
        lines += ["", _documents(speak, turn.access)]
    return "\n".join([*lines, speak.help_outro])


def refusal(turn: Turn, tool: str, installed: Collection[str]) -> str:
    """Say plainly that a tool is not there for this person, and what is."""
    speak = words(language(turn.message.text))
    offered = offers(turn.access, installed)
    sentence = speak.not_granted if tool not in turn.access.tools else speak.not_installed
    plain = sentence.format(what=speak.abilities[tool], tool=tool)
    if not offered:
        return f"{plain} {speak.offers_nothing}"
    return "\n".join([plain, speak.offers, *(_offer(speak, name) for name in offered)])


def offers(access: Access, installed: Collection[str]) -> list[str]:
    """The tools that a person both may use and can use here."""
    return [tool for tool in TOOLS if tool in access.tools and tool in installed]


def _offer(speak: Words, tool: str) -> str:
    return f"- {speak.abilities[tool]} ({speak.help_example.format(example=speak.examples[tool])})"


def _documents(speak: Words, access: Access) -> str:
    if not access.can_read:
        return speak.help_no_documents
    labels = sorted(_named(access.readers))
    return speak.help_documents.format(labels=speak.list_separator.join(labels)) if labels else speak.help_mixed


def _named(readers: Iterable[frozenset[str]]) -> frozenset[str]:
    """The labels that every reader holds; those that stand for one person or group are nobody's business here."""
    return frozenset(label for label in frozenset.intersection(*readers) if ":" not in label)
