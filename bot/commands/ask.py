"""`rolecall ask`, `chat`, `search` and `route`: one turn, many turns, passages only, or only the choice of a tool."""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.commands.common import AsOption, InOption, JsonOption, config_path, console, errors, run, show_json
from bot.commands.requests import Request, attachment, lines, message_of, parse_line
from bot.delivery.audit import recorded
from bot.errors import BotError, ConfigError
from bot.types import Answer, Attachment, Citation, Done, Message, Passage, Reply
from bot.wiring.house import Bot, House, new_id, open_bot, open_house, open_router
from connectors.chat.outbox import media_type, save
from connectors.chat.terminal import TerminalDoor, source_line

TextArgument = Annotated[str, typer.Argument(help="The request; `-` reads one a line from standard input.")]
OutOption = Annotated[
    Path | None, typer.Option(help="A folder to write the files of an answer to; none is overwritten.")
]


def ask(
    context: typer.Context,
    text: TextArgument,
    who: AsOption = "",
    where: InOption = None,
    file: Annotated[Path | None, typer.Option(help="A file that comes with the request.")] = None,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """One turn through the whole pipeline: who asks, who reads, which tool, the checked answer and its sources.

    Example: rolecall ask "What was net revenue in 2025?" --as fiona --in all-hands --json
    """
    files = (attachment(file),) if file else ()
    if text == "-":
        run(_ask_lines(config_path(context), Request("", who, where), files, out))
    else:
        run(_ask_once(config_path(context), Request(text, who, where), files, out, as_json))


async def _ask_once(
    config: Path, request: Request, files: tuple[Attachment, ...], out: Path | None, as_json: bool
) -> None:
    async with open_bot(config) as bot:
        message = await message_of(request, bot.house.directory, files)
        if as_json:
            show_json(answer_json(await final(bot, message), out))
        else:
            await TerminalDoor(console, request.who, out).show(replies(bot, message))


async def _ask_lines(
    config: Path, default: Request, files: tuple[Attachment, ...] = (), out: Path | None = None, thread: str = ""
) -> None:
    async with open_bot(config) as bot:

        async def answer(request: Request) -> Mapping[str, Any]:
            return answer_json(await final(bot, await message_of(request, bot.house.directory, files, thread)), out)

        await each_line(default, answer)


async def each_line(default: Request, answer: Callable[[Request], Awaitable[Mapping[str, Any]]]) -> None:
    """Answer standard input line by line, in order; a bad line gets an `error` object and the rest goes on."""
    failed = False
    for line in lines(sys.stdin):
        try:
            show_json(await answer(parse_line(line, default)))
        except (BotError, ConfigError) as error:
            failed = True
            show_json({"error": str(error), "line": line[:200]})
    if failed:
        raise typer.Exit(1)


def replies(bot: Bot, message: Message) -> AsyncIterator[Reply]:
    """The replies of one turn; the audit records it as it does any other."""
    return recorded(bot.turns, message, bot.journal, time.time, new_id())


async def final(bot: Bot, message: Message) -> Answer:
    """The final answer of one turn."""
    answer = Answer("")
    async for reply in replies(bot, message):
        if isinstance(reply, Done):
            answer = reply.answer
    return answer


def answer_json(answer: Answer, out: Path | None = None) -> dict[str, Any]:
    """The answer in the form that the command line promises; its files are written to `out` if that is named."""
    shown = {
        "text": answer.text,
        "sources": [source_json(source) for source in answer.sources],
        "files": _files_json(answer.files, out),
        "tool": answer.plan.tool,
        "plan": {"by": answer.plan.by, "confidence": round(answer.plan.confidence, 4)},
        "model": answer.model,
        "refused": answer.refused,
        "id": answer.id,
        "ms": {step: round(value, 1) for step, value in answer.ms.items()},
    }
    return shown | ({"private": answer_json(answer.private, out)} if answer.private else {})


def _files_json(files: tuple[Attachment, ...], out: Path | None) -> list[dict[str, Any]]:
    """The files of an answer: name, type, size, and where each was written."""
    shown = [{"name": file.name, "media_type": media_type(file), "bytes": len(file.content)} for file in files]
    if not files or out is None:
        return shown
    return [one | {"path": str(path)} for one, path in zip(shown, save(files, out), strict=True)]


def source_json(source: Citation) -> dict[str, Any]:
    """One source of an answer."""
    return {
        "document": source.document,
        "title": source.title,
        "page": source.page,
        "url": source.url,
        "labels": sorted(source.labels),
    }


def search(
    context: typer.Context,
    text: TextArgument,
    who: AsOption = "",
    where: InOption = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many passages at most.")] = 8,
    as_json: JsonOption = False,
) -> None:
    """The passages that everybody who would read the answer may see; no model runs.

    Example: rolecall search "brake wear limit" --as oskar --limit 3
    """
    request = Request(text, who, where, limit)
    run(_search(config_path(context), request, as_json))


async def _search(config: Path, request: Request, as_json: bool) -> None:
    async with open_house(config) as house:

        async def found(one: Request) -> Mapping[str, Any]:
            return {"passages": [asdict(passage) for passage in await _passages(house, one)]}

        if request.text == "-":
            await each_line(request, found)
        elif as_json:
            show_json(await found(request))
        else:
            _print_passages(await _passages(house, request))


async def _passages(house: House, request: Request) -> list[Passage]:
    message = await message_of(request, house.directory)
    access = await house.audience.access(message.sender, message.room)
    return await house.index.search(request.text, access, request.limit)


def _print_passages(passages: list[Passage]) -> None:
    if not passages:
        console.print("Nothing found.")
    for number, found in enumerate(passages, 1):
        console.print(source_line(Citation(number, found.document, found.title, found.labels, found.page, found.url)))
        console.print(found.text, style="dim", markup=False, highlight=False)


def route(context: typer.Context, text: TextArgument, as_json: JsonOption = False) -> None:
    """Which tool the planner would pick, how sure it is, and who decided.

    Example: rolecall route "translate this into Japanese: the gate has changed"
    """
    router = open_router(config_path(context))

    async def planned(request: Request) -> Mapping[str, Any]:
        plan = await router.route(request.text)
        return {"tool": plan.tool, "confidence": round(plan.confidence, 4), "by": plan.by}

    if text == "-":
        run(each_line(Request("", ""), planned))
        return
    plan = run(_one(planned, text))
    if as_json:
        show_json(plan)
    else:
        console.print(f"[bold]{plan['tool']}[/bold]  {plan['confidence']:.2f} by {plan['by']}")


async def _one(planned: Callable[[Request], Awaitable[Mapping[str, Any]]], text: str) -> Mapping[str, Any]:
    return await planned(Request(text, ""))


def chat(
    context: typer.Context,
    who: AsOption = "",
    where: InOption = None,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """An interactive chat; `/as NAME` and `/in ROOM` change who asks and where, `/quit` ends.

    With `--json` it reads requests from standard input as `ask -` does, all of them in one conversation.

    Example: rolecall chat --as haruka
    """
    if as_json:
        run(_ask_lines(config_path(context), Request("", who, where), out=out, thread=uuid.uuid4().hex))
    else:
        run(_chat(config_path(context), Request("", who, where), out))


async def _chat(config: Path, request: Request, out: Path | None) -> None:
    async with open_bot(config) as bot:
        await converse(bot, request, out)


async def converse(bot: Bot, request: Request, out: Path | None = None) -> None:
    """Read, answer, repeat, until the input ends or `/quit`."""
    await message_of(request, bot.house.directory)
    thread = uuid.uuid4().hex
    console.print("[dim]/as NAME, /in ROOM, /dm, /quit[/dim]")
    while True:
        where = f" in {request.where}" if request.where else ""
        try:
            line = console.input(f"[bold cyan]{request.who}{where} > [/bold cyan]").strip()
        except (EOFError, KeyboardInterrupt):
            return
        if line == "/quit":
            return
        try:
            request = await _turn(bot, request, line, thread, out)
        except (BotError, ConfigError) as error:
            errors.print(str(error), style="red", markup=False)


async def _turn(bot: Bot, request: Request, line: str, thread: str, out: Path | None) -> Request:
    """Obey a slash command or answer a question; returns who asks, and where, from now on."""
    command, _, rest = line.partition(" ")
    changed = {
        "/as": Request("", rest.strip(), request.where),
        "/in": Request("", request.who, rest.strip() or None),
        "/dm": Request("", request.who, None),
    }.get(command)
    if changed is not None:
        await message_of(changed, bot.house.directory)
        return changed
    if line:
        message = await message_of(Request(line, request.who, request.where), bot.house.directory, thread=thread)
        await TerminalDoor(console, request.who, out).show(replies(bot, message))
    return request
