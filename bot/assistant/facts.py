"""What may not change when a text is said in other words: quantities, codes, names, yes or no, and direction.

A quantity is a value with its unit: "14億8,260万ユーロ" and "EUR 1,482.6 million" are the same one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from bot.assistant.terms import STOP, fold

_SCALES = {"thousand": 3, "million": 6, "mn": 6, "billion": 9, "bn": 9, "trillion": 12}
_SCALES |= {"十": 1, "百": 2, "千": 3, "万": 4, "億": 8, "兆": 12}
_UNITS = (
    "% percent pct パーセント",
    "$ usd dollar dollars ドル 米ドル",
    "€ eur euro euros ユーロ",
    "¥ jpy yen 円",
    "£ gbp sterling ポンド",
    "second seconds sec secs 秒 秒間",
    "minute minutes min mins 分 分間",
    "hour hours hr hrs 時間",
    "day days 日 日間 暦日 営業日",
    "week weeks 週 週間",
    "month months か月 ヶ月 ヵ月 カ月 ケ月",
    "year years 年間 か年",
    "mm millimetre millimetres millimeter millimeters ミリ ミリメートル",
    "cm centimetre centimetres centimeter centimeters センチ センチメートル",
    "metre metres meter meters メートル",
    "km kilometre kilometres kilometer kilometers キロ キロメートル",
    "ft feet foot フィート",
    "inch inches インチ",
    "knot knots kt kts ノット",
    "kg kilogram kilograms kilo kilos キログラム",
    "tonne tonnes トン",
    "nm n·m newton-metre newton-metres newton-meter newton-meters ニュートンメートル",
    "psi",
    "bar",
    "kpa",
    "°c degree degrees 度",
    "point points ポイント",
)
_UNIT_OF = {word: line.split()[0] for line in _UNITS for word in line.split()}
_KANJI = dict(zip("〇一二三四五六七八九", range(10), strict=True))
_ONES = dict(zip("two three four five six seven eight nine".split(), range(2, 10), strict=True))
_TENS = dict(zip("twenty thirty forty fifty sixty seventy eighty ninety".split(), range(20, 100, 10), strict=True))
_TEENS = dict(
    zip(
        "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(),
        range(10, 20),
        strict=True,
    )
)
_SPOKEN = _ONES | _TEENS | _TENS | {"one": 1}


def _any(words: list[str]) -> str:
    """One of these words, the longest first; a Latin one does not end inside another word."""
    latin = [
        re.escape(word) for word in sorted(words, key=len, reverse=True) if word[-1].isascii() and word[-1].isalpha()
    ]
    other = [re.escape(word) for word in sorted(words, key=len, reverse=True) if re.escape(word) not in latin]
    return "|".join([*other, rf"(?:{'|'.join(latin)})(?![a-z])"])


_NUMBER = re.compile(
    r"(?:(?P<money>usd|eur|jpy|gbp|[$€¥£])\s?)?"
    r"(?:(?P<figures>(?:\d(?:[\d,]*\d)?(?:\.\d+)?|[〇一二三四五六七八九十百千万億兆])+)"
    rf"|(?<![a-z])(?P<spoken>(?:{'|'.join(_TENS)})[\s-](?:one|{'|'.join(_ONES)})|{'|'.join(_SPOKEN)})(?![a-z]))"
    r"(?:[\s-]?(?P<scale>thousand|million|billion|trillion|mn|bn)(?![a-z]))?"
    rf"(?:[\s-]?(?P<unit>{_any(list(_UNIT_OF))}))?"
)
_FIGURE = re.compile(r"\d[\d,]*(?:\.\d+)?|.")
_MENTIONED = re.compile(rf"(?<![a-z])(?:{_any(list(_UNIT_OF))})")
_CODE = re.compile(
    r"(?<![\w-])(?:[a-z][a-z/-]{0,99}\d[a-z\d]*(?:[-/][a-z\d]+)*|\d+(?:[-/:]\d+)+|\d+[a-z]+\d[a-z\d]*)(?![\w-])",
    re.ASCII,
)
_NAME = re.compile(r"(?<![\w.])[A-Z][\w&-]*(?:\.[A-Z])*")
_KATAKANA = re.compile(r"[\u30a1-\u30faー]{3,}")
_KANJI_WORD = re.compile(r"[\u3005\u3400-\u4dbf\u4e00-\u9fff]{2,}(?!する|し[たてま]|さ[れせ]|でき|[なに的])")
_NOT = re.compile(
    r"\b(?:not|no|never|none|neither|nor|without|cannot|nothing|nobody)\b|n['’]t\b|ない|ません|なかった|なく|せず|ずに|不可|禁止",
    re.I,
)
_OPPOSITES = tuple(
    (re.compile(one, re.I), re.compile(other, re.I))
    for one, other in (
        (r"increas|\brose\b|\brise|\bgr[eo]w|higher|上昇|増", r"decreas|\bfell\b|\bfall|declin|drop|lower|下落|減"),
        (r"more than|over|above|exceed|at least|以上|超", r"less than|under|below|at most|up to|以下|未満"),
        (r"\bbefore\b|prior to|earlier|以前|前に", r"\bafter\b|\blater\b|following|以後|以降|後に"),
        (r"\bmust\b|\bshall\b|required|mandatory|必須|必要", r"\bmay\b|optional|recommended|任意|推奨"),
        (r"\ballow|permit|\bcan\b|許可|可能", r"forbid|prohibit|\bbanned\b|禁止|不可"),
        (r"\bprofit|利益", r"\bloss(?:es)?\b|損失"),
        (r"\bopen|\bstart|\bbegin|開始", r"\bclose|\bend(?:s|ed)?\b|終了"),
        (r"highest|\bmost\b|maximum|最大|最高", r"lowest|\bleast\b|minimum|最小|最低"),
    )
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as it was meant. `bare` is the part that was written in digits, `scaled` whether a scale word followed.

    `unit` is empty where none is written beside the number, as in a table; `certain` is false for a kanji numeral
    that may be part of a word.
    """

    value: Decimal
    bare: Decimal
    scaled: bool
    unit: str
    certain: bool


