"""What a model writes, taken for code only: out of its fence, without links of its own, and never longer than a limit."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Sequence

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from bot.assistant.engineer.checks import asserts
from bot.assistant.engineer.codetext import PYTHON, blocks, loose
from bot.assistant.planner import prompt

_LINK = re.compile(
    r"[a-z][a-z0-9+.-]{0,30}://[^\s<>\"']*|\bwww\.[^\s<>\"']+|\b(?:[a-z0-9-]{1,63}+\.){1,9}[a-z]{2,63}[/?][^\s<>\"']*"
    r"|(?<![\w.+-])[\w.+-]++@[\w-]+(?:\.[\w-]+)+",
    re.I,
)
LONGEST = 20_000


class Author:
    """A chat model as a writer of code. `read` is what its links may come from: what the person sent.

    `broke_off` says whether what it wrote last came to no end: its block is open, or it was longer than the limit.
    """

    def __init__(self, model: BaseChatModel, instructions: str, language: str, read: str):
        self._model = model
        self._messages: list[BaseMessage] = [SystemMessage(prompt(instructions).replace("{language}", language))]
        self._language = language
        self._read = read
        self.broke_off = False

    async def write(self, request: str) -> str:
        """The code that the model answers a request with, which it sees after all earlier ones; empty if it wrote none."""
        self._messages.append(HumanMessage(request))
        text = ""
        async for chunk in self._model.astream(self._messages):
            text += chunk.text
            if len(text) > LONGEST:
                break
        self._messages.append(AIMessage(text))
        self.broke_off = len(text) > LONGEST or text.count("```") % 2 == 1
        return unlinked(taken(text, self._language), self._read)


def taken(text: str, language: str) -> str:
    """The code in a model's answer: its first block, or for Python bare lines that look like code."""
    found = blocks(text)
    if found:
        return found[0].text
    return loose(text) if language == PYTHON else ""


def unlinked(code: str, read: str) -> str:
    """Code without the links that were not in what the person sent: what runs is what is shown, and leads nowhere new."""
    return _LINK.sub(lambda found: found.group() if found.group() in read else "[link removed]", code)


def repeats_itself(code: str) -> bool:
    """Whether most of the code is the same few lines over and over, as small models write when they are lost."""
    lines = [line.strip() for line in code.splitlines() if len(line.strip()) >= 8]
    return len(lines) >= 12 and len(set(lines)) * 2 < len(lines)


def with_imports(code: str, stub: str) -> str:
    """The code with the imports that the person's own stub began with."""
    needed = re.findall(r"^(?:import|from) .+$", stub, re.M)
    missing = [line for line in needed if line not in code]
    return "\n".join([*missing, code]) if missing else code


def as_called(code: str, checks: Sequence[str]) -> str:
    """The code with its only function under the name by which the person's checks call one that is not there."""
    made = re.findall(r"^(?:async )?def (\w+)", code, re.M)
    called = {name for check in checks for name in re.findall(r"(?<![\w.])([A-Za-z_]\w*)\(", check)}
    missing = called - {*re.findall(r"^\s*(?:def|class) (\w+)", code, re.M), *dir(builtins), *keyword.kwlist}
    if len(made) != 1 or len(missing) != 1:
        return code
    return re.sub(rf"(?<![\w.]){made[0]}(?!\w)", missing.pop(), code)


def tests_in(text: str, code: str) -> tuple[str, ...]:
    """The assertions among a model's tests that call something which the code defines."""
    names = set(re.findall(r"^(?:async )?(?:def|class) (\w+)", code, re.M))
    return tuple(line for line in asserts(text) if not names.isdisjoint(re.findall(r"\b(\w+)\(", line)))[:5]


def keeps(before: str, after: str) -> bool:
    """Whether a changed program still is the same one: all that it defined and at least half of its lines."""
    defined = re.findall(r"^[^\S\n]*(?:async )?(?:def|class) (\w+)", before, re.M)
    if not set(defined) <= set(re.findall(r"\b(?:def|class) (\w+)", after)):
        return False
    lines = [line.strip() for line in before.splitlines() if line.strip()]
    there = {line.strip() for line in after.splitlines()}
    return sum(line in there for line in lines) * 2 >= len(lines) or len(lines) <= 4


def shown_failures(lines: Sequence[str]) -> str:
    """What went wrong, told to the model as material."""
    return "It does not work yet. What happened, as material:\n\n" + "\n".join(lines)
