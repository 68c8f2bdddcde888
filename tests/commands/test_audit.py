"""`rolecall audit` after real answers: what it shows, and what it finds."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.chain import BORN
from tests.conftest import Ran, share, write_company

Command = Callable[..., Ran]
QUESTION = "How high were the lease liabilities at the end of 2025?"


@pytest.fixture(scope="module")
def config(company: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the small company, with a key for its audit."""
    folder = tmp_path_factory.mktemp("audit") / "acme"
    shutil.copytree(company.parent, folder, symlinks=True)
    with contextlib.closing(sqlite3.connect(folder / ".rolecall" / "rolecall.db")) as database, database:
        database.execute("DELETE FROM audit")  # what other tests asked before, without a key
        database.execute("UPDATE audit_head SET number = 0, hash = '', seal = ?", [BORN.seal])
    (folder / "key").write_text("a long secret", encoding="utf-8")
    settings = folder / company.name
    settings.write_text(settings.read_text() + f"audit: {{key: {{file: {folder / 'key'}}}}}\n", encoding="utf-8")
    return settings


def test_each_answer_leaves_a_row_that_says_who_where_and_from_what_and_nothing_that_was_said(
    rolecall: Command, config: Path
) -> None:
    answers = [
        rolecall("--config", config, "ask", QUESTION, "--as", who, *more, "--json").json
        for who, *more in (("fiona",), ("oskar",), ("fiona", "--in", "all-hands"), ("gus",))
    ]
    verified = rolecall("--config", config, "audit", "verify", "--json").json
    assert verified["ok"]
    assert rolecall("--config", config, "audit", "verify", "--at-least", verified["last"]).code == 0
    assert f"last row: {verified['last']}" in rolecall("--config", config, "audit", "verify").out
    other = f"{verified['rows'] + 1}:{verified['last'].partition(':')[2]}"
    put_back = rolecall("--config", config, "audit", "verify", "--at-least", other)
    assert put_back.code == 1
    assert "is not the one that was noted" in put_back.out
    assert rolecall("--config", config, "audit", "verify", "--at-least", "7").code == 2
    assert rolecall("--config", config, "audit", "seal").code == 0
    shown = rolecall("--config", config, "audit", "show", "--json")
    rows = {row["answer"]: row for row in shown.lines if not row["private"] and row["event"] != "begun"}
    first, second, third, fourth = (rows[answer["id"]] for answer in answers)
    assert (first["event"], first["person"], first["tool"]) == (
        "answered",
        "slack-user:T0HOME/U0FIONA",
        "search_documents",
    )
    assert ["acme/filings/report.md", ["filings"]] in first["documents"]
    assert any("filings" in reader for reader in first["readers"])
    assert (second["event"], second["documents"]) == ("answered", [])
    assert third["room"] == "slack:T0HOME/C0ALL"
    assert (fourth["event"], fourth["layer"], fourth["reason"]) == ("refused", "policy", "no-access")
    assert "12.7 million" not in shown.out
    assert "lease" not in shown.out.lower()
    (private,) = [row for row in shown.lines if row["private"]]
    assert private["answer"] == answers[2]["id"]
    table = rolecall("--config", config, "audit", "show", "--person", "slack-user:T0HOME/U0OSKAR")
    assert "U0OSKAR" in table.out
    assert "U0FIONA" not in table.out
    assert (
        len(rolecall("--config", config, "audit", "show", "--answer", answers[0]["id"], "--limit", "1", "--json").lines)
        == 1
    )


CUT = {
    "the last row": "DELETE FROM audit WHERE number = (SELECT max(number) FROM audit)",
    "the last row, with care": (
        "DELETE FROM audit WHERE number = (SELECT max(number) FROM audit); UPDATE audit_head "
        "SET number = number - 1, hash = (SELECT hash FROM audit WHERE number = audit_head.number - 1), seal = ''"
    ),
    "every row": "DELETE FROM audit",
    "every row, with care": "DELETE FROM audit; UPDATE audit_head SET number = 0, hash = '', seal = ''",
}


@pytest.mark.parametrize("keyed", [False, True], ids=["hash", "hmac"])
def test_a_fresh_installation_verifies_before_and_after_its_first_answer_and_a_cut_one_does_not(
    rolecall: Command, tmp_path: Path, derived: Path, keyed: bool
) -> None:
    config = write_company(tmp_path)
    share(derived, tmp_path / ".rolecall")
    if keyed:
        (tmp_path / "key").write_text("a long secret", encoding="utf-8")
        config.write_text(config.read_text() + f"audit: {{key: {{file: {tmp_path / 'key'}}}}}\n", encoding="utf-8")
    fresh = rolecall("--config", config, "audit", "verify")
    assert (fresh.code, fresh.out) == (0, "no row yet: nothing was answered\nlast row: 0:\n")
    assert rolecall("--config", config, "audit", "verify", "--at-least", "0:", "--json").json["ok"]
    for _ in range(2):
        rolecall("--config", config, "ask", "thanks", "--as", "oskar", "--json")
    whole = rolecall("--config", config, "audit", "verify", "--json").json
    assert (whole["ok"], whole["rows"] >= 2) == (True, True)
    assert rolecall("--config", config, "audit", "verify", "--at-least", "0:").code == 0
    path = tmp_path / ".rolecall" / "rolecall.db"
    content = path.read_bytes()
    for statements in CUT.values():
        path.write_bytes(content)
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.executescript(statements)
        assert rolecall("--config", config, "audit", "verify").code == 1, statements
    assert rolecall("--config", config, "audit", "seal").code == 0, "the word of an admin who has looked"
    assert rolecall("--config", config, "audit", "verify").code == 0


def test_a_row_that_was_edited_is_named(rolecall: Command, config: Path) -> None:
    rolecall("--config", config, "ask", QUESTION, "--as", "oskar", "--json")
    database = sqlite3.connect(config.parent / ".rolecall" / "rolecall.db")
    with database:
        database.execute("UPDATE audit SET entry = replace(entry, 'U0', 'U9') WHERE number = 1")
    database.close()
    ran = rolecall("--config", config, "audit", "verify", "--json")
    assert ran.code == 1
    told = json.loads(ran.out)
    assert not told["ok"]
    assert told["problem"].startswith("row 1 was changed")
    assert "broken: row 1" in rolecall("--config", config, "audit", "verify").out
