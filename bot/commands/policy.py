"""`rolecall policy`: check, test, explain, who-can-read and diff, for admins and for their CI.

Exit codes: 0 fine; 1 a test of the policy fails, or `diff` found a difference; 2 a mistake in a file or an argument.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from bot.access import references
from bot.access.audience import Readers, alone, together
from bot.access.diff import Roster, compare
from bot.access.explain import Explanation, explain, find_target
from bot.access.policy import Policy, read_policy
from bot.access.selftest import Outcome, run_tests
from bot.access.who import who_can_read
from bot.commands.common import InOption, JsonOption, config_path, run, show_json
from bot.commands.policytext import print_check, print_diff, print_explanation, print_tests, print_who
from bot.errors import ConfigError
from bot.settings import Settings
from bot.types import Labels, Principal, Room
from bot.wiring.parts import directory_of, document_labels, policy_of, settings_of
from connectors.directory_file import FileDirectory

FileArgument = Annotated[
    Path | None, typer.Argument(help="The policy; without it, the one that the settings name.", show_default=False)
]

app = typer.Typer(
    help="Check, test, explain and compare roles.yaml.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def check(context: typer.Context, file: FileArgument = None, as_json: JsonOption = False) -> None:
    """Say whether roles.yaml can be read, and what it gives; 2 if it cannot.

    Example: rolecall policy check roles.yaml
    """
    policy = _policy(context, file)
    if as_json:
        show_json(_summary(policy))
    else:
        print_check(policy)


@app.command(name="test")
def run_tests_command(context: typer.Context, file: FileArgument = None, as_json: JsonOption = False) -> None:
    """Run the tests inside roles.yaml; 1 if one fails.

    Example: rolecall policy test --json
    """
    policy = _policy(context, file)
    outcomes = run(run_tests(policy, _directory(context)))
    if as_json:
        show_json(_test_json(policy, outcomes))
    else:
        print_tests(policy, outcomes)
    if not all(outcome.ok for outcome in outcomes):
        raise typer.Exit(1)


@app.command(name="explain")
def explain_command(
    context: typer.Context,
    who: Annotated[str, typer.Argument(help="A person: a reference or a name from the directory.")],
    document: Annotated[str, typer.Argument(help="A document (the end of its path will do) or a label.")],
    where: InOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say whether somebody may read a document, in a room or alone, with each rule and its line; 0 either way.

    Example: rolecall policy explain fiona annual-report-2025.pdf --in all-hands
    """
    config = config_path(context)
    told, room = run(explained(settings_of(config), config.parent, who, document, where))
    if as_json:
        show_json({"who": who, "in": where, **asdict(told)})
    else:
        print_explanation(told, who, room, _directory(context))


@app.command(name="who-can-read")
def who_can_read_command(
    context: typer.Context,
    target: Annotated[str, typer.Argument(help="A document (the end of its path will do) or a label.")],
    as_json: JsonOption = False,
) -> None:
    """List everybody who may read a document or a label, and the rooms that may hear of it.

    Example: rolecall policy who-can-read filings
    """
    policy, directory = _policy(context, None), _directory(context)
    found = find_target(target, policy, run(_documents(context)))
    entries = who_can_read(policy, found, _people(directory), run(_rosters(directory)))
    if as_json:
        who = [asdict(entry) for entry in entries]
        show_json({"target": found.name, "kind": found.kind, "labels": found.labels, "who": who})
    else:
        print_who(policy, found, entries, directory)


@app.command()
def diff(
    context: typer.Context,
    old: Annotated[Path, typer.Argument(help="The policy as it is.")],
    new: Annotated[Path, typer.Argument(help="The policy as it shall be.")],
    as_json: JsonOption = False,
) -> None:
    """Say who gains and who loses which labels, documents, tools and rights; 0 if nobody does, 1 if somebody does.

    Example: rolecall policy diff <(git show main:roles.yaml) roles.yaml
    """
    before, after, directory = read_policy(old), read_policy(new), _directory(context)
    changes = compare(before, after, _people(directory), run(_documents(context)), run(_rosters(directory)))
    if as_json:
        show_json({"old": before.hash, "new": after.hash, "changes": [asdict(change) for change in changes]})
    else:
        print_diff(changes, directory)
    if changes:
        raise typer.Exit(1)


async def explained(
    settings: Settings, base: Path, who: str, document: str, where: str | None = None
) -> tuple[Explanation, Room | None]:
    """Why `who` may or may not read a document, and the room it was asked for. Raises ConfigError for unknown names."""
    policy, directory = policy_of(settings, base), directory_of(settings, base)
    target = find_target(document, policy, await document_labels(settings, base))
    person = await _person(directory, who)
    room = None if where is None else await _room(directory, where)
    return explain(policy, await _readers(policy, directory, person, room), target), room


async def _readers(policy: Policy, directory: FileDirectory | None, person: Principal, room: Room | None) -> Readers:
    if room is None or room.kind == "direct":
        return alone(policy, person)
    return together(policy, person, room, await directory.members(room) if directory else None)


async def _person(directory: FileDirectory | None, who: str) -> Principal:
    found = await directory.person(who) if directory else None
    if found:
        return found
    try:
        return references.person(who)
    except ValueError as error:
        raise ConfigError(f"WHO: {error}{_or_known(directory.people() if directory else ())}") from error


async def _room(directory: FileDirectory | None, where: str) -> Room:
    found = await directory.room(where) if directory else None
    if found:
        return found
    try:
        return references.room(where)
    except ValueError as error:
        raise ConfigError(f"--in: {error}{_or_known(directory.rooms() if directory else ())}") from error


def _or_known(names: Iterable[str]) -> str:
    known = ", ".join(sorted(names))
    return f"; or one of the directory: {known}" if known else ""


async def _rosters(directory: FileDirectory | None) -> list[Roster]:
    if directory is None:
        return []
    return [Roster(alias, room, await directory.members(room)) for alias, room in sorted(directory.rooms().items())]


def _people(directory: FileDirectory | None) -> Mapping[str, Principal]:
    return directory.people() if directory else {}


def _policy(context: typer.Context, file: Path | None) -> Policy:
    config = config_path(context)
    return read_policy(file) if file else policy_of(settings_of(config), config.parent)


def _directory(context: typer.Context) -> FileDirectory | None:
    """The directory that the settings name; none without settings, so that a lone roles.yaml can be checked."""
    config = config_path(context)
    return directory_of(settings_of(config), config.parent) if config.exists() else None


async def _documents(context: typer.Context) -> Mapping[str, Labels]:
    config = config_path(context)
    return await document_labels(settings_of(config), config.parent) if config.exists() else {}


def _summary(policy: Policy) -> dict[str, object]:
    return {
        "ok": True,
        "file": policy.name,
        "hash": policy.hash,
        "labels": list(policy.labels),
        "roles": {
            role.name: {
                "members": list(role.members) or "members",
                "read": list(role.read),
                "tools": list(role.tools),
                "limits": asdict(role.limits),
            }
            for role in policy.roles
        },
        "rooms": {ref: rule.ceiling for ref, rule in policy.rooms.items()},
        "tests": len(policy.tests),
        "unread": policy.unread,
    }


def _test_json(policy: Policy, outcomes: list[Outcome]) -> dict[str, object]:
    told = [asdict(outcome) | {"ok": outcome.ok} for outcome in outcomes]
    return {"file": policy.name, "hash": policy.hash, "ok": all(o.ok for o in outcomes), "tests": told}
