"""`rolecall demo`: the tour. The example company's documents, the same question from different people, and why."""

from __future__ import annotations

import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel, ConfigDict, Field
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text

from bot.commands import policytext
from bot.commands.ask import converse, replies
from bot.commands.common import config_path, console, errors, run
from bot.commands.policy import explained
from bot.commands.requests import Request, message_of
from bot.commands.sync import sync_sources
from bot.errors import BotError, ConfigError
from bot.types import Answer, Done, Reply
from bot.wiring.house import Bot, open_bot
from bot.wiring.parts import settings_of
from bot.yamlfile import load
from connectors.chat.terminal import private_panel, source_rows

OPENING = (
    "Rolecall answers from a company's own documents, and shows nobody what they, or anybody else who will read the "
    "answer, may not see. Everything here runs on this machine: the documents, the search engine, the models."
)


class Strict(BaseModel):
    """A mapping of tour.yaml."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Explained(Strict):
    """Whom `policy explain` is asked about, which document, and where."""

    who: str
    document: str
    where: str | None = Field(None, alias="in")


class Step(Strict):
    """One stop: a question by somebody somewhere, or an explanation, and what it shows."""

    title: str
    lesson: str
    who: str = Field("", alias="as")
    where: str | None = Field(None, alias="in")
    ask: str = ""
    explain: Explained | None = None


class Tour(Strict):
    """tour.yaml, beside rolecall.yaml."""

    steps: list[Step]


def demo(
    context: typer.Context,
    interactive: Annotated[
        bool | None, typer.Option("--interactive/--no-interactive", help="End in a chat; by default on a terminal.")
    ] = None,
) -> None:
    """Sync the example company's documents, then show who gets which answer, and why.

    Example: rolecall --config examples/airline/rolecall.yaml demo
    """
    config = config_path(context)
    tour = load(config.parent / "tour.yaml", Tour)
    chat = sys.stdin.isatty() and sys.stdout.isatty() if interactive is None else interactive
    run(_tour(config, tour, chat))


async def _tour(config: Path, tour: Tour, chat: bool) -> None:
    console.print(Panel(OPENING, title="Rolecall", border_style="cyan", padding=(1, 2)))
    async with open_bot(config) as bot:
        await sync_sources(bot.house)
        for number, step in enumerate(tour.steps, 1):
            console.print()
            console.print(Rule(f"[bold]{number}. {step.title}[/bold]", align="left", style="cyan"))
            await _stop(bot, config, step)
            console.print()
            console.print(Text(step.lesson, style="italic dim"))
        console.print()
        if chat:
            await _meet(bot)
        else:
            console.print("Now ask for yourself:")
            _show_command(config, "chat --as fiona")


def _show_command(config: Path, rest: str) -> None:
    """A command as it can be typed here: by the name that this process was started with, if the shell knows no other."""
    name = "rolecall" if shutil.which("rolecall") else sys.argv[0]
    console.print(Text(f"$ {name} --config {config} {rest}", style="bold"), soft_wrap=True)


async def _stop(bot: Bot, config: Path, step: Step) -> None:
    if step.explain is not None:
        asked = step.explain
        place = f" --in {asked.where}" if asked.where else ""
        _show_command(config, f"policy explain {asked.who} {asked.document}{place}")
        told, room = await explained(settings_of(config), config.parent, asked.who, asked.document, asked.where)
        policytext.print_explanation(told, asked.who, room, bot.house.directory)
        return
    where = f" in #{step.where}" if step.where else " in a direct message"
    message = await message_of(Request(step.ask, step.who, step.where), bot.house.directory)
    name = bot.house.directory.name_of(message.sender.ref)
    console.print(Text.assemble((name, "bold yellow"), (where, "dim")))
    console.print(Padding(step.ask, (0, 0, 0, 2), expand=False))
    console.print()
    with console.status("[dim]Rolecall is answering[/dim]", spinner="dots"):
        answer = await _answered(replies(bot, message))
    console.print(Text("Rolecall", style="bold cyan"))
    console.print(Padding(Text(answer.text), (0, 0, 0, 2), expand=False))
    if answer.sources:
        console.print(Padding(source_rows(answer.sources), (0, 0, 0, 2), expand=False))
    if answer.private:
        console.print()
        console.print(Padding(private_panel(answer.private, name), (0, 0, 0, 2), expand=False))


async def _answered(events: AsyncIterator[Reply]) -> Answer:
    """The end of a turn: the tour shows answers whole, laid out for reading; the chat streams them."""
    return [event.answer async for event in events if isinstance(event, Done)][-1]


async def _meet(bot: Bot) -> None:
    """The end of the tour on a terminal: a chat as a person of one's choice."""
    people = sorted(bot.house.directory.people())
    console.print(f"Your turn. Whose eyes do you want to see with? [dim]{', '.join(people)}[/dim]")
    while True:
        try:
            who = console.input("[bold cyan]as > [/bold cyan]").strip()
        except (EOFError, KeyboardInterrupt):
            return
        if not who or who == "/quit":
            return
        try:
            await converse(bot, Request("", who))
        except (BotError, ConfigError) as error:
            errors.print(str(error), style="red", markup=False)
        else:
            return
