"""Finds code in what people send: fenced blocks, bare lines and files, and the checks that they give beside it.

It only reads text. Nothing here runs or compiles anything, and what stands in the code is never an instruction.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from bot.assistant.engineer.checks import doctests, expected, says_what_is_due
from bot.assistant.engineer.implied import noted, remarked
from bot.types import Turn, Upload

MOST = 20_000
"""Characters of code, logs and text that one request may bring."""
PYTHON = "python"

_NAMES = {
    **dict.fromkeys(("python", "py", "python3", "pandas", "numpy"), PYTHON),
    **dict.fromkeys(("shell", "sh", "bash", "zsh", "console"), "shell"),
    **dict.fromkeys(("sql", "sqlite", "sqlite3"), "sql"),
    **dict.fromkeys(("javascript", "js", "node"), "javascript"),
    **dict.fromkeys(("typescript", "ts"), "typescript"),
    **dict.fromkeys(("c++", "cpp"), "c++"),
    **dict.fromkeys(("c#", "cs", "csharp"), "c#"),
    **dict.fromkeys(("go", "golang"), "go"),
    **dict.fromkeys(("rust", "rs"), "rust"),
    **dict.fromkeys(("powershell", "ps1"), "powershell"),
    **dict.fromkeys(("kotlin", "kt"), "kotlin"),
    **dict.fromkeys(("ruby", "rb"), "ruby"),
    **dict.fromkeys(("perl", "pl"), "perl"),
    **{
        name: name
        for name in ("java", "php", "swift", "scala", "r", "c", "html", "css", "yaml", "terraform", "vba", "awk")
    },
}
_MENTIONED = re.compile(
    r"(?<![\w+#.-])(python|pandas|bash|shell|zsh|sqlite|sql|javascript|node(?=\.js)|typescript|java|c\+\+|c#|golang|rust|"
    r"powershell|kotlin|ruby|perl|php|swift|scala|terraform|vba|awk|html|css)(?![A-Za-z\d_+#])",
    re.I,
)
_FENCE = re.compile(r"```(?:([\w+#.-]*)[ \t]*\r?\n)?(.*?)(?:```|\Z)", re.S)
_CODE_LINE = re.compile(
    r"(?:async )?(?:def|class) \w|(?:import|from) [\w.]+|@\w|(?:for|while|if|with|try|elif|else)\b.*:\s*(?:#.*)?$|(?:try|else):|"
    r"(?:print|assert)\b ?\(?|[A-Za-z_][\w.\[\]'\"]*\s*(?:[-+*/]?=)[^=]|return\b|(?:SELECT|INSERT|UPDATE|DELETE|CREATE|WITH)\s+\S"
)
_INLINE = re.compile(
    r"[^\n:：()=]{0,80}?(?:[:：]\s*|\b(?:debug|fix|this)\s+)"
    r"(?P<code>(?:for \w+(?:, ?\w+)* in |(?:async )?def \w+ ?\(|class \w+\s*[:(]|"
    r"print ?\(|(?:if|while) .*(?:[=!<>]=|[<>]|:)|[A-Za-z_]\w*(?:\[.+?\])? ?[-+*/]?= ?[^=\s]|[A-Za-z_][\w.]*\(.*\)$).*)",
    re.S,
)
_TRACEBACK = re.compile(r"^[^\S\n]*(?:Traceback \(most recent call last\):|File \"[^\"]+\", line \d+)", re.M)


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of code or of a log. `language` is canonical, or empty if nobody said; `name` is its file's, if it has one."""

    text: str
    language: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """What a person gave to debug: the code itself, files beside it, their checks, and the logs.

    `unread` counts what they said should come out that could not be read as a check. `documents` are those that an
    earlier answer rested on, if the code was taken from there.
    """

    code: Block | None
    beside: tuple[Block, ...] = ()
    checks: tuple[str, ...] = ()
    unread: int = 0
    log: str = ""
    size: int = 0
    documents: frozenset[str] = frozenset()


