"""Languages by the names that their speakers and neighbours give them: "auf Deutsch", "en anglais", "al italiano", 「中文」."""

from __future__ import annotations

from types import MappingProxyType

# code: the names in German, French, Spanish, Italian, Portuguese, Dutch, and in the language itself
_NAMES = MappingProxyType(
    {
        "en": "englisch|anglais|inglés|ingles|inglese|inglês|engels",
        "ja": "japanisch|japonais|japonés|giapponese|japonês|japans|nihongo",
        "de": "deutsch|allemand|alemán|tedesco|alemão|duits",
        "fr": "französisch|français|francais|francés|francese|francês|frans",
        "es": "spanisch|espagnol|español|castellano|spagnolo|espanhol|spaans",
        "it": "italienisch|italiano|italiaans",
        "pt": "portugiesisch|portugais|portugués|portoghese|português|portugees",
        "nl": "niederländisch|néerlandais|neerlandés|olandese|neerlandês|holandês|nederlands",
        "pl": "polnisch|polonais|polaco|polacco|polonês|pools|polski|polsku",
        "sv": "schwedisch|suédois|sueco|svedese|zweeds|svenska",
        "da": "dänisch|danois|danés|danese|dinamarquês|deens|dansk",
        "fi": "finnisch|finnois|finlandés|finlandese|finlandês|fins|suomeksi",
        "cs": "tschechisch|tchèque|checo|ceco|tcheco|tsjechisch|češtiny|česky",
        "hu": "ungarisch|hongrois|húngaro|ungherese|hongaars|magyarul",
        "ro": "rumänisch|roumain|rumano|rumeno|romeno|roemeens|română",
        "tr": "türkisch|turc|turco|turks|türkçe|türkçeye",
        "vi": "vietnamesisch|vietnamien|vietnamita|vietnamees|tiếng việt",
        "id": "indonesisch|indonésien|indonesio|indonesiano|bahasa indonesia",
        "zh": "chinesisch|chinois|chino|cinese|chinês|chinees",
        "ko": "koreanisch|coréen|coreano|koreaans",
        "ru": "russisch|russe|ruso|russo|русский|русском|русски",
        "uk": "ukrainisch|ukrainien|ucraniano|ucraino|oekraïens|українську|українською",
        "el": "griechisch|grec|griego|greco|grego|grieks|ελληνικά",
        "he": "hebräisch|hébreu|hebreo|ebraico|hebraico|hebreeuws",
        "ar": "arabisch|arabe|árabe|arabo",
        "hi": "hindi",
        "th": "thailändisch|thaï|tailandés|tailandese|tailandês",
    }
)
# in letters of their own, which no other word has
_SCRIPTS = MappingProxyType(
    {
        "zh": "中文|汉语|漢語|普通话",
        "ko": "한국어",
        "he": "עברית",
        "ar": "العربية",
        "hi": "हिन्दी|हिंदी",
        "th": "ภาษาไทย",
    }
)
_CODES = {name: code for names in (_NAMES, _SCRIPTS) for code, each in names.items() for name in each.split("|")}
_ANY = "|".join(sorted((name for each in _NAMES.values() for name in each.split("|")), key=len, reverse=True))
_ANY_SCRIPT = "|".join(_SCRIPTS.values())
_INTO = r"(?:auf|ins?|en|em|au|à l'|al|nach|para(?: o)?|naar(?: het)?|in het|på|na|til|po|σε|στα|по|на)[ -]"
TARGET = rf"(?:\b{_INTO}(?P<abroad>{_ANY})(?:e[nsmr]?|s)?(?!\w)|(?:用|成)?(?P<script>{_ANY_SCRIPT})(?:으?로)?(?!\w))"
"""What names a language that something is to be put into; the groups `abroad` and `script` hold its name."""


def code_of(name: str) -> str | None:
    """The language of a name, in lower case; None if it is none of these."""
    return _CODES.get(name)


TRANSLATES = (
    r"(?:übersetz\w*|übertrag\w*|tradui\w*|tradu[crz]\w*|tradução|vertaal\w*|vertal\w*|переве\w*|翻译\w*|번역\w*)"
)
"""Verbs for translating in these languages."""
PLEASE = (
    r"(?:please|pls|bitte|danke|s'il (?:vous|te) pla[iî]t|svp|merci|por favor|gracias|per favore|per piacere|alstublieft|graag"
    r"|proszę|пожалуйста|お願いします|お願い)"
)
