"""Expectations that name no call: a comment beside a call in the code, and what is said of the only thing that it prints."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.assistant.engineer.checks import CALL, SHOULD, check, literal_in

_TOP = re.compile(rf"(?:print\((?P<printed>{CALL.pattern})\)|(?P<bare>{CALL.pattern}))\s*(?:#(?P<note>.*))?$")
_NOTE = (
    re.compile(rf"\b(?:{SHOULD}\s+(?:be|return|give|print|equal)|expect(?:ed|s)?):?\s+(?P<want>.+)", re.I),
    re.compile(r"(?P<want>\S+)\s*(?:になる|を返す|となる)(?:はず|べき)"),
)
_INSTEAD = (
    re.compile(
        r"\b(?:returns?|gives?|prints?|outputs?|shows?|got|get|yields?)\s+\S+\s+(?:instead of|but (?:it )?should be|"
        r"but (?:I|we) (?:expect(?:ed)?|want(?:ed)?))\s+(?P<want>.+)",
        re.I,
    ),
    re.compile(
        r"(?P<want>[^\s、。]+?)\s*(?:ではなく|のはずが)、?\s*\S+?\s*(?:になる|になります|が返る|が返ります|と出る)"
    ),
)


def noted(code: str) -> tuple[str, ...]:
    """Checks from comments of the code: at the end of a line that calls something, or on the line above it."""
    lines = code.splitlines()
    found: list[str] = []
    for place, line in enumerate(lines):
        if not (top := _TOP.match(line)):
            continue
        above = lines[place - 1] if place and lines[place - 1].startswith("#") else ""
        call = top["printed"] or top["bare"]
        want = _want(top["note"] or "", call) or _want(above, call)
        if want and _defined(code, call):
            found.append(check(call, want))
    return tuple(found)


def remarked(said: str, code: str) -> tuple[str, ...]:
    """The check that "it returns 3 instead of 2.5" means, if the code prints the result of only one call."""
    calls = [top["printed"] for top in map(_TOP.match, code.splitlines()) if top and top["printed"]]
    if len(calls) != 1 or not _defined(code, calls[0]):
        return ()
    wants = [literal_in(found["want"]) for found in _remarks(said)]
    return tuple(dict.fromkeys(check(calls[0], want) for want in wants if want))


def _remarks(said: str) -> Iterator[re.Match[str]]:
    """Each line's remark that names no call of its own."""
    for line in said.splitlines():
        found = next(filter(None, (pattern.search(line[:500]) for pattern in _INSTEAD)), None)
        if found and not CALL.search(line[:500]):
            yield found


def _want(note: str, call: str) -> str:
    """The value that a comment expects of a call; "for [1, 2]" may follow it if that is what the call is given."""
    found = next(filter(None, (pattern.search(note[:500]) for pattern in _NOTE)), None)
    if not found:
        return ""
    value, _, given = found["want"].partition(" for ")
    return literal_in(value if given.strip(" .") in call else found["want"])


def _defined(code: str, call: str) -> bool:
    return bool(re.search(rf"^(?:async )?(?:def|class) {re.escape(re.split('[.(]', call)[0])}\b", code, re.M))
