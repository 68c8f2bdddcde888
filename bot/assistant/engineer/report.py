"""The engineer's answers as text: the code or the change, and claims that are made from trials and from nothing else.

What a program printed is quoted in a block that it cannot close. A model's own words never stand outside its code.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence

from bot.access.cleaning import clean
from bot.assistant.codewords import JAPANESE, CodeWords
from bot.assistant.engineer.bench import Bench, Trial
from bot.assistant.engineer.checks import count
from bot.assistant.engineer.codetext import PYTHON
from bot.assistant.engineer.faults import CAUSES_EN, CAUSES_JA, Fault
from bot.errors import BotError
from bot.ports import Finding
from bot.types import Attachment

SHOWN = 2000
"""Characters of a program's output that an answer quotes."""
FINDINGS = 8
ENDINGS = {
    "python": "py",
    "shell": "sh",
    "sql": "sql",
    "javascript": "js",
    "typescript": "ts",
    "java": "java",
    "go": "go",
}
_NAMES = {
    "python": "Python",
    "sql": "SQL",
    "javascript": "JavaScript",
    "typescript": "TypeScript",
    "java": "Java",
    "php": "PHP",
}


def fenced(text: str, language: str = "") -> str:
    """A text as a block that nothing in it can close."""
    inside = text.rstrip().replace("```", "'''")
    return f"```{language}\n{inside}\n```"


def exact(code: str, language: str, stem: str) -> tuple[Attachment, ...]:
    """The code as a file, if a chat could not show it exactly as it is."""
    if fenced(code) == clean(fenced(code)) and "```" not in code:
        return ()
    return (Attachment(f"{stem}.{ENDINGS.get(language, 'txt')}", (code.rstrip() + "\n").encode()),)


def diff(before: str, after: str, name: str) -> str:
    """The change as a unified diff."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), name, name, lineterm="")
    return fenced("\n".join(lines), "diff")


def name_of(language: str) -> str:
    """A language's name as people write it."""
    return _NAMES.get(language, language)


def outcome(trial: Trial, runnable: Collection[str], say: CodeWords) -> list[str]:
    """What came of a run: that it ran and what it printed, how it ended, or why it was not run."""
    language, ran = name_of(trial.language), trial.ran
    if ran is None:
        if not runnable:
            return [say.no_sandbox]
        names = ", ".join(sorted(map(name_of, runnable)))
        return [say.not_runnable.format(languages=names, language=language)]
    if ran.ending == "refused":
        return [say.refused.format(reason=ran.reason)]
    if ran.ending == "time":
        head = say.time.format(language=language, seconds=ran.seconds)
    elif ran.ending == "memory":
        head = say.memory.format(language=language)
    elif ran.ending == "killed":
        head = say.killed.format(language=language, reason=f" ({ran.reason})" if ran.reason else "")
    elif trial.no_table:
        head = say.no_table.format(table=trial.no_table)
    elif ran.good or trial.failed_check:
        head = say.ran.format(language=language, seconds=ran.seconds)
    else:
        head = stopped(trial, say)
    return [head, *printed(trial, say, always=ran.good)]


def stopped(trial: Trial, say: CodeWords) -> str:
    """That it ran, and stopped with which error where."""
    fault = trial.fault
    errors = trial.ran.errors.strip().splitlines() if trial.ran else []
    text = (
        quoted(fault)
        if fault and fault.kind
        else f"`{errors[-1][:300]}`"
        if errors
        else f"exit {trial.ran and trial.ran.exit}"
    )
    return say.stopped.format(language=name_of(trial.language), where=place(fault, say), error=text)


def quoted(fault: Fault) -> str:
    """The error in its own words, on one line."""
    said = f"{fault.kind}: {fault.message}" if fault.kind and fault.message else fault.kind or fault.message
    return f"`{said.replace('`', chr(39))[:300]}`"


def place(fault: Fault | None, say: CodeWords) -> str:
    """Where the error is, if that is known."""
    return say.at_line.format(line=fault.line) if fault and fault.line else ""


def cause(fault: Fault | None, say: CodeWords) -> list[str]:
    """The usual cause of an error, if it has one."""
    found = (CAUSES_JA if say is JAPANESE else CAUSES_EN).get(fault.kind) if fault else None
    return [say.cause.format(cause=found)] if found else []


def printed(trial: Trial, say: CodeWords, always: bool = False) -> list[str]:
    """What the program printed; that it printed nothing only if `always`."""
    output = trial.ran.output.strip("\n") if trial.ran else ""
    if not output.strip():
        return [say.printed_nothing] if always and trial.ran and trial.ran.good else []
    cut = [say.cut] if len(output) > SHOWN or (trial.ran and trial.ran.cut) else []
    return [say.printed, fenced(output[:SHOWN]), *cut]


def checked(trial: Trial, say: CodeWords, unread: int = 0) -> list[str]:
    """What the person's own checks said; nothing if it did not run. `unread` more could not be read as checks."""
    if not trial.began:
        return []
    if trial.held:
        said = say.checks_partly if unread else say.checks_hold
        return [said.format(count=count(trial.checks), unread=unread)]
    if trial.held is False:
        fault = trial.fault
        got = f" ({quoted(fault)})" if fault and fault.message and trial.failed_check else ""
        if trial.failed_check:
            return [say.checks_fail.format(failed=f": `{trial.failed_check}`{got}")]
        return [say.checks_unreached]
    return []


def evidence(findings: Sequence[Finding] | None, say: CodeWords, quiet: bool = True) -> list[str]:
    """The linter's findings; that there are none is said unless `quiet`."""
    if findings is None:
        return []
    if not findings:
        return [] if quiet else [say.readable]
    lines = [
        f"- {say.at_line.format(line=one.line).strip()} {one.code}: {one.message}"
        for one in dict.fromkeys(findings[:FINDINGS])
    ]
    return [say.found + "\n" + "\n".join(line.replace("```", "'''") for line in lines)]


async def linted(bench: Bench, code: str, language: str, say: CodeWords, quiet: bool = True) -> list[str]:
    """The linter's findings on a piece of code, or why there are none."""
    try:
        return evidence(await bench.findings(code, language), say, quiet)
    except BotError as error:
        return [say.unreadable.format(reason=error)]


def stem(language: str) -> str:
    """The name of a file of this language that has none."""
    return "code" if language == PYTHON else "program"
