"""What a search is for, without the words that ask for it; and the document that it names, if it names one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.assistant.terms import asked, coverage
from bot.types import Passage

HALF = 0.5
"""The share of a title that must be named, unless the request says that a document is meant."""

_HELLO = re.compile(
    r"^(?:(?:hi|hello|hey|good (?:morning|afternoon|evening)|excuse me|sorry)(?: (?:there|all|everyone|team|rolecall))?[,!.:、 ]+"
    r"|(?:quick question|just (?:checking|wondering))[,:]\s*"
    r"|(?:お疲れ様です|お世話になっております|こんにちは|おはようございます|すみません(?:が)?|申し訳ありませんが|ちょっと|急ぎで"
    r"|念のため)[。、！!,\s]*)+(?=\S)",
    re.I,
)
_WANTS = (
    r"(?:please|pls|kindly|quickly|just|also|(?:can|could|would|will) (?:you|we)|(?:can|may) i ask you to"
    r"|i(?:'d| would) like (?:you )?to|i (?:need|want|have) (?:you )?to|i(?:'m| am) trying to|(?:help|let) (?:me|us)(?: to)?"
    r"|(?:try|go)(?: to| and)?|see (?:if|whether) you can|do you(?: happen to)?)"
)
_SEEKS = (
    r"(?:find(?: (?:me|us))?|look (?:up|for|into|at)|have a look at|search(?: for)?|check|locate|get(?: me)?|fetch"
    r"|(?:show|tell|give) (?:me|us)|(?:i(?:'m| am) )?looking for|i(?:'m| am| was) wondering)"
)
_PLACE = r"(?:(?:in|through) )?(?:(?:the|our|all|my|company|company's|internal) ){0,4}(?:documents|docs|files|knowledge base)"
_ASKS = re.compile(
    rf"^(?:(?:{_WANTS}[\s,]+){{0,6}}{_SEEKS}|(?:{_WANTS}[\s,]+){{1,6}}know)(?: out)?(?: for (?:me|us))?"
    rf"(?: {_PLACE})?(?: (?:for|about|whether|if))?[\s:,]+(?=\S)",
    re.I,
)
_THANKS = re.compile(
    r"(?:[\s,.!?]{1,5}(?:please|pls|for (?:me|us)|thanks|thank you|thx|in advance|asap"
    r"|(?:in|from) (?:the|our) (?:documents|docs|files)))+[.!?]*$",
    re.I,
)
_PLACE_JA = r"(?:(?:社内|会社)の?)?(?:文書|資料|ドキュメント|ファイル|規程|規則|マニュアル)(?:の中)?(?:で|から)"
_IN_PLACE_JA = re.compile(rf"^{_PLACE_JA}、?")
_FAVOUR_JA = (
    r"(?:(?:おいて|おい|みて|いて)?(?:ください|下さい|ほしい|欲しい|もらえ(?:ますか|ませんか|る)|(?:いただ|頂)け(?:ますか|ませんか|る)"
    r"|くれ(?:ますか|ませんか|る)|います|いる|ね|よ|です|のですが|んですが|お願いします){0,4})"
)
_ASKS_JA = re.compile(
    rf"(?:を|について|に関して|は)?(?:{_PLACE_JA})?"
    r"(?:(?:調べ|探し|捜し|検索し|見つけ|確認し|チェックし|参照し|見せ|教え|知らせ|出し)"
    rf"(?:て{_FAVOUR_JA}|とい?て{_FAVOUR_JA}|たい(?:です|のですが|んですが|と思います)?|たうえで|た上で)?"
    r"|(?:が|を)?知りたい(?:です|のですが|んですが)?"
    r"|の(?:検索|確認|調査)を?お願い(?:します)?|を(?:検索|確認|調査)(?:を?お願い(?:します)?)?)[。、！!?？]*$"
)
_ABOUT = re.compile(r"^(?:(?:any|some|the|more) )?(?:info|information|details?) (?:on|about|regarding)\s+(?=\S)", re.I)
_ABOUT_JA = re.compile(r"(?:に関する|についての)(?:情報|記載)$|が(?:わか|分か)る(?:文書|資料)$")
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
    """The request without greeting, "could you find out", "thanks" or 「調べてほしい」; as it is if nothing would be left."""
    said = _HELLO.sub("", request.strip(), count=1)
    plain = _ASKS.sub("", said, count=1)
    plain = plain if plain == said else _THANKS.sub("", plain)
    inside = _ASKS_JA.sub("", plain)
    if inside != plain:
        plain = _ABOUT_JA.sub("", _IN_PLACE_JA.sub("", inside))
    plain = _ABOUT.sub("", plain).strip()
    return plain if asked(plain) else request


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
