"""Spreadsheet values as people see them: the number format decides on decimals, thousands, percent, currency and dates."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

_SKIPPED = re.compile(r"_.|\*.|\[(?!\$)[^\]]*\]")
"""Blanks as wide as a character, fillers, colours and conditions."""
_CURRENCY = re.compile(r"\[\$([^\]-]*)[^\]]*\]")
_LITERAL = re.compile(r'"([^"]*)"|\\(.)')
_NUMBER = re.compile(r"([#0?,]*[#0?])(?:\.([#0?]*))?(,*)(E[+-]0+)?")


def shown(value: object, form: str) -> str:
    """The text of a cell that holds `value` under the number format `form` (ECMA-376, 18.8.31)."""
    if value is None:
        return ""
    if isinstance(value, datetime | date | time | timedelta):
        return _moment(value, form)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value).upper() if isinstance(value, bool) else str(value)
    return _number(value, form)


def _moment(value: datetime | date | time | timedelta, form: str) -> str:
    if isinstance(value, datetime) and value.time() == time():
        value = value.date()
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        marks = _LITERAL.sub("", _SKIPPED.sub("", _CURRENCY.sub("", form))).lower()
        known = "d" in marks or "y" not in marks
        return value.isoformat()[: 10 if known else 7 if "m" in marks else 4]
    return f"{value:%H:%M}" if isinstance(value, time) and not value.second else str(value)


def _number(value: float, form: str) -> str:
    sections = re.split(r';(?=(?:[^"]*"[^"]*")*[^"]*$)', form)
    negative = value < 0 and len(sections) > 1
    section = sections[1] if negative else sections[2] if value == 0 and len(sections) > 2 else sections[0]
    literals: list[str] = []

    def keep(match: re.Match[str]) -> str:
        literals.append(next((group for group in match.groups() if group), ""))
        return "\x00"

    pattern = _LITERAL.sub(keep, _SKIPPED.sub("", _CURRENCY.sub(keep, section)))
    found = _NUMBER.search(pattern)
    if not found or "/" in pattern:
        said = not found and literals and "General" not in pattern
        return "".join(literals).strip() if said else str(value) if isinstance(value, int) else f"{value:.10g}"
    digits = _digits(abs(value) if negative else value, found, "%" in pattern)
    text = f"{pattern[: found.start()]}{digits}{pattern[found.end() :]}"
    for literal in literals:
        text = text.replace("\x00", literal, 1)
    return " ".join(text.split())


def _digits(value: float, found: re.Match[str], percent: bool) -> str:
    whole, decimals, thousands, exponent = found.group(1), found.group(2) or "", found.group(3), found.group(4)
    value = value * (100 if percent else 1) / 1000 ** len(thousands)
    if exponent:
        return f"{value:.{len(decimals)}E}"
    text = f"{value:{',' if ',' in whole else ''}.{len(decimals)}f}"
    least = whole.count("0")
    if not least and abs(value) < 0.5 / 10 ** len(decimals):
        return ""
    if "," not in whole:
        text = text.zfill(least + (len(decimals) + 1 if decimals else 0) + (value < 0))
    optional = len(decimals) - len(decimals.rstrip("#?"))
    for _ in range(optional):
        text = text[:-1] if text.endswith("0") else text
    return text.removesuffix(".")
