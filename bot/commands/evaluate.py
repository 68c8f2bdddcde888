"""`rolecall eval`: figures on a labelled set, for retrieval, for answers, for code and for summaries."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress
from rich.table import Table

from bot import toolbox
from bot.commands.ask import final
from bot.commands.common import AsOption, InOption, JsonOption, config_path, console, errors, run, show_json
from bot.commands.requests import Request, message_of
from bot.errors import BotError
from bot.evaluation import answers, code, retrieval, summaries
from bot.evaluation.answers import Question
from bot.evaluation.beir import read_corpus
from bot.evaluation.code import Task
from bot.knowledge.chunking import passages
from bot.settings import IndexSettings, Settings
from bot.toolbox import Style
from bot.types import Answer
from bot.wiring import parts
from bot.wiring.house import House, open_bot, open_librarian

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
    figures = run(_retrieval(parts.settings_or_default(config_path(context)), folder, limit))
    if as_json:
        show_json(figures)
    else:
        console.print(_table("figure", figures))


async def _retrieval(settings: Settings, folder: Path, limit: int | None) -> dict[str, dict[str, float]]:
    with tempfile.TemporaryDirectory() as temporary, Progress(console=errors) as bar:
        tasks: dict[str, Any] = {}

        def told(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(step)
            bar.update(tasks[step], completed=done, total=total)

        embedded = settings.model_copy(update={"index": IndexSettings()})
        async with parts.open_index(embedded, Path(temporary)) as index:
            return await retrieval.evaluate(folder, index, limit, told)


def _table(name: str, figures: Mapping[str, Mapping[str, float]]) -> Table:
    """A figure a row, so that its whole name is seen on a narrow terminal too."""
    table = Table(name, *figures)
    for figure in next(iter(figures.values())):
        table.add_row(figure, *(_shown(values[figure]) for values in figures.values()))
    return table


def _shown(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.4f}"


@app.command(name="answers")
def answers_command(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(help='Questions, one JSON object a line: "question", "answers", and who asks: "as".')
    ],
    corpus: Annotated[
        Path | None, typer.Option(help="Documents to answer from: a folder with corpus.jsonl; else what is synced.")
    ] = None,
    who: AsOption = "",
    where: InOption = None,
    style: Annotated[Style | None, typer.Option(help="quote or compose; else what the settings say.")] = None,
    limit: LimitOption = None,
    as_json: JsonOption = False,
) -> None:
    """How often a known answer is in the reply, a sentence is unsupported, and "not found" is said rightly and wrongly.

    Example: rolecall eval answers questions.jsonl --as fiona
    """
    questions = answers.read_questions(file)[:limit]
    config = config_path(context)
    if corpus:
        figures = run(_over(parts.settings_or_default(config), corpus, style, questions))
    else:
        figures = run(_asked(config, who, where, style, questions))
    if as_json:
        show_json(figures)
    else:
        console.print(_table("figure", {file.name: figures}))


async def _over(
    settings: Settings, corpus: Path, style: Style | None, questions: Sequence[Question]
) -> dict[str, float]:
    """The librarian alone, over a corpus in a temporary index."""
    texts = read_corpus(corpus)
    whole = {text.id: f"{text.title}\n{text.text}" for text in texts}
    with tempfile.TemporaryDirectory() as temporary, Progress(console=errors) as bar:
        async with open_librarian(settings, Path(temporary), style) as (index, librarian):
            await index.put([passage for text in texts for passage in passages(retrieval.document_of(text))])
            return await answers.evaluate(questions, answers.asker(librarian), whole.__getitem__, _stepping(bar))


async def _asked(
    config: Path, who: str, where: str | None, style: Style | None, questions: Sequence[Question]
) -> dict[str, float]:
    """The whole pipeline, as somebody, somewhere, over what is synced."""
    async with open_bot(config, style) as bot:

        async def ask(question: Question) -> Answer:
            request = Request(question.text, question.who or who, where)
            return await final(bot, await message_of(request, bot.house.directory))

        with Progress(console=errors) as bar:
            return await answers.evaluate(questions, ask, _reader(bot.house), _stepping(bar))


def _reader(house: House) -> Callable[[str], str]:
    """The text of a document as its source has it now."""
    listed = {item.id: (source, item) for source in house.sources.values() for item in source.list()}

    def text_of(document: str) -> str:
        source, item = listed[document]
        read = source.read(item)
        return "\n".join(("\n".join(section.heading) + "\n" + section.text) for section in read.sections)

    return text_of


@app.command(name="code")
def code_command(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            help='Tasks, one JSON object a line: "prompt", "entry_point", "test", or "code", "error", "test", or in words with '
            '"said" and "examples".'
        ),
    ],
    limit: LimitOption = None,
    as_json: JsonOption = False,
) -> None:
    """How often code passes a hidden test, how often a program is repaired, and how many claims do not hold.

    Example: rolecall eval code examples/code/repair.jsonl
    """
    tasks, config = code.read_tasks(file)[:limit], config_path(context)
    figures = run(_coded(parts.settings_or_default(config), config.parent, tasks))
    if as_json:
        show_json(figures)
    else:
        for kind, values in figures.items():
            console.print(_table("tasks to", {kind: values}))


async def _coded(settings: Settings, base: Path, tasks: Sequence[Task]) -> dict[str, dict[str, float]]:
    sandbox = await asyncio.to_thread(toolbox.sandbox_of, settings)
    if sandbox.tier == "none":
        raise BotError("eval code runs what is written, and this installation has no sandbox to run it in")
    writer, debugger = toolbox.engineer_of(parts.model_of(settings, base), sandbox)
    with Progress(console=errors) as bar:
        return await code.evaluate(tasks, writer, debugger, sandbox, _stepping(bar, "tasks"))


@app.command(name="summaries")
def summaries_command(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(help='Texts, one JSON object a line: "text" and "summary", or QMSum meetings.')
    ],
    style: Annotated[Style | None, typer.Option(help="quote or compose; else what the settings say.")] = None,
    limit: LimitOption = None,
    as_json: JsonOption = False,
) -> None:
    """ROUGE-L, unsupported sentences and compression of summaries, beside the first three sentences of each text.

    Example: rolecall eval summaries meetings.jsonl --limit 5
    """
    items = summaries.read_items(file)[:limit]
    figures = run(_summaries(parts.settings_or_default(config_path(context)), style, items))
    if as_json:
        show_json(figures)
    else:
        console.print(_table("figure", figures))


async def _summaries(
    settings: Settings, style: Style | None, items: Sequence[summaries.Item]
) -> dict[str, dict[str, float]]:
    embeddings = parts.embeddings_of(settings)
    with tempfile.TemporaryDirectory() as temporary, Progress(console=errors) as bar:
        model = parts.model_of(settings, Path(temporary))
        summarizer, _, _ = toolbox.editor_of(settings, model, embeddings, None, None, style)
        return await summaries.evaluate(items, summaries.asker(summarizer), _stepping(bar, "summaries"))


def _stepping(bar: Progress, what: str = "questions") -> Callable[[int, int], None]:
    task = bar.add_task(what)
    return lambda done, total: bar.update(task, completed=done, total=total)
