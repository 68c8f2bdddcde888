"""`rolecall backup`, `restore` and `erase`: what an admin needs rarely, and then at once."""

from __future__ import annotations

import time
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from bot.access import references
from bot.commands.common import JsonOption, config_path, console, run, show_json
from bot.errors import ConfigError
from bot.ports import AuditEntry
from bot.settings import Settings
from bot.wiring.parts import data_of, database_url, directory_of, journal_of, open_engine, settings_of
from connectors.backup import back_up
from connectors.backup import restore as restore_from
from connectors.chat.teams.store import TeamsStore
from connectors.inbox import SqlInbox
from connectors.qdrant.edge import held

WithoutIndex = Annotated[
    bool, typer.Option("--without-index", help="Leave the embedded index out; sync makes it again.")
]


def backup(
    context: typer.Context,
    target: Annotated[Path, typer.Argument(help="The file to write: rolecall-backup.tar.gz.")],
    without_index: WithoutIndex = False,
    as_json: JsonOption = False,
) -> None:
    """Write the whole database, and the embedded index, to one file. A running bot need not stop for the database.

    Example: rolecall backup /backups/rolecall-monday.tar.gz
    """
    rows = run(_back_up(config_path(context), target, without_index))
    _tell(rows, f"written to {target}", as_json)


async def _back_up(config: Path, target: Path, without_index: bool) -> dict[str, int]:
    settings, base = settings_of(config), config.parent
    if not target.parent.is_dir():
        raise ConfigError(f"{target}: the folder {target.parent} does not exist")
    index = None if without_index else _index(settings, base)
    async with open_engine(settings, base) as engine:
        with held(index) if index and index.exists() else nullcontext():
            return await back_up(engine, index, target)


def restore(
    context: typer.Context,
    source: Annotated[Path, typer.Argument(help="A file that `rolecall backup` wrote.")],
    without_index: WithoutIndex = False,
    as_json: JsonOption = False,
) -> None:
    """Read a backup into an empty database, of this or of an older version; SQLite or PostgreSQL, whichever it came from.

    Example: rolecall restore /backups/rolecall-monday.tar.gz
    """
    config = config_path(context)
    settings, base = settings_of(config), config.parent
    index = None if without_index else _index(settings, base)
    rows = run(restore_from(source, database_url(settings, base), index))
    _tell(rows, f"restored from {source}", as_json)


def erase(
    context: typer.Context,
    who: Annotated[str, typer.Argument(help="A reference: slack-user:T0HOME/U0FIONA; or an alias of the directory.")],
    as_json: JsonOption = False,
) -> None:
    """Delete what a person asked, was answered and thought of it, and how Teams reaches them; audit rows hold none of it.

    Example: rolecall erase slack-user:T0HOME/U0GONE
    """
    _tell(run(_erase(config_path(context), who)), f"erased of {who}", as_json)


async def _erase(config: Path, who: str) -> dict[str, int]:
    settings, base = settings_of(config), config.parent
    directory = directory_of(settings, base)
    known = await directory.person(who) if directory else None
    person = known.ref if known else _reference(who)
    async with open_engine(settings, base) as engine:
        entry = AuditEntry("erased", "", person, "", time.time())
        messages = await SqlInbox(engine).erase_person(person, entry.at)
        contacts = await TeamsStore(engine).erase(person)
        return {"messages": messages, "contacts": contacts} | await journal_of(settings, engine).erase(person, entry)


def _reference(who: str) -> str:
    try:
        return references.person(who).ref
    except ValueError as error:
        raise ConfigError(f"erase: {error}") from error


def _index(settings: Settings, base: Path) -> Path | None:
    """The folder of the embedded index. A server has snapshots of its own."""
    return data_of(settings, base) / "index" if settings.index.engine == "edge" else None


def _tell(counts: dict[str, int], what: str, as_json: bool) -> None:
    if as_json:
        show_json(counts)
    else:
        console.print(f"{', '.join(f'{count} {name}' for name, count in counts.items())}: {what}", highlight=False)
