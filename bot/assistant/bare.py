"""A request that is a bare verb or language, such as "summarize" or "auf Deutsch": a rule knows its tool."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

from bot.assistant import abroad, tongues

_VERBS: Mapping[str, str] = MappingProxyType(
    {
        "summarize": r"summari[sz]e|summary|tl;?dr|sum (?:it |this )?up|recap|(?:the )?(?:gist|key points)"
        r"|zusammenfassung|fass\w* zusammen|résumé|résume[rz]?|resumen|resume|riassunto|要約|まとめ(?:て)?",
        "translate": rf"translat(?:e|ion)|{abroad.TRANSLATES}|翻訳|訳して|英訳|和訳",
        "draft": r"shorten|rephrase|reword|rewrite|proofread|polish|(?:draft )?(?:a )?reply"
        r"|言い換えて?|書き直して|校正|添削|返信(?:案)?",
        "debug_code": r"fix|debug|デバッグ",
        "write_code": r"run|execute|実行",
        "sentiment": r"sentiment|mood|感情分析",
        "classify": r"classify|categori[sz]e|sort|分類",
    }
)
_THING = (
    r"(?: (?:this|it|these|that|them|(?:the |this )?(?:attached )?(?:file|text|document|message|thread|attachment"
    r"|code|script|program|query)))?"
)
_LENGTH = r"(?: (?:as|in) (?:\w+ ){0,2}(?:bullets?|bullet points?|points?|sentences?|words|lines))?"
_PLEASE = r"(?:please|pls|bitte|s'il vous plaît|por favor|per favore|kurze?|short|quick|a)"
_PLEASE_JA = r"(?:して|を)?(?:ください|下さい|お願い(?:します)?|願います)?"
_BARE = tuple(
    (tool, re.compile(rf"(?:{_PLEASE} )*(?:{verbs}){_THING}{_LENGTH}{_PLEASE_JA}(?:,? {_PLEASE})*[\s.!?。！？:：]*"))
    for tool, verbs in _VERBS.items()
)


def bare(request: str) -> str | None:
    """The tool that a request names by its verb, or by a language, alone; None if it says anything beside it."""
    said = unicodedata.normalize("NFKC", request).casefold().strip()
    tool = next((tool for tool, pattern in _BARE if pattern.fullmatch(said)), None)
    return tool or ("translate" if tongues.only(said) else None)
