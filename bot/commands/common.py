"""What every command shares: where the configuration is, JSON out, and errors with the right exit code."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Coroutine, Mapping
from dataclasses import asdict, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
AsOption = Annotated[
    str, typer.Option("--as", help="Who asks: a reference (slack-user:T0HOME/U0FIONA) or a name from the directory.")
]
InOption = Annotated[
    str | None, typer.Option("--in", help="The room it is asked in: a reference or a name from the directory.")
]

T = TypeVar("T")

_HALF = re.compile(r"[\ud800-\udfff]")

console = Console()
errors = Console(stderr=True)


def config_path(context: typer.Context) -> Path:
    """The rolecall.yaml that the `--config` option named."""
    found = context.find_root().obj
    return found if isinstance(found, Path) else Path("rolecall.yaml")


def show_json(value: Mapping[str, Any]) -> None:
    """Print one JSON object on one line, flushed, so that a reading program sees it at once. Half a character is escaped."""
    text = json.dumps(value, ensure_ascii=False, default=_plain)
    sys.stdout.write(_HALF.sub(lambda half: f"\\u{ord(half[0]):04x}", text) + "\n")
    sys.stdout.flush()


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine to its end."""
    return asyncio.run(work)


def _plain(value: object) -> object:
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, (Path, datetime)):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} does not go into JSON")
