"""The terminal as a chat door: the same replies that Slack and Teams get, for people who try, test and debug."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from rich.console import Console, Group
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from bot.types import Answer, Attachment, Citation, Delta, Done, Reply, Status
from connectors.chat.outbox import media_type, save


class TerminalDoor:
    """Shows replies on a console. `asker` is the name on the panel that holds a private answer.

    `out` is the folder for the files of an answer; without it they are only listed.
    """

    def __init__(self, console: Console, asker: str = "you", out: Path | None = None):
        self._console = console
        self._asker = asker
        self._out = out

    async def show(self, replies: AsyncIterator[Reply]) -> None:
        """Show a turn's replies as they come; the last one brings the sources and, maybe, the private answer."""
        streamed = False
        with self._console.status("", spinner="dots") as status:
            async for reply in replies:
                match reply:
                    case Status(text=text):
                        status.update(f"[dim]{escape(text)}[/dim]")
                    case Delta(text=text):
                        status.stop()
                        self._console.print(Text(text), end="", soft_wrap=True)
                        streamed = True
                    case Done(answer=answer):
                        status.stop()
                        self._finish(answer, streamed)

    def _finish(self, answer: Answer, streamed: bool) -> None:
        if not streamed:
            self._console.print(Text(answer.text), soft_wrap=True, end="")
        elif answer.refused:
            self._console.print(Text("\n" + answer.text), soft_wrap=True, end="")
        self._console.print()
        self._sources(answer.sources)
        self._files(answer.files)
        if answer.private:
            self._console.print(Padding(private_panel(answer.private, self._asker), (1, 0, 0, 0)))
            self._files(answer.private.files)

    def _sources(self, sources: tuple[Citation, ...]) -> None:
        for source in sources:
            self._console.print(source_line(source), soft_wrap=True)

    def _files(self, files: tuple[Attachment, ...]) -> None:
        paths = save(files, self._out) if files and self._out else []
        for number, file in enumerate(files):
            line = Text("  file  ", style="cyan").append(file.name, style="bold")
            line.append(f"  {media_type(file)}, {len(file.content):,} bytes", style="dim")
            self._console.print(line.append(f"  {paths[number]}" if paths else "", style="dim"), soft_wrap=True)
        if files and not paths:
            self._console.print(Text("  with --out FOLDER files are written there", style="dim"), soft_wrap=True)


def source_line(source: Citation) -> Text:
    """One source as people read it: number, title, page, document."""
    page = f", page {source.page}" if source.page else ""
    line = Text(f"  [{source.number}] ", style="cyan")
    line.append(f"{source.title}{page}", style="bold")
    line.append(f"  {source.url or source.document}", style="dim")
    return line


def source_rows(sources: Sequence[Citation]) -> Table:
    """One source a row; a long one goes on under its title."""
    grid = Table.grid()
    for source in sources:
        line = source_line(source)
        grid.add_row(*line.divide([line.plain.index("]") + 2]))
    return grid


def private_panel(answer: Answer, asker: str) -> Panel:
    """The fuller answer, as the note that only the asker sees."""
    body = Group(Text(answer.text), *([source_rows(answer.sources)] if answer.sources else []))
    return Panel(body, title=f"only {asker} sees this", title_align="left", border_style="magenta")