def quantities(text: str) -> list[Quantity]:
    """The quantities of a text, in whatever script and scale they were written."""
    return [_quantity(match) for match in _NUMBER.finditer(_spelled(text))]


def without_quantities(text: str) -> str:
    """The rest of a text, in the form in which texts are compared."""
    return _NUMBER.sub(" ", _spelled(text))


def codes(text: str) -> set[str]:
    """Identifiers, dates and times: what mixes digits with letters, hyphens, slashes or colons, in lower case."""
    return {match.group() for match in _CODE.finditer(fold(text))}


def names(text: str) -> list[str]:
    """Capitalised words but the first and common ones, words in katakana, and words in kanji that are no verbs."""
    latin = [match.group().rstrip("-") for match in _NAME.finditer(text) if match.start()]
    words = without_quantities(text)
    return [
        *(name for name in latin if len(name) > 1 and name.lower() not in STOP and name.lower() not in _UNIT_OF),
        *_KATAKANA.findall(words),
        *_KANJI_WORD.findall(words),
    ]


def opening(text: str) -> str:
    """The first word if it could be a name; empty if it is a common one."""
    match = _NAME.match(text)
    return match.group() if match and match.group().lower() not in STOP else ""


def states(source: str, claim: str) -> bool:
    """Whether each quantity and code of the claim stands in the source, in the same unit."""
    known, units, folded = quantities(source), mentioned_units(source), _spelled(source)
    identifiers = codes(claim)
    if any(not re.search(rf"(?<![\w-]){re.escape(code)}(?!\w|-\w)", folded) for code in identifiers):
        return False
    rest = _CODE.sub(" ", fold(claim))
    scaled_table = bool(re.search("thousand|million|billion|千|百万|億", folded))
    return all(
        any(_same(one, other, units, scaled_table) for other in known)
        for one in quantities(rest)
        if one.certain or one.unit
    )


def mentioned_units(text: str) -> set[str]:
    """The units that a text names anywhere."""
    return {_UNIT_OF[match.group()] for match in _MENTIONED.finditer(_spelled(text))}


def denies(text: str) -> bool:
    """Whether a text says that something is not so."""
    return bool(_NOT.search(text))


def opposed(one: str, other: str) -> bool:
    """Whether two texts point in opposite directions: one says increased where the other says decreased."""
    both_ways = (pair for left, right in _OPPOSITES for pair in ((left, right), (right, left)))
    return any(_only(left, right, one) and _only(right, left, other) for left, right in both_ways)


def _only(wanted: re.Pattern[str], unwanted: re.Pattern[str], text: str) -> bool:
    return bool(wanted.search(text)) and not unwanted.search(text)


def _same(claimed: Quantity, known: Quantity, units: set[str], scaled_table: bool) -> bool:
    """Whether the source's quantity is the claimed one; in a table the scale and the unit may stand elsewhere."""
    same_value = claimed.value == known.value or (
        claimed.scaled and not known.scaled and claimed.bare == known.value and scaled_table
    )
    return same_value and (claimed.unit in ("", known.unit) or (not known.unit and claimed.unit in units))


def _spelled(text: str) -> str:
    return fold(text).replace("per cent", "percent").replace("newton met", "newton-met")


def _quantity(match: re.Match[str]) -> Quantity:
    unit = _UNIT_OF.get(match["unit"] or match["money"] or "", "")
    exponent = _SCALES.get(match["scale"] or "", 0)
    if match["spoken"]:
        bare = Decimal(sum(_SPOKEN[part] for part in re.split(r"[\s-]", match["spoken"])))
        return Quantity(bare.scaleb(exponent), bare, bool(exponent), unit, match["spoken"] != "one")
    parts = list(_figures(match["figures"]))
    written = [part for part in parts if isinstance(part, Decimal)]
    bare = written[0] if written else Decimal(1)
    value = _value(parts).scaleb(exponent)
    in_digits = any(char in "0123456789" for char in match["figures"])
    return Quantity(value, bare, value != bare, unit, in_digits or len(match["figures"]) > 1)


def _figures(text: str) -> Iterator[Decimal | int]:
    """Numbers, and the exponents of the scale words between them."""
    run = ""
    for part in _FIGURE.findall(text):
        if part in _KANJI:
            run += str(_KANJI[part])
            continue
        if run:
            yield Decimal(run)
            run = ""
        yield _SCALES[part] if part in _SCALES else Decimal(part.replace(",", ""))
    if run:
        yield Decimal(run)


def _value(parts: list[Decimal | int]) -> Decimal:
    """Japanese numerals count in myriads: 14億8,260万 is 14 x 10^8 + 8,260 x 10^4; 百万 is a hundred myriads."""
    total = section = Decimal(0)
    number: Decimal | None = None
    for part in parts:
        if isinstance(part, Decimal):
            number = part
        elif part < 4:
            section += (Decimal(1) if number is None else number).scaleb(part)
            number = None
        else:
            section += number or Decimal(0)
            total += (section or Decimal(1)).scaleb(part)
            section, number = Decimal(0), None
    return total + section + (number or Decimal(0))
