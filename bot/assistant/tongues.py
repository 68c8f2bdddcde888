"""Languages by name: which one a request wants, which one a text is in, and whether a text is in the one it should be in.

Letters decide where a language has its own; among those that share letters, py3langid compares how likely each is.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from bot.assistant import abroad
from bot.language import Language, language

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

# code: the English name, other English names, then the name in Japanese without 語
_NAMES = MappingProxyType(
    {
        "en": ("English", "英"),
        "ja": ("Japanese", "日本", "和"),
        "de": ("German", "ドイツ", "独"),
        "fr": ("French", "フランス", "仏"),
        "es": ("Spanish", "スペイン", "西"),
        "it": ("Italian", "イタリア", "伊"),
        "pt": ("Portuguese", "ポルトガル", "葡"),
        "nl": ("Dutch", "オランダ", "蘭"),
        "pl": ("Polish", "ポーランド"),
        "sv": ("Swedish", "スウェーデン"),
        "da": ("Danish", "デンマーク"),
        "fi": ("Finnish", "フィンランド"),
        "cs": ("Czech", "チェコ"),
        "hu": ("Hungarian", "ハンガリー"),
        "ro": ("Romanian", "ルーマニア"),
        "tr": ("Turkish", "トルコ"),
        "vi": ("Vietnamese", "ベトナム"),
        "id": ("Indonesian", "インドネシア"),
        "zh": ("Chinese", "Mandarin", "中国", "中"),
        "ko": ("Korean", "韓国", "韓"),
        "ru": ("Russian", "ロシア", "露"),
        "uk": ("Ukrainian", "ウクライナ"),
        "el": ("Greek", "ギリシャ"),
        "he": ("Hebrew", "ヘブライ"),
        "ar": ("Arabic", "アラビア"),
        "hi": ("Hindi", "ヒンディー"),
        "th": ("Thai", "タイ"),
    }
)
KNOWN = tuple(_NAMES)
"""ISO 639-1 codes of the languages that can be asked for."""

_SCRIPTS = MappingProxyType(
    {
        "zh": "\u3400-\u4dbf\u4e00-\u9fff",
        "ko": "\uac00-\ud7af\u1100-\u11ff",
        "ru": "\u0400-\u04ff",
        "uk": "\u0400-\u04ff",
        "el": "\u0370-\u03ff",
        "he": "\u0590-\u05ff",
        "ar": "\u0600-\u06ff",
        "hi": "\u0900-\u097f",
        "th": "\u0e00-\u0e7f",
        "ja": "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff",
    }
)
_KANA = re.compile(r"[\u3040-\u30ff]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
OWN_LETTERS = 0.3
"""The share of a text's letters that must be its language's own: names and codes stay in Latin letters."""
TELLING = 24
"""Letters from which two languages in the same letters can be told apart."""
CLOSE = 3
"""Among how many of the likeliest languages the right one must be: siblings such as Danish and Swedish are close."""

LINE = 100
"""Characters of a request that may say nothing but a language."""

_CHINESE = re.compile(r"[这们请为么给对说时您还从该]")
_ENGLISH_NAME = {name.lower(): code for code, names in _NAMES.items() for name in names if name.isascii()}
_JAPANESE_NAME = {f"{name}語": code for code, names in _NAMES.items() for name in names if not name.isascii()}
_JAPANESE_NAME |= {"和訳": "ja", "英訳": "en", "独訳": "de", "仏訳": "fr", "中訳": "zh", "英文": "en", "和文": "ja"}
_ANY_ENGLISH = "|".join(_ENGLISH_NAME)
_ANY_JAPANESE = "|".join(sorted(_JAPANESE_NAME, key=len, reverse=True))
_NAMED = re.compile(rf"\b(?:{_ANY_ENGLISH})\b|{_ANY_JAPANESE}")
_TARGET = re.compile(
    rf"\b(?:in|into|to) (?:\w+ )?(?P<into>{_ANY_ENGLISH})\b"
    rf"|\b(?P<version>{_ANY_ENGLISH}) (?:version|translation|word|for)\b"
    r"|\bto (?P<code>en|ja|de|fr|es)\b"
    rf"|(?P<ni>{_ANY_JAPANESE})(?:に|で|へ|版|訳|の?翻訳|を?お願い|$)|(?P<yaku>[和英独仏中]訳)"
    rf"|{abroad.TARGET}"
)
_THING = (
    r"(?:this|it|that|das|dies|es|(?:den|diesen)(?: folgenden)? (?:text|satz)|ce(?:ci|la)|ça|(?:ce|le) texte(?: suivant)?"
    r"|esto|este texto|questo(?: testo)?|isto|dit|deze tekst)"
)
_AROUND = rf"(?:{abroad.PLEASE}|{abroad.TRANSLATES}|translat\w+|{_THING}|and|now|und|jetzt|et|maintenant|y|e)"
_ONLY = re.compile(
    rf"(?:{_AROUND}[,\s]+){{0,5}}(?:(?:in|into|to) (?:{_ANY_ENGLISH})|{abroad.TARGET})(?:[,\s]+{_AROUND}){{0,4}}"
    rf"|(?:[これそ次以下]{{2}}(?:の文章?)?を)?(?:{_ANY_JAPANESE})(?:で|に|へ)(?:お願い(?:します)?|(?:翻?訳して)?(?:ください|下さい)?)"
)


_UNKNOWN = re.compile(
    r"\b(?i:translat\w+)\b(?:.*\s)?(?:in)?to ([^\W\d]{4,})(?: please)?[.?!]?$"
    r"|\b(?:(?i:summari[sz]e|put|write|say|draft|rephrase)(?: (?:this|it|that|them|all|the \w+))?(?: briefly)?"
    r" (?:in|into|to)|^(?i:and |now )*in) ([A-Z][a-z]{3,})(?:,? please)?[.?!]?$"
    r"|([ァ-ヴー]{2,12}語)(?:に|で|へ)",
)
_NO_LANGUAGE = frozenset(
    "that this another both other language languages simple plain something text words english".split()
    + "monday tuesday wednesday thursday friday saturday sunday january february march april june july august".split()
    + "september october november december short brief general bullets points sentences".split()
    + "word excel slack teams markdown outlook".split()
)
_ONLY_ENGLISH = re.compile(
    r"\b(?:the|has|have|had|are|was|were|with|your|you|this|that|these|will|from|please|and|our|not|been|to|is)\b", re.I
)


def load() -> None:
    """Read what tells languages apart, about half a second of work; done on first use otherwise."""
    _identifier()


def name_of(code: str) -> str:
    """The English name of a language."""
    return _NAMES[code][0]


def called(code: str, own: Language) -> str:
    """The name of a language in English or Japanese."""
    return name_of(code) if own == "en" else f"{next(name for name in _NAMES[code] if not name.isascii())}語"


def wanted(request: str) -> str | None:
    """The language that a request wants its answer in; None if it names none.

    "from English into German" wants German; "this English report" alone names what is there, not what is wanted.
    """
    said = unicodedata.normalize("NFKC", request).casefold()
    found = [match.group(match.lastgroup or 0) for match in _TARGET.finditer(said)]
    return _code(found[-1]) if found else None


def only(request: str) -> bool:
    """Whether a request says nothing but which language something is to be put into, as "auf Deutsch bitte" does."""
    said = unicodedata.normalize("NFKC", request).casefold().strip(" .:!?。")
    return len(said) <= LINE and _ONLY.fullmatch(said) is not None


def unknown(request: str) -> str | None:
    """The name of a language that a request wants and we do not know, such as Klingon; None if it names none."""
    said = unicodedata.normalize("NFKC", request).strip()
    found = _UNKNOWN.search(said)
    name = next(filter(None, found.groups()), "") if found else ""
    return name if name and name.casefold() not in _NO_LANGUAGE and wanted(request) is None else None


def already(text: str, code: str) -> bool:
    """Whether a text is in a language: a short one in Latin letters is English if it has words that only English has."""
    there = spoken(text)
    if there is None and code == "en":
        return language(text) == "en" and bool(_ONLY_ENGLISH.search(text)) and code in _likeliest(text)[:CLOSE]
    return there == code


def mentioned(request: str) -> list[str]:
    """Every language that a request names, in order."""
    said = unicodedata.normalize("NFKC", request).casefold()
    return list(dict.fromkeys(_code(name) for name in _NAMED.findall(said)))


def _code(name: str) -> str:
    return _ENGLISH_NAME.get(name) or _JAPANESE_NAME.get(name) or abroad.code_of(name) or name


def spoken(text: str) -> str | None:
    """The language that a text is in; None if too little stands there to tell."""
    letters = [char for char in unicodedata.normalize("NFKC", text) if char.isalpha()]
    if not letters:
        return None
    joined = "".join(letters)
    if _KANA.search(joined):
        return "ja" if _share(joined, "ja") >= OWN_LETTERS else _likeliest(text)[0]
    own = [code for code in _SCRIPTS if code not in ("ja", "uk") and _share(joined, code) >= OWN_LETTERS]
    if own == ["zh"] and not _CHINESE.search(joined):
        return "zh" if _likeliest(text)[0] == "zh" and len(joined) >= TELLING // 4 else None
    if own:
        return own[0]
    return _likeliest(text)[0] if len(letters) >= TELLING else None


def written_in(text: str, code: str, source: str | None = None) -> bool:
    """Whether a text is in a language, as far as its length tells, and no longer in the `source` language."""
    letters = "".join(char for char in unicodedata.normalize("NFKC", text) if char.isalpha())
    if not letters:
        return True
    if code in _SCRIPTS:
        mine = _share(letters, code) >= OWN_LETTERS
        return mine and (code != "ja" or bool(_KANA.search(letters)) or len(letters) < TELLING)
    if len(_LATIN.findall(letters)) < OWN_LETTERS * len(letters):
        return False
    if len(letters) < TELLING:
        return True
    ranked = _likeliest(text)
    return code in ranked[:CLOSE] and (source is None or source == code or _before(ranked, code, source))


def _before(ranked: list[str], code: str, other: str) -> bool:
    return other not in ranked or ranked.index(code) < ranked.index(other)


def _share(letters: str, code: str) -> float:
    return len(re.findall(f"[{_SCRIPTS[code]}]", letters)) / len(letters)


def _likeliest(text: str) -> list[str]:
    """The known languages, likeliest first."""
    return [code for code, _ in _identifier().rank(text) if code in _NAMES]


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE)
