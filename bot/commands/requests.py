"""Requests from the command line: one from an argument, or one a line from standard input."""

from __future__ import annotations

import io
import json
import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot.errors import BotError, ConfigError
from bot.ports import Directory
from bot.types import Attachment, Message, Room

KEYS = ("text", "as", "in", "limit")
_HALF = re.compile(r"[\ud800-\udfff]")
"""Half of a pair that UTF-16 needs for one character: no text that can be stored or shown."""


@dataclass(frozen=True, slots=True)
class Request:
    """What one line asks for; `where` is a room reference or alias, None for a direct message."""

    text: str
    who: str
    where: str | None = None
    limit: int = 8


def parse_line(line: str, default: Request) -> Request:
    """Plain text, or a JSON object with `text`, `as`, `in`, `limit`. Raises BotError naming what is wrong."""
    if _HALF.search(line):
        raise BotError("not UTF-8 text")
    if not line.lstrip().startswith("{"):
        return replace(default, text=line)
    try:
        given: dict[str, Any] = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BotError(f"not valid JSON: {error}; write plain text or an object with {', '.join(KEYS)}") from error
    unknown = sorted(set(given) - set(KEYS))
    if unknown or not isinstance(given.get("text"), str):
        wrong = f"unknown key {unknown[0]!r}" if unknown else "no 'text'"
        raise BotError(f"{wrong}; known: {', '.join(KEYS)}")
    limit = given.get("limit", default.limit)
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= 100:
        raise BotError(f"limit: {limit!r} is not a number from 1 to 100")
    for key in ("as", "in"):
        if not isinstance(given.get(key, ""), str | None):
            raise BotError(f"{key}: {given[key]!r} is not a reference or an alias")
    for key in ("text", "as", "in"):
        if _HALF.search(given.get(key) or ""):
            raise BotError(f"{key}: an escape (\\ud800 to \\udfff) is half a character; write the character")
    return Request(given["text"], given.get("as") or default.who, given.get("in") or default.where, limit)


def lines(stream: Iterable[str]) -> Iterator[str]:
    """The lines that ask something: blank ones are passed over. A byte that is not UTF-8 becomes half a character."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding="utf-8", errors="surrogateescape")
    return (line.rstrip("\r\n") for line in stream if line.strip())


async def message_of(
    request: Request, directory: Directory, files: tuple[Attachment, ...] = (), thread: str = ""
) -> Message:
    """The request as a chat platform would have delivered it. Raises ConfigError for unknown people and rooms.

    Without a `thread` it is in one of its own, so that nothing said before is remembered in it.
    """
    if not request.who:
        raise ConfigError("--as: who asks? name a person: --as slack-user:T0HOME/U0FIONA, or an alias of the directory")
    sender = await directory.person(request.who)
    if sender is None:
        raise ConfigError(
            f"--as: {request.who!r} is neither an alias nor a reference in the directory{_known(directory, 'people')}"
        )
    if request.where is None:
        room = Room(sender.platform, sender.tenant, f"D-{sender.id}", "direct")
    else:
        found = await directory.room(request.where)
        if found is None:
            raise ConfigError(
                f"--in: {request.where!r} is neither an alias nor a reference in the directory{_known(directory, 'rooms')}"
            )
        room = found
    number = uuid.uuid4().hex
    return Message(number, sender, room, request.text, thread or number, files)


def attachment(path: Path) -> Attachment:
    """A file given with `--file`. Raises ConfigError if it cannot be read."""
    try:
        return Attachment(path.name, path.read_bytes())
    except OSError as error:
        raise ConfigError(f"--file: {path}: {error.strerror}") from error


def _known(directory: Directory, what: str) -> str:
    listing = getattr(directory, what, None)
    return f"; known: {', '.join(sorted(listing()))}" if callable(listing) else ""
