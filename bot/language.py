"""Which language a text is in, as far as Rolecall's own words need it."""

from __future__ import annotations

import re
from typing import Literal

Language = Literal["en", "ja"]

_KANA_OR_HAN = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff66-\uff9f]")
_LATIN = re.compile(r"[A-Za-z]+")


def language(text: str) -> Language:
    """Japanese if at least a fifth of the words-or-characters are kana or kanji, else English.

    A Latin word counts as one; so does each kana or kanji. "A320のMELは？" is Japanese.
    """
    japanese = len(_KANA_OR_HAN.findall(text))
    latin = len(_LATIN.findall(text))
    return "ja" if japanese and japanese * 4 >= latin else "en"
