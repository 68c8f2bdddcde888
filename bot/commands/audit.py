"""`rolecall audit`: goes through the chain of audit rows, seals it, and shows them. What was said is in none of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from bot.commands.common import JsonOption, config_path, console, run, show_json
from bot.errors import ConfigError
from bot.wiring.parts import open_journal, settings_of
from connectors.chain import Verified

_NO_ROW = "0:"
"""What `verify` prints of the last row of an audit that has none."""

app = typer.Typer(help="The audit: one chained row for each answer.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def verify(
    context: typer.Context,
    at_least: Annotated[
        str, typer.Option(help="NUMBER:HASH of a row that was there before, as this command prints it.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Go through the whole chain; exit code 1, naming the row, if one was edited, deleted or moved.

    Prints the last row as NUMBER:HASH. Kept elsewhere and given to `--at-least` later, it also shows whether the whole
    database was put back to an earlier state, which holds by itself.

    Example: rolecall audit verify --json
    """
    _tell(run(_verify(config_path(context), _noted(at_least))), as_json)


async def _verify(config: Path, at_least: tuple[int, str] | None) -> Verified:
    async with open_journal(settings_of(config), config.parent) as journal:
        return await journal.verify(at_least)


@app.command()
def seal(context: typer.Context, as_json: JsonOption = False) -> None:
    """Go through the chain and seal its end: once after an upgrade that brought seals, and after `audit.key` changed.

    A chain that does not hold is not sealed; the exit code is 1 then. At any other time find out first what is missing.

    Example: rolecall audit seal
    """
    _tell(run(_seal(config_path(context))), as_json)


async def _seal(config: Path) -> Verified:
    async with open_journal(settings_of(config), config.parent) as journal:
        return await journal.seal()


def _noted(at_least: str) -> tuple[int, str] | None:
    """A row as `verify` printed it; none if it was printed when there was none. Raises ConfigError."""
    if at_least in ("", _NO_ROW):
        return None
    if found := re.fullmatch(r"([0-9]{1,18}):([0-9a-f]{64})", at_least):
        return int(found[1]), found[2]
    raise ConfigError(f"--at-least: {at_least!r} is not NUMBER:HASH, as `rolecall audit verify` prints it")


def _tell(found: Verified, as_json: bool) -> None:
    last = f"{found.rows}:{found.hash}"
    if as_json:
        show_json({"ok": not found.problem, "rows": found.rows, "last": last, "problem": found.problem})
    elif found.problem:
        console.print(f"[red]broken[/]: {escape(found.problem)}", highlight=False, soft_wrap=True)
    else:
        console.print(f"[green]{_held(found)}[/]\nlast row: {last}", highlight=False, soft_wrap=True)
    if found.problem:
        raise typer.Exit(1)


def _held(found: Verified) -> str:
    if not found.rows:
        return "no row yet: nothing was answered"
    return f"{found.rows} rows, the chain holds"


@app.command()
def show(
    context: typer.Context,
    answer: Annotated[str, typer.Option(help="Only rows of the answer with this id.")] = "",
    person: Annotated[str, typer.Option(help="Only rows of this person: slack-user:T0HOME/U0FIONA.")] = "",
    room: Annotated[str, typer.Option(help="Only rows of this room: slack:T0HOME/C0FIN.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="The latest so many rows.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Who asked, where, who read along, which documents, which tool, and who refused; latest first.

    Example: rolecall audit show --person slack-user:T0HOME/U0FIONA --limit 5
    """
    wanted = {name: value for name, value in (("answer", answer), ("person", person), ("room", room)) if value}
    rows = run(_show(config_path(context), wanted, limit))
    if as_json:
        for row in rows:
            show_json(row)
    else:
        _print(rows)


async def _show(config: Path, wanted: dict[str, str], limit: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    async with open_journal(settings_of(config), config.parent) as journal:
        async for number, entry in journal.entries():
            if all(entry[name] == value for name, value in wanted.items()):
                rows.append({"row": number} | entry)
            if len(rows) == limit:
                break
    return rows


def _print(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        event = f"{row['event']} in private" if row["private"] else row["event"]
        refused = f" (refused by {row['layer']}: {row['reason']})" if row["layer"] else ""
        tool = f" by {row['tool']}" if row["tool"] else ""
        said = f"{row['row']:>6}  {row['answer']}  {event}{tool}: {row['person']} in {row['room']}{refused}"
        console.print(said, markup=False, highlight=False, soft_wrap=True)
        for name, labels in row["documents"]:
            console.print(
                f"        {name}  ({', '.join(labels)})", style="dim", markup=False, highlight=False, soft_wrap=True
            )
    if not rows:
        console.print("No rows.")
