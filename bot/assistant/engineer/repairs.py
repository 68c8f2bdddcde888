"""Small, well-defined repairs of Python: what the error message itself points at. Each is a guess until a run shows it.

They are written as changes of single lines, so that hostile code is never parsed or compiled in this process.
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Callable

from bot.assistant.engineer.faults import Fault
from bot.assistant.engineer.unreadable import Guesses, Lines, instead, readable

LONGEST = 1000
"""Characters of a line that is looked at for a repair: the patterns here were not made for longer ones."""
NEAR = 9
"""Lines before the fault that a repair may look at by such patterns."""

_TYPING = {"List", "Dict", "Tuple", "Set", "Optional", "Any", "Union", "Callable", "Iterable", "Iterator", "Sequence"}
_HOMES = {
    **dict.fromkeys(_TYPING, "typing"),
    **dict.fromkeys(("Counter", "defaultdict", "deque", "OrderedDict", "namedtuple"), "collections"),
    **dict.fromkeys(("sqrt", "floor", "ceil", "pi", "gcd", "factorial", "log"), "math"),
    **dict.fromkeys(("datetime", "timedelta", "date"), "datetime"),
    **dict.fromkeys(("reduce", "partial", "lru_cache", "cache", "wraps"), "functools"),
    **dict.fromkeys(("permutations", "combinations", "product", "chain", "accumulate", "groupby"), "itertools"),
    **dict.fromkeys(("dataclass", "field"), "dataclasses"),
    **dict.fromkeys(("Decimal",), "decimal"),
    **dict.fromkeys(("Path",), "pathlib"),
    **dict.fromkeys(("StringIO", "BytesIO"), "io"),
}
_ALIASES = {"np": "import numpy as np", "pd": "import pandas as pd"}
_OTHER_LANGUAGES = {
    "true": "True",
    "false": "False",
    "null": "None",
    "nil": "None",
    "undefined": "None",
    "elseif": "elif",
}


def repairs(code: str, fault: Fault) -> Guesses:
    """Changed versions of the code that might mend a failure, the likeliest first, each one once."""
    lines = code.splitlines()
    seen = {code.rstrip("\n")}
    for guess in _guesses(lines, fault):
        if guess not in seen:
            seen.add(guess)
            yield guess


def _guesses(lines: Lines, fault: Fault) -> Guesses:
    if any(len(line) > LONGEST for line in lines[max(0, fault.line - NEAR) : fault.line + 1]):
        return
    if fault.syntax:
        yield from readable(lines, fault.line - 1)
        return
    for mend_all in _WHOLE.get(fault.kind, ()):
        yield from mend_all(lines, fault)


def _name(lines: Lines, fault: Fault) -> Guesses:
    """A name that does not exist: the one that was meant, or the import that it needs."""
    found = re.search(r"name '(\w{1,80})'", fault.message)
    if not found:
        return
    wrong = found.group(1)
    if wrong in _HOMES:
        yield "\n".join([f"from {_HOMES[wrong]} import {wrong}", *lines])
    if wrong in _ALIASES or wrong in sys.stdlib_module_names:
        yield "\n".join([_ALIASES.get(wrong, f"import {wrong}"), *lines])
    known = sorted({word for line in lines for word in re.findall(r"[A-Za-z_]\w*", line)} - {wrong})
    close = [_OTHER_LANGUAGES.get(wrong, ""), fault.meant, *difflib.get_close_matches(wrong, known, 3, 0.6)]
    for right in dict.fromkeys(filter(None, close)):
        yield _renamed(lines, wrong, right, fault.line - 1)
        yield _renamed(lines, wrong, right)
    yield _renamed(lines, wrong, f"self.{wrong}", fault.line - 1)


def _renamed(lines: Lines, wrong: str, right: str, place: int | None = None) -> str:
    """A word replaced on one line, or on all."""
    pattern = re.compile(rf"(?<![\w.'\"]){re.escape(wrong)}(?!\w)")
    return "\n".join(
        pattern.sub(right, line) if place is None or number == place else line for number, line in enumerate(lines)
    )


def _attribute(lines: Lines, fault: Fault) -> Guesses:
    found = re.search(r"no attribute '(\w{1,80})'", fault.message)
    if not found or not 0 < fault.line <= len(lines):
        return
    wrong, line = found.group(1), lines[fault.line - 1]
    close = [fault.meant, *_METHODS.get(wrong, ())]
    words = sorted({word for one in lines for word in re.findall(r"[A-Za-z_]\w*", one)} - {wrong})
    for right in dict.fromkeys(filter(None, [*close, *difflib.get_close_matches(wrong, words, 3, 0.6)])):
        yield instead(lines, fault.line - 1, re.sub(rf"\.{wrong}\b", f".{right}", line))
        yield re.sub(rf"\.{wrong}\b", f".{right}", "\n".join(lines))
    if "'str'" in fault.message or "'list'" in fault.message:
        function = "len" if wrong in {"length", "size", "len", "count"} else wrong
        yield instead(lines, fault.line - 1, re.sub(rf"([\w.\[\]]+)\.{wrong}\b(?:\(\))?", rf"{function}(\1)", line))
    if assigned := re.search(r"\b(\w+)\s*=\s*\1\.(?:append|sort|reverse|extend|add|update)\(", "\n".join(lines)):
        yield "\n".join(re.sub(rf"^(\s*){assigned[1]}\s*=\s*(?={assigned[1]}\.)", r"\1", one) for one in lines)


_METHODS = {
    "push": ("append",),
    "add": ("append",),
    "append": ("add", "update"),
    "iteritems": ("items",),
    "itervalues": ("values",),
    "trim": ("strip",),
    "toLowerCase": ("lower",),
    "toUpperCase": ("upper",),
    "indexOf": ("index", "find"),
}


def _module(lines: Lines, fault: Fault) -> Guesses:
    found = re.search(r"No module named '(\w{1,80})|cannot import name '(\w+)' from '(\w+)'", fault.message)
    if not found:
        return
    if found.group(1):
        for right in difflib.get_close_matches(found.group(1), sorted(sys.stdlib_module_names), 3, 0.6):
            yield _renamed(lines, found.group(1), right)
    elif fault.meant or found.group(2) in _HOMES:
        yield "\n".join(
            re.sub(rf"\b{found.group(3)}\b(?= import)", _HOMES.get(found.group(2), ""), one) for one in lines
        )


def _index(lines: Lines, fault: Fault) -> Guesses:
    """Off by one: in the line itself, or in the loop around it."""
    for place in range(min(fault.line, len(lines)) - 1, max(fault.line - 8, -1), -1):
        line = lines[place]
        for pattern, right in _BOUNDS:
            yield instead(lines, place, pattern.sub(right, line))


_BOUNDS = (
    (re.compile(r"len\((\w+)\)\s*\+\s*1"), r"len(\1)"),
    (re.compile(r"<=\s*len\("), "< len("),
    (re.compile(r"range\(1, (.+?)\)(?=\s*[:\])])"), r"range(\1)"),
    (re.compile(r"\[len\((\w+)\)\]"), r"[-1]"),
    (re.compile(r"range\(len\((\w+)\)\)"), r"range(len(\1) - 1)"),
    (re.compile(r"\[(\w+) \+ 1\]"), r"[\1]"),
)


_INDEX = r"(?:[^\[\]]|\[[^\[\]]*\])+"
"""What stands between square brackets, which may hold one more pair of them."""


def _key(lines: Lines, fault: Fault) -> Guesses:
    """Counting in a dictionary that does not hold the key yet, or a key in another case or spelling."""
    if not 0 < fault.line <= len(lines):
        return
    line, place = lines[fault.line - 1], fault.line - 1
    item = rf"(\w+)\[({_INDEX})\]"
    yield instead(lines, place, re.sub(rf"{item}\s*\+=\s*(.+)", r"\1[\2] = \1.get(\2, 0) + \3", line))
    yield instead(lines, place, re.sub(rf"{item}\s*=\s*\1\[\2\]\s*\+", r"\1[\2] = \1.get(\2, 0) +", line))
    yield instead(lines, place, re.sub(rf"{item}\.append\(", r"\1.setdefault(\2, []).append(", line))
    wrong = fault.message.strip("'\"")[:80]
    quoted = sorted({found for one in lines for found in re.findall(r"['\"]([^'\"]+)['\"]", one)} - {wrong})
    for right in difflib.get_close_matches(wrong, quoted, 3, 0.6):
        yield instead(lines, place, line.replace(wrong, right))
        yield "\n".join(lines).replace(f"'{wrong}'", f"'{right}'").replace(f'"{wrong}"', f'"{right}"')


def _type(lines: Lines, fault: Fault) -> Guesses:
    """Text and numbers mixed, `self` forgotten, a call without brackets, a list changed in place and thrown away."""
    if taken := re.search(r"\b(\w+)\(\) takes \d+ positional arguments? but \d+ (?:was|were) given", fault.message):
        yield "\n".join(
            re.sub(rf"^(\s+def {taken[1]}\()(?!self)(?:(?=\))|)", r"\1self, ", one) for one in lines
        ).replace("self, )", "self)")
    if not 0 < fault.line <= len(lines):
        return
    line, place = lines[fault.line - 1], fault.line - 1
    if re.search(r"concatenate|unsupported operand|not supported between|can only", fault.message):
        for convert in ("str", "int", "float"):
            for found in re.finditer(
                r"(?<![\w.'\"(])([A-Za-z_][\w.]*(?:\([^()]*\)|\[[^\]]*\])?)(?=\s*(?:[-+*/<>)]|$))", line
            ):
                yield instead(lines, place, line[: found.start()] + f"{convert}({found[1]})" + line[found.end() :])
            for found in re.finditer(r"(?<=[-+*/<>] )([A-Za-z_\d][\w.]*(?:\([^()]*\)|\[[^\]]*\])?)", line):
                yield instead(lines, place, line[: found.start()] + f"{convert}({found[1]})" + line[found.end() :])
    if "not callable" in fault.message or "not subscriptable" in fault.message or "not iterable" in fault.message:
        yield instead(lines, place, re.sub(r"(\w+)\(([^()]*)\)(?!.*\()", r"\1[\2]", line))
        yield instead(lines, place, re.sub(r"(\w+)\[([^\[\]]*)\](?!.*\[)", r"\1(\2)", line))
        yield instead(lines, place, re.sub(r"\bin (\w+)\s*:", r"in range(\1):", line))
        yield instead(lines, place, re.sub(r"\b(\w+\.\w+)(?=\s*[:\])])", r"\1()", line))
    yield from _attribute(lines, Fault(fault.kind, "no attribute '_'", fault.file, fault.line))


def _local(lines: Lines, fault: Fault) -> Guesses:
    """A name that is spelled wrongly, or a variable of the module that a function changes."""
    found = re.search(r"variable '(\w+)'", fault.message)
    if found and not any(re.match(rf"{found[1]}\s*=", line) for line in lines):
        yield from _name(lines, Fault("NameError", f"name '{found[1]}' is not defined", fault.file, fault.line))
        return
    for place in range(min(fault.line, len(lines)) - 1, -1, -1):
        if found and re.match(r"\s*def ", lines[place]):
            indent = " " * (len(lines[place]) - len(lines[place].lstrip()) + 4)
            yield "\n".join([*lines[: place + 1], f"{indent}global {found[1]}", *lines[place + 1 :]])
            return


def endless(code: str) -> Guesses:
    """Changed versions of code that does not come to an end: a step at the end of each loop that never changes its counter."""
    lines = code.splitlines()
    for place, line in enumerate(lines):
        if not (loop := re.match(r"(\s*)while \(?(\w+)\s*(<=?|>=?|!=)", line)):
            continue
        end = place + 1
        while end < len(lines) and (not lines[end].strip() or _depth(lines[end]) > len(loop[1])):
            end += 1
        body = [one for one in lines[place + 1 : end] if one.strip()]
        if body and not any(re.search(rf"\b{loop[2]}\b\s*(?:[-+*/%]|//)?=(?!=)", one) for one in body):
            step = f"{' ' * _depth(body[0])}{loop[2]} {'-' if loop[3].startswith('>') else '+'}= 1"
            last = max(number for number in range(place + 1, end) if lines[number].strip())
            yield "\n".join([*lines[: last + 1], step, *lines[last + 1 :]])


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


_WHOLE: dict[str, tuple[Callable[[Lines, Fault], Guesses], ...]] = {
    "NameError": (_name,),
    "AttributeError": (_attribute,),
    "ModuleNotFoundError": (_module,),
    "ImportError": (_module,),
    "IndexError": (_index,),
    "KeyError": (_key,),
    "TypeError": (_type,),
    "UnboundLocalError": (_local,),
}
