"""Repairs of Python that cannot be read: brackets, colons, quotes, keywords, indentation, the ways of other languages.

They are changes of single lines, each a guess; whether Python can then read it, and what it does, is for others to find out.
"""

from __future__ import annotations

import difflib
import keyword
import re
from collections.abc import Callable, Iterator

Lines = list[str]
Guesses = Iterator[str]

_OPENS = re.compile(r"\s*(?:def|class|if|elif|else|for|while|try|except|finally|with|async)\b")
_KEYWORDS = [*keyword.kwlist, "print", "match", "case"]


def readable(lines: Lines, place: int) -> Guesses:
    """Changed versions of code that might be readable, where it is not at a place."""
    for near in _around(place, len(lines)):
        for mend in _SYNTAX:
            yield from _each(lines, near, mend)
    yield from _reindented(lines, place)


def _around(place: int, length: int) -> list[int]:
    """The line itself, the ones before it, the one behind it."""
    return [one for one in (place, place - 1, place - 2, place + 1) if 0 <= one < length]


def _each(lines: Lines, place: int, mend: Callable[[str], Iterator[str]]) -> Guesses:
    for line in mend(lines[place]):
        if line != lines[place]:
            yield instead(lines, place, line)


def instead(lines: Lines, place: int, *others: str) -> str:
    """The code with other lines in the place of one."""
    return "\n".join([*lines[:place], *others, *lines[place + 1 :]])


def _tail(line: str) -> tuple[str, str]:
    """A line and the comment behind it."""
    place = line.find("#", max(line.rfind("'"), line.rfind('"')) + 1)
    text = (line if place < 0 else line[:place]).rstrip()
    return text, "" if place < 0 else line[len(text) :]


def _colon(line: str) -> Iterator[str]:
    text, comment = _tail(line)
    if _OPENS.match(text) and not text.endswith(":"):
        yield text.rstrip("{;, ") + ":" + comment


def _colon_within(line: str) -> Iterator[str]:
    """A block on the line that opens it, without the colon between them."""
    text, comment = _tail(line)
    if _OPENS.match(text):
        for found in reversed(list(re.finditer(r"(?<=[\w)\]}'\"])\s+(?=[A-Za-z_])", text))):
            yield text[: found.start()] + ": " + text[found.end() :] + comment


def _brackets(line: str) -> Iterator[str]:
    """Close what is open, or drop what closes nothing."""
    text, comment = _tail(line)
    for opening, closing in ("()", "[]", "{}"):
        if (missing := text.count(opening) - text.count(closing)) > 0:
            colon = ":" if text.endswith(":") else ""
            body = text[: -len(colon)] if colon else text
            yield body + closing * missing + colon + comment
            if body.endswith(","):
                yield body[:-1] + closing * missing + "," + comment
        elif missing < 0:
            for found in re.finditer(re.escape(closing), text):
                yield text[: found.start()] + text[found.end() :] + comment
    swapped = {")": "])", "]": ")]", "}": ")}"}
    for found in re.finditer(r"[)\]}]", text):
        for other in ")]}":
            yield text[: found.start()] + other + text[found.end() :] + comment
        yield text[: found.start()] + swapped[found.group()] + text[found.end() :] + comment


def _quotes(line: str) -> Iterator[str]:
    text = line.rstrip()
    for quote in "\"'":
        if text.count(quote) % 2:
            yield text + quote
            for end in (")", "]", "):", "]:", ",", ":"):
                if text.endswith(end):
                    yield text[: -len(end)] + quote + end
    for wrong, right in (("“", '"'), ("”", '"'), ("‘", "'"), ("’", "'")):
        text = text.replace(wrong, right)
    yield text


def _equals(line: str) -> Iterator[str]:
    if re.match(r"\s*(?:if|elif|while|assert|return)\b", line):
        for found in re.finditer(r"(?<![=!<>:+*/%-])=(?!=)", line):
            yield line[: found.start()] + "==" + line[found.end() :]


def _print(line: str) -> Iterator[str]:
    if found := re.match(r"(\s*)print\s+(?!\()(.+)", line.rstrip()):
        yield f"{found[1]}print({found[2]})"


def _idioms(line: str) -> Iterator[str]:
    """What other languages write."""
    yield re.sub(r"\belse if\b", "elif", line)
    yield re.sub(r"(?<!\w)([A-Za-z_]\w*)\+\+;?", r"\1 += 1", line)
    yield re.sub(r"(?<!\w)([A-Za-z_]\w*)--;?", r"\1 -= 1", line)
    yield line.replace("&&", "and").replace("||", "or")
    yield re.sub(r"!(?=[A-Za-z_(])", "not ", line)
    yield re.sub(r"=([<>!])", r"\1=", line)
    yield re.sub(r"\b(?:function|func|fn)\b", "def", line)


def _word(line: str) -> Iterator[str]:
    """A keyword that is written wrongly, anywhere but in a string."""
    for found in re.finditer(r"\b[a-z]{2,9}\b", line):
        for right in difflib.get_close_matches(found.group(), _KEYWORDS, 2, 0.7):
            if right != found.group():
                yield line[: found.start()] + right + line[found.end() :]


def _comma(line: str) -> Iterator[str]:
    for found in re.finditer(r"(?<=[\w\"'\])}]) +(?=[\w\"'\[({])", line):
        yield line[: found.start()] + ", " + line[found.end() :]


_SYNTAX = (_colon, _colon_within, _brackets, _quotes, _equals, _print, _idioms, _word, _comma)


def _reindented(lines: Lines, place: int) -> Guesses:
    """The line, and what hangs on it, moved in or out."""
    spaced = [line.expandtabs(4) for line in lines]
    yield "\n".join(spaced)
    if not 0 <= place < len(lines):
        return
    before = next((line for line in reversed(spaced[:place]) if line.strip()), "")
    depth = len(before) - len(before.lstrip())
    here = len(spaced[place]) - len(spaced[place].lstrip())
    levels = sorted({len(line) - len(line.lstrip()) for line in spaced[:place] if line.strip()} | {depth + 4})
    for wanted in sorted(
        levels, key=lambda level: (not before.rstrip().endswith(":") or level <= depth, abs(level - here))
    ):
        if wanted != here:
            yield instead(spaced, place, " " * wanted + spaced[place].lstrip())
            yield "\n".join(_moved(spaced, place, wanted - here))
    if before.rstrip().endswith(":"):
        yield "\n".join([*spaced[:place], " " * (depth + 4) + "pass", *spaced[place:]])


def _moved(lines: Lines, place: int, by: int) -> Lines:
    """The lines from a place on, as long as they are at least as deep as the first, moved by some columns."""
    depth = len(lines[place]) - len(lines[place].lstrip())
    moved = list(lines)
    for number in range(place, len(lines)):
        line = lines[number]
        if line.strip() and len(line) - len(line.lstrip()) < depth:
            break
        if line.strip():
            moved[number] = " " * (len(line) - len(line.lstrip()) + by) + line.lstrip()
        if depth == 0 and not lines[number + 1 : number + 2]:
            break
    return moved
