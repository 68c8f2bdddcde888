"""`rolecall sync`: brings the index up to date, with a progress bar, counts, and the reason for each unreadable file."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import Progress as Bar
from rich.text import Text

from bot.commands.common import JsonOption, config_path, console, run, show_json
from bot.errors import ConfigError
from bot.knowledge.sync import Progress, SyncReport, forget, sync
from bot.ports import SyncRun
from bot.wiring.house import House, open_unattended
from connectors.sync_runs import SqlSyncRuns

UnreadOption = Annotated[
    bool,
    typer.Option(
        "--allow-unread", help="0 though a file cannot be read: for timers, where a metric tells of such files."
    ),
]
AgainOption = Annotated[
    bool,
    typer.Option("--again", help="Read unchanged files too, as after an update of Rolecall that reads them better."),
]


def sync_command(
    context: typer.Context,
    sources: Annotated[list[str] | None, typer.Argument(help="Sources by name; all without one.")] = None,
    again: AgainOption = False,
    allow_unread: UnreadOption = False,
    as_json: JsonOption = False,
) -> None:
    """Bring the index up to date: read what is new or changed, forget what is gone. 1 if a file cannot be read.

    Example: rolecall sync handbook
    """
    if run(_sync(context, sources or (), again, as_json)) and not allow_unread:
        raise typer.Exit(1)


async def _sync(context: typer.Context, names: Sequence[str], again: bool, as_json: bool) -> bool:
    async with open_unattended(config_path(context)) as house:
        if as_json:
            reports = await sync_quietly(house, names, again)
            show_json({name: asdict(report) for name, report in reports.items()})
        else:
            reports = await sync_sources(house, names, again)
    return any(report.failed for report in reports.values())


async def sync_quietly(house: House, names: Sequence[str] = (), again: bool = False) -> Mapping[str, SyncReport]:
    """Sync the named sources, or all, without a word; without names, sources that are gone are forgotten."""
    again = again or await _index_lost(house)
    reports = {}
    for name in _chosen(house, names):
        reports[name] = await _one(house, name, lambda done, total, document: None, again)
    return reports | ({} if names else await _forget_gone(house))


async def sync_sources(house: House, names: Sequence[str] = (), again: bool = False) -> Mapping[str, SyncReport]:
    """Sync the named sources, or all, with a progress bar on a terminal and a report of each."""
    reports: dict[str, SyncReport] = {}
    if not again and await _index_lost(house):
        console.print("The index does not hold what the record says; every document is read again.")
        again = True
    for name in _chosen(house, names):
        with _bar() as bar:
            reports[name] = await _one(
                house, name, _stepping(bar, bar.add_task(f"sync {name}", total=None, document="")), again
            )
        _print(name, reports[name])
    if not names:
        for name, report in (await _forget_gone(house)).items():
            reports[name] = report
            console.print(f"{name} is no longer a source: {report.deleted} documents deleted", markup=False)
    return reports


async def _one(house: House, name: str, progress: Progress, again: bool) -> SyncReport:
    source = house.sources[name]
    try:
        report = await sync(source, house.index, house.records, progress, again)
    finally:
        source.close()
    changed = report.changed + report.relabelled
    run = SyncRun(name, time.time(), report.added, changed, report.deleted, len(report.failed))
    await SqlSyncRuns(house.engine).save(run)
    return report


async def _index_lost(house: House) -> bool:
    """Whether the index holds fewer passages than the record: its folder was deleted, or it is another one."""
    recorded = sum(record.passages for record in (await house.records.all()).values() if record.state == "indexed")
    return await house.index.count() < recorded


async def _forget_gone(house: House) -> dict[str, SyncReport]:
    gone = sorted({record.source for record in (await house.records.all()).values()} - set(house.sources))
    return {name: await forget(name, house.index, house.records) for name in gone}


def _chosen(house: House, names: Sequence[str]) -> Sequence[str]:
    unknown = [name for name in names if name not in house.sources]
    if unknown:
        raise ConfigError(f"sync: {unknown[0]!r} is not a source; known: {', '.join(house.sources) or 'none'}")
    return list(dict.fromkeys(names)) or list(house.sources)


def _bar() -> Bar:
    return Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[document]}"),
        console=console,
        disable=not console.is_terminal,
    )


def _stepping(bar: Bar, task: TaskID) -> Progress:
    def step(done: int, total: int, document: str) -> None:
        bar.update(task, completed=done, total=total, document="" if done == total else document.rpartition("/")[2])

    return step


def _print(name: str, report: SyncReport) -> None:
    counts = asdict(report) | {"failed": len(report.failed)}
    words = ", ".join(f"{count} {what}" for what, count in counts.items())
    console.print(Text(f"{name}: ").append(words, style="bold"), soft_wrap=True)
    for document, reason in report.failed.items():
        console.print(Text(f"  {document}: {reason}", style="red"), soft_wrap=True)
