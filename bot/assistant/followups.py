"""A follow-up is put together with the question it follows, so that a search knows what it is about.

Only what people asked is used, never what was answered: a completed question carries nothing of a document.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from bot.types import Exchange

SHORT = 60
"""Characters: a longer message says itself what it is about."""
BACK = 3
"""Follow-ups of follow-ups that are gone back over."""

_FOLLOWS = re.compile(
    r"^(?:(?:much |even |a bit |make it )?(?:shorter|longer|simpler|friendlier|more \w+|less \w+)"
    r"|once more|again|now in \w+)\b"
    r"|^in \w+(?: please)?[?.!]?$"
    r"|^(?:(?:and|now|please) )*(?:as|in) (?:an? )?(?:csv|table|spreadsheet|excel|chart)\b"
    r"|^(?:csv|表|エクセル|グラフ)(?:で|に|として)"
    r"|^(?:and|or|but|so|then|also|what about|how about|what if|why|why not|since when|how so|the same)\b"
    r"|\b(?:it|its|they|them|their|theirs|this one|that one|the same|he|she|him|her)\b"
    r"|\b(?:is|was|are|were|does|do|did|about|of|for|on|with|at|to) (?:this|that|these|those)\b|\b(?:that|there|then)[?]?$"
    r"|^(?:もっと|もう少し|もう一度|より)"
    r"|^(?:それ|その|これ|この|あれ|あの|そこ|そして|では|じゃあ|ちなみに|また|同じ|なぜ|どうして|いつから)"
    r"|^[^、。？?]{1,16}(?:は|では|だと|の場合は|なら|についても|も)[?]?$"
)

_INSTEAD = re.compile(
    r"(?:(?:and|or|but) )?(?:(?:what|how) about |and |or )(?:(?:in|for|at|on|to|from|with|of) )?(?P<en>[^?.!\n]{1,40})[?.! ]{0,3}"
    r"|(?:では、?|じゃあ)?(?P<ja>[^、。?\n]{1,12}?)(?:の場合)?(?:は|では|だと|なら|については)[?]?",
    re.I,
)
_ASKS = re.compile(
    r"\b(?:is|are|was|were|do|does|did|has|have|can|may|must|should|will|who|what|when|where|why|how|if|it|its|they|them|their|that"
    r"|this|these|those|there|then|please)\b|いつ|誰|だれ|何|なぜ|どう|どこ|どれ|いくら|いくつ|それ|これ|あれ|その|この|あの",
    re.I,
)
_COMPARES = re.compile(
    r"\b(?:shorter|briefer|longer|simpler|friendlier|politer|better|more|less|again)\b|もっと|もう少し|もう一度|より|短く|長く",
    re.I,
)
_LENGTH = re.compile(r"\b(?:shorter|briefer|longer|shorten)\b|短く|長く", re.I)
_ABBREVIATED = re.compile(r"\bIT\b")
"""Information technology is no pronoun, unless everything is in capitals."""
_FORM = re.compile(
    r"^(?:(?:and|but|now|please) )?(?:as|in) (?:(?:a|one|two|three|four|five|six|seven|\d+|short|numbered|bullet) )*"
    r"(?:bullets?|bullet points?|points?|list|sentences?|words|lines?|paragraphs?)(?: please)?[?.!]?$"
    r"|^(?:\d+|[一二三四五六七八九十])?(?:つの|個の|点の)?(?:箇条書き|文|行)(?:で|に)"
)
_SHORTER = re.compile(
    r"(?:(?:and|now|please|even|much|a bit|make (?:it|this|that)) )*(?:shorter|briefer|shorten(?: it| this| that)?)"
    r"(?:,? please)?[.!?]?"
    r"|(?:もっと|もう少し)?短く(?:して|まとめて)?(?:ください|下さい)?[。]?"
)


def completed(question: str, history: Sequence[Exchange]) -> str:
    """The question with the earlier one it follows before it; as it was asked if it stands alone or follows nothing."""
    asked = [question]
    for exchange in list(reversed(history))[:BACK]:
        if not follows(asked[0]):
            break
        asked.insert(0, exchange.question)
    return " ".join(asked)


def follows(question: str) -> bool:
    """Whether a question leans on what was said before: it is short, and begins or points back like one that does."""
    plain = unicodedata.normalize("NFKC", question).strip()
    said = (plain if plain.isupper() else _ABBREVIATED.sub(" ", plain)).casefold()
    return len(said) <= SHORT and bool(_FOLLOWS.search(said) or _FORM.search(said))


def anew(question: str) -> bool:
    """Whether a follow-up may ask for another thing to be done; what only compares is for whoever did the last."""
    return follows(question) and not _COMPARES.search(unicodedata.normalize("NFKC", question))


def wants_length(question: str) -> bool:
    """Whether a follow-up wants what was written last shorter or longer: that is for whoever wrote it."""
    return follows(question) and bool(_LENGTH.search(unicodedata.normalize("NFKC", question)))


def instead(question: str) -> str:
    """What a follow-up asks the same of, in the place of something else: "and in Germany?"; empty if it asks anything more."""
    found = _INSTEAD.fullmatch(unicodedata.normalize("NFKC", question).strip())
    other = (found["en"] or found["ja"]).strip() if found else ""
    return "" if _ASKS.search(other) else other


def wants_form(question: str, last: Exchange) -> bool:
    """Whether a follow-up wants what was said last in another form, such as "as three bullets", and nothing else.

    "Shorter" alone is for whoever wrote it; where documents answered, it is about that answer.
    """
    said = unicodedata.normalize("NFKC", question).casefold().strip()
    form = _FORM.search(said) or (last.sources and _SHORTER.fullmatch(said))
    return len(said) <= SHORT and bool(form)
