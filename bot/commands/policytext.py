"""How `rolecall policy` speaks to people: verdict first, then each rule with its line in roles.yaml."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bot.access.diff import Change, alike
from bot.access.explain import Explanation, Finding, Target
from bot.access.policy import Limits, Policy
from bot.access.selftest import Outcome
from bot.access.who import Entry
from bot.commands.common import console
from bot.types import Room
from connectors.directory_file import FileDirectory

_SHOWN = 5
_READERS_SHOWN = 12


def print_check(policy: Policy) -> None:
    """What the policy gives, role by role."""
    console.print(
        Text.assemble(
            ("✔ ", "green"),
            f"{policy.name}: {len(policy.roles)} roles, {len(policy.labels)} labels, "
            f"{len(policy.rooms)} rooms, {len(policy.tests)} tests",
        )
    )
    table = _table("role", "who", "reads", "tools", "line")
    for role in policy.roles:
        who = ", ".join(role.members) or "every active member"
        table.add_row(role.name, who, ", ".join(role.read), ", ".join(role.tools), str(role.line))
    console.print(table)
    for label in policy.unread:
        words = f"! no role reads '{label}' ({_cite(policy.name, [policy.labels[label]])})"
        console.print(Text(words, style="yellow"))


def print_tests(policy: Policy, outcomes: Sequence[Outcome]) -> None:
    """Each expectation of the policy, and the count."""
    table = _grid()
    for outcome in outcomes:
        table.add_row(_mark(outcome.ok), Text(outcome.sentence), _dim(_cite(policy.name, [outcome.line])))
    console.print(table)
    failed = sum(not outcome.ok for outcome in outcomes)
    if not outcomes:
        console.print(Text(f"{policy.name} holds no tests; see tests: in docs/roles.md"))
    elif failed:
        console.print(Text(f"{failed} of {len(outcomes)} expectations fail", style="bold red"))
    else:
        console.print(Text(f"all {len(outcomes)} expectations hold", style="green"))


def print_explanation(told: Explanation, who: str, room: Room | None, directory: FileDirectory | None) -> None:
    """The verdict, the rule of the place, and what each reader, or the ceiling, decides."""
    verdict = Text(" ALLOWED ", "bold white on green") if told.allowed else Text(" DENIED ", "bold white on red")
    labels = ", ".join(sorted(told.labels)) or "no label"
    console.print(Text.assemble(verdict, "  ", (told.target, "bold"), f"  ({labels})"))
    place = f"in {_name(room.ref, directory)}" if room else "alone"
    console.print(Text(f"{_name(who, directory)}, {place}: {told.reason}"))
    if directory is None or not (who in directory.people() or directory.name_of(who) != who):
        console.print(Text(f"! {who} is in no directory: their groups are unknown here", style="yellow"))
    table = _grid()
    shown = _worth_telling(told.findings)
    for finding in shown:
        name = Text(_name(finding.who, directory), "bold")
        table.add_row(_mark(finding.allowed), name, Text(finding.why), _dim(_cite(told.file, finding.lines)))
    console.print(table)
    if len(shown) < len(told.findings):
        console.print(Text(f"and {len(told.findings) - len(shown)} readers more", style="dim"))
    for line in _offers(told.findings, told.file):
        console.print(Padding(Text(line, style="dim"), (0, 0, 0, 2)))


def print_who(policy: Policy, target: Target, entries: Iterable[Entry], directory: FileDirectory | None) -> None:
    """Those who may read it, people first, then rooms; and how many may not."""
    labels = ", ".join(sorted(target.labels)) or "no label"
    console.print(Text.assemble("Who can read ", (target.name, "bold"), f"  ({target.kind}: {labels})"))
    listed = list(entries)
    allowed = [entry for entry in listed if entry.allowed]
    table = _grid()
    for entry in allowed:
        name = _name(entry.ref, directory) if entry.kind == "person" else entry.name
        table.add_row(_mark(True), Text(name, "bold"), Text(entry.why), _dim(_cite(policy.name, entry.lines)))
    console.print(table if allowed else Text("  nobody"))
    others = [entry.name for entry in listed if not entry.allowed and entry.kind in ("person", "room")]
    if others:
        console.print(Text(f"not: {_few(others, 12)}", style="dim"))


def print_diff(changes: Sequence[Change], directory: FileDirectory | None) -> None:
    """What the change means, the same change for several people told once."""
    if not changes:
        console.print("Nobody gains or loses anything.")
    for group in alike(changes):
        names = [_name(change.who, directory) if change.kind == "person" else change.name for change in group]
        console.print(Text(_few(names, 8), style="bold"))
        change = group[0]
        for sign, style, what, things in (
            ("+", "green", "hears" if change.kind == "room" else "reads", change.gains),
            ("-", "red", "hears" if change.kind == "room" else "reads", change.loses),
            ("+", "green", "documents", change.documents_gained),
            ("-", "red", "documents", change.documents_lost),
            ("+", "green", "tools", change.tools_gained),
            ("-", "red", "tools", change.tools_lost),
        ):
            if things:
                console.print(Text(f"  {sign} {what}: {_few(things)}", style=style))
        for line in _other(change):
            console.print(Text(f"  ~ {line}", style="yellow"))


def _other(change: Change) -> Iterable[str]:
    """What is neither a gain nor a loss of things that have names."""
    if change.limits:
        yield f"limits: {_limits(change.limits[0])} -> {_limits(change.limits[1])}"
    if change.admin:
        yield "admin: may ask who can read what from now on" if change.admin[1] else "admin: no more"
    if change.reply:
        yield f"reply: {change.reply[0]} -> {change.reply[1]}"
    for name, before, after in change.marks:
        yield f"mark of {name}: {before} -> {after}"


def _worth_telling(findings: Sequence[Finding]) -> Sequence[Finding]:
    """All of a few; of many, the asker and those who decide."""
    if len(findings) <= _READERS_SHOWN:
        return findings
    return [findings[0], *[one for one in findings[1:] if not one.allowed or one.kind != "reader"][:_READERS_SHOWN]]


def _offers(findings: Iterable[Finding], file: str) -> list[str]:
    """For those who are denied: each role that would give it, once, and whom roles.yaml names for it."""
    told: dict[str, None] = {}
    for finding in findings:
        for cause in finding.causes if not finding.allowed else ():
            members = [f"{ref} ({_cite(file, [line])})" for ref, line in cause.members.items()]
            cite = _cite(file, [cause.line])
            told[f"'{cause.label}' comes with the role '{cause.role}' ({cite}), held by {_few(members)}"] = None
    return list(told)


def _limits(limits: Limits) -> str:
    given = [f"{limits.per_minute} a minute"] if limits.per_minute else []
    given += [f"{limits.per_day} a day"] if limits.per_day else []
    return ", ".join(given) or "none of its own"


def _few(things: Sequence[str], most: int = _SHOWN) -> str:
    shown = ", ".join(things[:most])
    return shown if len(things) <= most else f"{shown} and {len(things) - most} more"


def _name(ref: str, directory: FileDirectory | None) -> str:
    if directory is None:
        return ref
    person = directory.people().get(ref)
    return directory.name_of(person.ref if person else ref)


def _cite(file: str, lines: Iterable[int]) -> str:
    numbers = ",".join(str(line) for line in lines)
    return f"{Path(file).name}:{numbers}" if numbers else ""


def _mark(ok: bool) -> Text:
    return Text("✔", "green") if ok else Text("✘", "red")


def _dim(words: str) -> Text:
    return Text(words, "dim", no_wrap=True)


def _grid() -> Table:
    """Mark, name, words, and the line of roles.yaml at the right."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(3):
        grid.add_column(overflow="fold")
    return grid


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
