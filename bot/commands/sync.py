"""`rolecall sync`: brings the index up to date, with a progress bar, counts, and the reason for each unreadable file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from bot.commands.common import JsonOption, config_path, console, run, show_json
from bot.errors import ConfigError
from bot.knowledge.sync import SyncReport, sync
from bot.wiring import House, open_house


def sync_command(
    context: typer.Context,
    sources: Annotated[list[str] | None, typer.Argument(help="Sources by name; all without one.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Bring the index up to date: read what is new or changed, forget what is gone. 1 if a file cannot be read.

    Example: rolecall sync handbook
    """
    if run(_sync(context, sources or (), as_json)):
        raise typer.Exit(1)


async def _sync(context: typer.Context, names: Sequence[str], as_json: bool) -> bool:
    async with open_house(config_path(context)) as house:
        if as_json:
            reports = await sync_quietly(house, names)
            show_json({name: asdict(report) for name, report in reports.items()})
        else:
            reports = await sync_sources(house, names)
    return any(report.failed for report in reports.values())


async def sync_quietly(house: House, names: Sequence[str] = ()) -> Mapping[str, SyncReport]:
    """Sync the named sources, or all, without a word."""
    return {name: await sync(house.sources[name], house.index, house.records) for name in _chosen(house, names)}


async def sync_sources(house: House, names: Sequence[str] = ()) -> Mapping[str, SyncReport]:
    """Sync the named sources, or all, with a progress bar on a terminal and a report of each."""
    reports: dict[str, SyncReport] = {}
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    for name in _chosen(house, names):
        with Progress(*columns, TextColumn("[dim]{task.fields[document]}"), console=console) as bar:
            task = bar.add_task(f"sync {name}", total=None, document="")

            def step(done: int, total: int, document: str, bar: Progress = bar, task: TaskID = task) -> None:
                bar.update(task, completed=done, total=total, document=document.rpartition("/")[2])

            reports[name] = await sync(house.sources[name], house.index, house.records, step)
            bar.update(task, document="")
        _print(name, reports[name])
    return reports


def _chosen(house: House, names: Sequence[str]) -> Sequence[str]:
    unknown = [name for name in names if name not in house.sources]
    if unknown:
        raise ConfigError(f"sync: {unknown[0]!r} is not a source; known: {', '.join(house.sources) or 'none'}")
    return names or list(house.sources)


def _print(name: str, report: SyncReport) -> None:
    counts = asdict(report) | {"failed": len(report.failed)}
    console.print(
        Text(f"{name}: ").append(", ".join(f"{count} {what}" for what, count in counts.items()), style="bold")
    )
    for document, reason in report.failed.items():
        console.print(Text(f"  {document}: {reason}", style="red"))