def named(language: str) -> str:
    """The canonical name of a language; a name that is not known stays as it is."""
    return _NAMES.get(language.lower(), language.lower())


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a text. A fence that is never closed ends with the text."""
    return [Block(body.strip("\n"), named(info)) for info, body in _FENCE.findall(text) if body.strip()]


def prose(text: str) -> str:
    """A text without its fenced blocks."""
    return _FENCE.sub("\n", text)


def wanted_language(request: str) -> str:
    """The language that a request names outside its code, else that of its first block, else Python."""
    if found := _MENTIONED.search(prose(request)):
        return named(found.group(1))
    return next((block.language for block in blocks(request) if block.language), PYTHON)


def is_log(text: str) -> bool:
    """Whether a text holds a Python traceback."""
    return bool(_TRACEBACK.search(text))


def loose(text: str) -> str:
    """The bare code in a text without fences: from the first line that looks like code to the last, or nothing."""
    lines = text.splitlines()
    like = [place for place, line in enumerate(lines) if _looks_like_code(line)]
    if not like or (len(like) == 1 and not re.search(r"[=(:]", lines[like[0]])):
        return ""
    last = like[-1]
    while last + 1 < len(lines) and (lines[last + 1].startswith((" ", "\t", ")", "]", "}"))):
        last += 1
    return "\n".join(lines[like[0] : last + 1])


def inline(text: str) -> str:
    """The code behind the words that ask about it ("debug this: for i in range(3) print(i)"), or nothing."""
    found = _INLINE.match(text.strip())
    return found["code"] if found and not says_what_is_due(found["code"]) else ""


def _looks_like_code(line: str) -> bool:
    return bool(_CODE_LINE.match(line)) and not says_what_is_due(line)


def given(turn: Turn) -> Given:
    """Everything in a turn that can be debugged: its files, its excerpts, its text, and if that has no code, what was said.

    Of more than `MOST` characters nothing is read: they are only counted.
    """
    texts = [turn.message.text, *(excerpt.text for excerpt in turn.message.excerpts)]
    files = [block for upload in turn.uploads if (block := _file(upload))]
    if (size := _size(texts, files)) > MOST:
        return Given(None, size=size)
    found = _sorted(texts, files)
    if found.code is None and not found.log:
        for exchange in reversed(turn.history):
            if blocks(exchange.question) or blocks(exchange.answer):
                earlier = _sorted([exchange.question] if blocks(exchange.question) else [exchange.answer], [])
                checks = (*earlier.checks, *found.checks)
                size, unread = earlier.size + found.size, earlier.unread + found.unread
                return Given(
                    earlier.code, earlier.beside, checks, unread, earlier.log, size, documents=exchange.documents
                )
    return found


def _sorted(texts: Sequence[str], files: Sequence[Block]) -> Given:
    """Tell code from checks and logs. The code is the file that the log names, else the first that there is."""
    fenced = [block for text in texts for block in blocks(text)]
    bare = [
        Block(code) for text in texts if not blocks(text) and not is_log(text) and (code := loose(text) or inline(text))
    ]
    pieces = [*files, *fenced, *bare]
    logs = [block.text for block in pieces if is_log(block.text)] + [one for one in map(prose, texts) if is_log(one)]
    log = "\n".join(logs)
    pieces = [block for block in pieces if not is_log(block.text) and block.language != "text"]
    tests = [block for block in pieces[1:] if _is_checks(block.text)]
    rest = [block for block in pieces if block not in tests]
    chosen = next((block for block in rest if block.name and f'{block.name}"' in log), rest[0] if rest else None)
    said = "\n".join(prose(text) for text in texts)
    code = chosen.text if chosen else ""
    inside = frozenset(code.splitlines())
    said = "\n".join(line for line in said.splitlines() if line not in inside or says_what_is_due(line))
    due, remarks = expected(said, code), remarked(said, code)
    checks = (*(block.text for block in tests), *due.checks, *remarks, *noted(code), *doctests(code))
    unread = max(0, due.unread - len(remarks))
    beside = tuple(block for block in rest if block is not chosen and block.name)
    return Given(chosen, beside, checks, unread, log, _size(texts, files))


def _size(texts: Sequence[str], files: Sequence[Block]) -> int:
    return sum(map(len, texts)) + sum(len(block.text) for block in files)


def _file(upload: Upload) -> Block | None:
    """An uploaded file as text. Code is taken byte by byte: what a parser makes of it may have lost its indentation."""
    suffix = PurePath(upload.name).suffix.lower().lstrip(".")
    text = upload.text
    if upload.content and b"\0" not in upload.content:
        text = upload.content.decode("utf-8", errors="replace")
    if not text.strip():
        return None
    return Block(text, "text" if suffix in {"txt", "log", "md", "csv", "json", ""} else named(suffix), upload.name)


def _is_checks(text: str) -> bool:
    """Whether a block is there to check another one."""
    return bool(re.search(r"^[^\S\n]*(?:assert\b|def (?:check|test_\w+)\()", text, re.M))
