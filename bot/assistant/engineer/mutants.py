"""Changes one small thing in code whose result is wrong: off by one, the wrong comparison, a return in the wrong place.

It is used only where the person gave checks, because nothing else could tell a repair from another mistake.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator

MOST = 120
"""Changed versions that are tried at most."""
LONGEST = 1000
"""Characters of a line that is changed: the patterns here were not made for longer ones."""

_INSTEAD = {
    "<": ("<=", ">"),
    "<=": ("<", ">="),
    ">": (">=", "<"),
    ">=": (">", "<="),
    "==": ("!=", "in"),
    "!=": ("==",),
    "+": ("-", "*"),
    "-": ("+",),
    "*": ("+", "**"),
    "/": ("//", "*"),
    "//": ("/", "%"),
    "%": ("//",),
    "+=": ("-=", "="),
    "-=": ("+=",),
    "=": ("+=",),
    "and": ("or",),
    "or": ("and",),
    "min": ("max",),
    "max": ("min",),
    "True": ("False",),
    "False": ("True",),
    "append": ("extend",),
    "extend": ("append",),
    "lower": ("upper",),
    "upper": ("lower",),
    "is": ("==",),
    "not": ("",),
    "break": ("continue",),
    "continue": ("break",),
    "sort": ("reverse",),
    "lstrip": ("rstrip", "strip"),
    "rstrip": ("lstrip", "strip"),
    "any": ("all",),
    "all": ("any",),
    "keys": ("values", "items"),
    "values": ("keys",),
}


def mutants(code: str) -> Iterator[str]:
    """Versions of the code with one small change inside its functions, each one once, at most `MOST`."""
    lines = code.splitlines()
    seen = {code.rstrip("\n")}
    for number, lineful in enumerate(_changes(code, lines)):
        if number >= 4 * MOST or len(seen) > MOST:
            return
        if lineful not in seen:
            seen.add(lineful)
            yield lineful


def _changes(code: str, lines: list[str]) -> Iterator[str]:
    in_functions = any(re.match(r"\s*def ", line) for line in lines)
    bodies = {
        row: line for row, line in enumerate(lines) if (line[:1].isspace() or not in_functions) and len(line) <= LONGEST
    }
    for row in bodies:
        for changed in _dropped(bodies[row]):
            yield _with(lines, row, changed)
    for token in _tokens(code):
        row, start = token.start[0] - 1, token.start[1]
        if row not in bodies or token.end[0] - 1 != row:
            continue
        for instead in _instead(token):
            yield _with(lines, row, lines[row][:start] + instead + lines[row][token.end[1] :])
    for row in bodies:
        for changed in _line_changes(bodies[row]):
            yield _with(lines, row, changed)


def _tokens(code: str) -> list[tokenize.TokenInfo]:
    try:
        return list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (tokenize.TokenError, SyntaxError):
        return []


def _instead(token: tokenize.TokenInfo) -> tuple[str, ...]:
    if token.type == tokenize.NUMBER and token.string.isdigit() and len(token.string) < 10:
        value = int(token.string)
        return (str(value + 1), str(value - 1), "0") if value else ("1",)
    if token.type in (tokenize.OP, tokenize.NAME):
        return _INSTEAD.get(token.string, ())
    return ()


def _dropped(line: str) -> Iterator[str]:
    """One level too deep, or an offset of one that should not be there."""
    if re.match(r"\s{8,}(?:return|print|yield|\w+ [-+*/]?= )", line):
        yield line[4:]
    for found in re.finditer(r" [-+] 1\b", line):
        yield line[: found.start()] + line[found.end() :]


def _line_changes(line: str) -> Iterator[str]:
    """Off by one at the end of a range or a slice, the opposite, an order turned round."""
    for found in re.finditer(r"(?<=\))(?=\))|(?<=\w)(?=\)|\])", line):
        for change in (" + 1", " - 1"):
            yield line[: found.start()] + change + line[found.start() :]
    if ends := re.search(r"return (.+?)( - 1| \+ 1)?$", line):
        for change in ("", " + 1", " - 1"):
            yield f"{line[: ends.start()]}return {ends[1]}{change}"
        yield f"{line[: ends.start()]}return not ({ends[1]})"
        yield f"{line[: ends.start()]}return {ends[1]}[::-1]"
    if order := re.search(r"sorted\((\w+)\)", line):
        yield line[: order.end() - 1] + ", reverse=True" + line[order.end() - 1 :]
    if ", reverse=True" in line:
        yield line.replace(", reverse=True", "")
    for found in re.finditer(r"(\w+) ([-/%]|//|<|>) (\w+)", line):
        yield line[: found.start()] + f"{found[3]} {found[2]} {found[1]}" + line[found.end() :]
    for found in re.finditer(r"\((\w+), (\w+)\)", line):
        yield line[: found.start()] + f"({found[2]}, {found[1]})" + line[found.end() :]


def _with(lines: list[str], row: int, line: str) -> str:
    return "\n".join([*lines[:row], line, *lines[row + 1 :]])
