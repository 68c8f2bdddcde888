"""`rolecall eval`: figures on a labelled set, for retrieval and for answers."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress
from rich.table import Table

from bot import wiring
from bot.commands.common import JsonOption, config_path, console, errors, run, show_json
from bot.evaluation import retrieval
from bot.settings import IndexSettings, Settings

app = typer.Typer(help="Figures on a labelled set.", no_args_is_help=True, rich_markup_mode=None)

LimitOption = Annotated[int | None, typer.Option(help="Only the first so many questions.")]


@app.command(name="retrieval")
def retrieval_command(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A set in BEIR form: corpus.jsonl, queries.jsonl, qrels.tsv.")],
    limit: LimitOption = None,
    as_json: JsonOption = False,
) -> None:
    """nDCG@10, Recall@10 and MRR of each leg and of the hybrid, in a temporary index.

    Example: rolecall eval retrieval sets/tatqa --json
    """
    figures = run(_retrieval(config_path(context), folder, limit))
    if as_json:
        show_json(figures)
    else:
        console.print(_table("leg", figures))


async def _retrieval(config: Path, folder: Path, limit: int | None) -> dict[str, dict[str, float]]:
    settings = wiring.settings_of(config) if config.exists() else Settings(version=1)
    with tempfile.TemporaryDirectory() as temporary, Progress(console=errors) as bar:
        tasks: dict[str, Any] = {}

        def told(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(step)
            bar.update(tasks[step], completed=done, total=total)

        embedded = settings.model_copy(update={"index": IndexSettings(), "data": temporary})
        async with wiring.open_index(embedded, Path(temporary)) as index:
            return await retrieval.evaluate(folder, index, limit, told)


def _table(name: str, figures: Mapping[str, Mapping[str, float]]) -> Table:
    columns = list(next(iter(figures.values())))
    table = Table(name, *columns)
    for row, values in figures.items():
        table.add_row(row, *(f"{values[column]:.4f}" for column in columns))
    return table
