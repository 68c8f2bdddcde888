"""Runs SQL against an empty SQLite database and prints result rows as tables. A program inside the sandbox."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

ROWS = 200
"""Rows of one result that are printed."""
WIDTH = 60
"""Characters of one value that are printed."""


def main() -> int:
    """Run main.sql statement by statement; at the first fault name its line and end with 1."""
    database = sqlite3.connect(":memory:", isolation_level=None)
    for line, statement in statements(Path("main.sql").read_text(encoding="utf-8")):
        try:
            found = database.execute(statement)
            if found.description:
                show([column[0] for column in found.description], found)
        except (sqlite3.Error, sqlite3.Warning) as error:
            print(f"main.sql, line {line}: {error}", file=sys.stderr)  # noqa: T201
            return 1
    return 0


def statements(text: str) -> Iterator[tuple[int, str]]:
    """Each statement with the number of the line on which it begins."""
    statement, line = "", 1
    for number, piece in pieces(text):
        if not statement.strip():
            statement, line = "", number
        statement += piece
        if sqlite3.complete_statement(statement):
            yield line, statement
            statement = ""
    if statement.strip():
        yield line, statement


def pieces(text: str) -> Iterator[tuple[int, str]]:
    """The text cut after every semicolon; SQLite says which of them end a statement."""
    number = 1
    for piece in text.replace(";", ";\0").split("\0"):
        blank = len(piece) - len(piece.lstrip())
        yield number + piece[:blank].count("\n"), piece
        number += piece.count("\n")


def show(names: list[str], found: sqlite3.Cursor) -> None:
    """Print a result as a table with aligned columns, and how many rows there are."""
    rows = [[cell(value) for value in row] for row in found.fetchmany(ROWS)]
    more = sum(1 for _ in found)
    widths = [max(len(row[place]) for row in [names, *rows]) for place in range(len(names))]
    for row in [names, ["-" * width for width in widths], *rows]:
        print(" | ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip())  # noqa: T201
    count = len(rows) + more
    note = f", the first {ROWS} shown" if more else ""
    print(f"({count} row{'' if count == 1 else 's'}{note})")  # noqa: T201


def cell(value: object) -> str:
    """One value on one line."""
    if value is None:
        return "NULL"
    text = " ".join(f"<{len(value)} bytes>".split()) if isinstance(value, bytes) else " ".join(str(value).split())
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 3]}..."


if __name__ == "__main__":
    sys.exit(main())
