"""The checks that a person gives beside code: assertions, examples, and what they say that a call should give.

What is said is read only where it is plain. What is not is counted, so that no answer passes it over in silence.
"""

from __future__ import annotations

import ast
import doctest
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LITERAL_MOST = 500
LINE_MOST = 2000
"""Characters of a line that are searched for calls."""
REACH = 4
"""Further calls that may stand inside a text which is the value itself."""

_STRING = r"""(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
CALL = re.compile(
    rf"""(?<![A-Za-z0-9_.])[A-Za-z_][A-Za-z0-9_.]*\((?:{_STRING}|[^()\n"']|\((?:{_STRING}|[^()\n"'])*\))*\)"""
)
SHOULD = r"(?:should|must|has to|ought to)"
_GIVES = (
    re.compile(
        r"[`*]*\s+(?:gives|returns|prints|is|yields|evaluates to)\s+.{1,80}?[,;]?\s+"
        r"(?:(?:but|and|where|while)\s+(?:I|we|it)\s+(?:expect(?:ed)?|want(?:ed)?|should (?:be|return|give))|instead of)"
        r":?\s+(?P<want>.+)"
    ),
    re.compile(
        rf"[`*]*\s+{SHOULD}\s+(?:be(?:\s+equal\s+to)?|return|give|equal|yield|evaluate\s+to):?(?:\s+(?P<want>.+)|$)"
    ),
    re.compile(r"[`*]*\s*(?:は|が)\s*(?P<want>.+?)\s*(?:になる|を返す|となる|である)(?:はず|べき)"),
)
_ARROW = re.compile(r"[`*]*\s*(?:=>|->|==|→)\s*(?P<want>.+)")
_LISTED = re.compile(r"[`*]*\s*(?:は|が)\s*(?P<want>.+?)\s*(?:[、，,]|で、?)\s*$")
_LISTED_END = re.compile(r"[^。]*(?:になる|を返す|となる|である)(?:はず|べき)")
_TOGETHER = re.compile(r"[`*]*\s*(?:,|、|と|and|&|or)\s*[`*]*")
_SHOULD_BE = re.compile(rf"\b{SHOULD} (?:be|return|give|equal)\b")
_DUE = re.compile(
    rf"\b{SHOULD}(?:\s+not|n't)?\s+(?:be|return|give|equal|yield|evaluate|print|output|raise)\b"
    r"|\b(?:instead of|(?:I|we) (?:expect|want)(?:ed)?)\s+(?=[\d\"'`\[({-]|True|False|None)"
    r"|(?:になる|を返す|となる|である)(?:はず|べき)",
    re.I,
)
_GOES_ON = re.compile(
    r"\s*(?:$|[,;:!?)。、]|\.(?:\s|$)|[-–—(]|(?:and|but|not|instead|rather|because|since|while|whereas|as|so|please|though|too|also|"
    r"then|however|yet|which|it|i|we|this|that|is|now|at|と|で|が|です)(?![A-Za-z]))",
    re.I,
)
_ANOTHER = re.compile(r"\s*(?:and|or|と)\s+(?P<more>\S+)", re.I)
_BEGINS = re.compile(r"[-+.\d\"'(\[{]|True|False|None|[bBrR]{1,2}[\"']")
_NONE = object()
_PLAIN_QUOTES = str.maketrans("“”„‘’", '"""\'\'')


@dataclass(frozen=True, slots=True)
class Expected:
    """What somebody said that should come out: as checks, and how much more was said that could not be read as one."""

    checks: tuple[str, ...] = ()
    unread: int = 0


def asserts(code: str) -> tuple[str, ...]:
    """The one-line assertions that stand at the top level of code."""
    return tuple(
        line for line in code.splitlines() if line.startswith("assert ") and not line.endswith(("(", ",", "\\"))
    )


def doctests(text: str) -> tuple[str, ...]:
    """The examples in interactive form (``>>> f(2)``) as assertions; what only sets something up is kept as it is."""
    try:
        examples = doctest.DocTestParser().get_examples(text)
    except ValueError:
        return ()
    checks: list[str] = []
    for example in examples:
        source, want = example.source.strip(), example.want.split('"""')[0].split("'''")[0].strip()
        if want and not example.exc_msg and "\n" not in source and "..." not in want:
            checks.append(check(source, want) if _is_literal(want) else f"assert repr({source}) == {want!r}")
        elif not want and "\n" not in source:
            checks.append(source)
    return tuple(checks) if any(check.startswith("assert") for check in checks) else ()


def expected(said: str, code: str) -> Expected:
    """What a person says that calls should give ("mean([2, 4]) gives 2 but I expect 3").

    Of calls to what the code defines; of all if there is no code yet.
    """
    found: list[str] = []
    unread = 0
    for line in said.translate(_PLAIN_QUOTES).splitlines():
        if line.strip().startswith("assert "):
            found.append(line.strip())
            continue
        read = list(_read(line[:LINE_MOST]))
        known = [one for one in read if _defines(code, one.call)]
        found += [check(one.call, one.want) for one in known if one.want]
        unread += sum(not one.want for one in known) + max(0, _due(line) - sum(one.due for one in known))
    return Expected(tuple(dict.fromkeys(found)), unread)


def says_what_is_due(line: str) -> bool:
    """Whether a line speaks of what a call should give, and so is no code itself."""
    return any(pattern.match(line, call.end()) for call in CALL.finditer(line[:LINE_MOST]) for pattern in _GIVES)


def count(checks: Iterable[str]) -> int:
    """How many assertions there are; a block of tests counts each of its own."""
    return sum(len(re.findall(r"^[^\S\n]*assert\b", check, re.M)) for check in checks)


@dataclass(frozen=True, slots=True)
class _Said:
    """A call and what it should give, empty if that cannot be read; `due` is 1 if words of duty say so ("should be")."""

    call: str
    want: str
    due: int = 0


def _read(line: str) -> Iterator[_Said]:
    """What a line says of each call, in order: what follows a call belongs to it until the next one."""
    calls, done = list(CALL.finditer(line)), 0
    for number, call in enumerate(calls):
        if call.start() < done:
            continue
        ends = [*(other.start() for other in calls[number + 1 :]), len(line)]
        said = _said(call, line, ends[0])
        if said and not said.want:  # the next call may stand inside a text that is the value
            longer = ((_said(call, line, end), end) for end in ends[1:REACH])
            said, done = next(((one, end) for one, end in longer if one and one.want), (said, done))
        if said:
            yield said


def _said(call: re.Match[str], line: str, end: int) -> _Said | None:
    """What the text behind a call, up to a place, says of it; None if that is nothing."""
    behind = line[call.end() : end]
    for pattern in _GIVES:
        if found := pattern.match(behind):
            return _Said(call.group(), literal_in(found["want"] or ""), 1)
    if (found := _ARROW.match(behind)) and (want := literal_in(found["want"])):
        return _Said(call.group(), want)
    if (found := _LISTED.match(behind)) and _LISTED_END.match(line, end):
        return _Said(call.group(), literal_in(found["want"]))
    alone = re.match(r"[`*]*\s+(?P<want>.+)", behind)
    if (_TOGETHER.fullmatch(behind) and end < len(line)) or (alone and literal_in(alone["want"])):
        return _Said(call.group(), "")
    return None


def _due(line: str) -> int:
    """How often a line says that something should come out."""
    return len(_DUE.findall(line))


def _defines(code: str, call: str) -> bool:
    name = re.escape(re.split(r"[.(]", call)[0])
    return not code or bool(re.search(rf"\b(?:def|class) {name}\b", code))


def check(call: str, want: str) -> str:
    """An assertion that says what came instead when it fails."""
    return f"assert ({call}) == ({want}), repr({call})"


def literal_in(text: str) -> str:
    """The longest beginning of a text that is a Python literal and plainly ends there; empty if none is.

    "4, not 11" is 4. "4 or 5", "4 times" and "4, 5" are not read: they may mean something else.
    """
    text = text.strip().lstrip("`")[:LITERAL_MOST].rstrip(" .。!?`,;、，")
    if not _BEGINS.match(text):
        return ""
    ends = [len(text), *(found.start() for found in reversed(list(re.finditer(r"[\s.,;。、，`]", text))))]
    literal = next((one for end in ends if _is_literal(one := text[:end].rstrip(" ,;、，"))), "")
    rest = text[len(literal) :].lstrip("`")
    if not literal or _is_bare_tuple(literal) or _SHOULD_BE.search(literal) or not _GOES_ON.match(rest):
        return ""
    more = _ANOTHER.match(rest)
    return "" if more and _is_literal(more["more"].strip(".,;`")) else literal


def _is_literal(text: str) -> bool:
    return _value(text) is not _NONE


def _is_bare_tuple(text: str) -> bool:
    return not text.startswith("(") and isinstance(_value(text), tuple)


def _value(text: str) -> object:
    """The value that a text writes down; `_NONE` if it is no literal."""
    if not text.strip() or len(text) > LITERAL_MOST:
        return _NONE
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return _NONE
