"""What each kind of person gets from the commands that act as one, on a synced company, through the real command line."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from bot.__main__ import make_app
from bot.access.audience import Audience
from bot.access.policy import Policy
from bot.types import Access
from tests.conftest import Ran
from tests.delivery.soak.loop import NO_MODEL
from tests.proof.kinds import (
    KINDS,
    NO_PLANNER,
    OWN,
    READS,
    ROLES,
    TOOLS_OF,
    check_page,
    members,
    rendered,
    told_of_tools,
    told_of_turn,
)

Run = Callable[..., Ran]
REVENUE = "What was the net revenue of Acme Ferries in 2025?"
MOOD = 'What is the mood of this message: "I love the new schedule, thank you!"'
HELP, FORGET = "What can you do?", "Forget this conversation."
ALIAS = {kind: kind.replace(" ", "-") for kind in KINDS}
DIRECTORY = """
people:
  finance: {id: slack-user:T0HOME/U0FIN, groups: [slack-group:S0FIN]}
  operations: {id: slack-user:T0HOME/U0OPS, groups: [slack-group:S0OPS]}
  both: {id: slack-user:T0HOME/U0BOTH, groups: [slack-group:S0FIN, slack-group:S0OPS]}
  no-role: {id: slack-user:T0HOME/U0NONE}
  admin: {id: slack-user:T0HOME/U0ADMIN}
  guest: {id: slack-user:T0HOME/U0GUEST, groups: [slack-group:S0FIN], kind: guest}
  external: {id: slack-user:T0HOME/U0EXT, groups: [slack-group:S0FIN], kind: external}
  deactivated: {id: slack-user:T0HOME/U0GONE, groups: [slack-group:S0FIN], active: false}
  bot: {id: slack-user:T0HOME/U0BOT, groups: [slack-group:S0FIN], kind: bot}
  unknown: {id: slack-user:T0OTHER/U0NEW, groups: [slack-group:S0FIN]}
rooms:
  all-hands: {id: slack:T0HOME/C0ALL, kind: public, members: [finance, operations]}
  finance: {id: slack:T0HOME/C0FIN, kind: private, members: [finance]}
"""
FILINGS = {kind: "company filings" if "filings" in READS[kind] else "company" for kind in READS}
"""What a question about revenue finds for each: nothing about it is in the maintenance manuals."""
LISTED = dict.fromkeys(READS, "company") | {"finance": "company filings", "both": "company filings"}
ALLOWED = {kind: "allowed" if "filings" in READS[kind] else "denied" for kind in READS}
EXPECTED = {
    "`ask`": members(FILINGS),
    "`ask --in` a public room": members("company"),
    "`ask --in` a listed room": members(LISTED),
    "`ask`, a tool of operations": members(
        {kind: "done" if "sentiment" in TOOLS_OF[kind] else NO_PLANNER for kind in READS}
    ),
    "`ask`, “What can you do?”": members(OWN),
    "`ask`, “Forget this conversation”": members("forgotten"),
    "`chat`": members(FILINGS),
    "`search`": members(FILINGS, "nothing"),
    "`policy explain`, a filing": members(ALLOWED, "denied"),
    "`policy who-can-read filings`": members(
        {kind: "named" if "filings" in READS[kind] else "not named" for kind in READS}, "not named"
    ),
}
"""Written down by hand, from docs/roles.md and docs/cli.md."""
NOBODYS = {
    "route": "chooses a tool by the words alone; it opens no document and runs nothing",
    "sync": "reads the sources and writes the index; it answers nobody",
    "policy check": "reads roles.yaml",
    "policy test": "asks in the name of the people in the file's own tests, and says only whether those hold",
    "policy diff": "compares two files",
    "eval retrieval": "measures on an index of its own",
    "eval answers": "measures on an index of its own",
    "eval code": "measures on programs of the file",
    "eval summaries": "measures on texts of the file",
    "demo": "asks in the name of the example company's people, on the example company",
    "serve": "acts for whoever the platforms prove",
    "doctor": "looks at the parts",
    "audit seal": "checks the audit, then writes the seal of its end",
    "audit verify": "reads the audit",
    "audit show": "reads the audit, in which nothing is of what was said",
    "backup": "reads the whole database",
    "restore": "writes the whole database",
    "erase": "deletes what somebody said",
}
"""Commands that act in nobody's name, and why there is nothing to grant."""


@pytest.fixture
def site(company: Path, tmp_path: Path) -> Path:
    """The synced company under another policy and with other people; what is quoted needs no model."""
    shutil.copytree(company.parent, tmp_path / "site", symlinks=True)
    config = tmp_path / "site" / "rolecall.yaml"
    config.write_text(config.read_text(encoding="utf-8") + NO_MODEL, encoding="utf-8")
    (config.parent / "roles.yaml").write_text(ROLES, encoding="utf-8")
    (config.parent / "directory.yaml").write_text(DIRECTORY, encoding="utf-8")
    return config


class Terminal:
    """Somebody at the shell, who may name anybody."""

    def __init__(self, rolecall: Run, config: Path, monkeypatch: pytest.MonkeyPatch):
        self._rolecall = rolecall
        self._config = config
        self._monkeypatch = monkeypatch

    def run(self, *arguments: str, lines: Iterable[str] = ()) -> Ran:
        self._monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        return self._rolecall("--config", self._config, *arguments)

    def ask(self, *requests: tuple[str, str | None]) -> list[Mapping[str, Mapping[str, Any]]]:
        """Each request in everybody's name, all in one process; the answers by kind."""
        lines = [
            json.dumps({"text": text, "as": ALIAS[kind], "in": where}) for text, where in requests for kind in KINDS
        ]
        answers = self.run("ask", "-", lines=lines).lines
        rows = [answers[start : start + len(KINDS)] for start in range(0, len(answers), len(KINDS))]
        return [dict(zip(KINDS, row, strict=True)) for row in rows]

    def audit(self) -> list[Mapping[str, Any]]:
        return self.run("audit", "show", "--limit", "1000", "--json").lines


def asked(terminal: Terminal) -> Mapping[str, Mapping[str, str]]:
    """The columns of `ask`, each cell by the audit's row of that very answer."""
    columns = [name for name in EXPECTED if name.startswith("`ask")]
    requests = [(REVENUE, None), (REVENUE, "all-hands"), (REVENUE, "finance"), (MOOD, None), (HELP, None)]
    answers = terminal.ask(*requests, (FORGET, None))
    rows = {row["answer"]: row for row in terminal.audit() if row["event"] != "begun" and not row["private"]}
    table = {}
    for column, by_kind in zip(columns, answers, strict=True):
        table[column] = {kind: told_of_turn([rows[answer["id"]]]) for kind, answer in by_kind.items()}
        if column.endswith("“What can you do?”"):
            table[column] |= {
                kind: told_of_tools(kind, by_kind[kind]["text"]) for kind in KINDS if not by_kind[kind]["refused"]
            }
    return table


def chatted(terminal: Terminal) -> Mapping[str, str]:
    """One interactive chat in which everybody asks in turn."""
    before = len(terminal.audit())
    lines = [line for kind in KINDS for line in (f"/as {ALIAS[kind]}", REVENUE)]
    assert terminal.run("chat", "--as", "finance", lines=[*lines, "/quit"]).code == 0
    rows = [row for row in terminal.audit()[:-before] if row["event"] != "begun"]
    return {kind: told_of_turn([row]) for kind, row in zip(KINDS, reversed(rows), strict=True)}


def searched(terminal: Terminal) -> Mapping[str, str]:
    lines = [json.dumps({"text": REVENUE, "as": ALIAS[kind]}) for kind in KINDS]
    found = terminal.run("search", "-", lines=lines).lines
    return {kind: _labels(one["passages"]) for kind, one in zip(KINDS, found, strict=True)}


def _labels(passages: Iterable[Mapping[str, Any]]) -> str:
    """The labels of the passages about revenue; a search returns the next best ones too."""
    carried = {label for one in passages if "revenue" in one["text"] for label in one["labels"]}
    return " ".join(sorted(carried)) or "nothing"


def explained(terminal: Terminal) -> Mapping[str, str]:
    told = {kind: terminal.run("policy", "explain", ALIAS[kind], "report.md", "--json").json for kind in KINDS}
    return {kind: "allowed" if one["allowed"] else "denied" for kind, one in told.items()}


def named(terminal: Terminal) -> Mapping[str, str]:
    entries = terminal.run("policy", "who-can-read", "filings", "--json").json["who"]
    may = {entry["name"] for entry in entries if entry["allowed"] and entry["kind"] == "person"}
    return {kind: "named" if ALIAS[kind] in may else "not named" for kind in KINDS}


def test_what_each_kind_of_person_gets_at_the_command_line(
    rolecall: Run, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal(rolecall, site, monkeypatch)
    table = {
        **asked(terminal),
        "`chat`": chatted(terminal),
        "`search`": searched(terminal),
        "`policy explain`, a filing": explained(terminal),
        "`policy who-can-read filings`": named(terminal),
    }
    assert table == EXPECTED
    check_page("command line", rendered(table))


def test_a_search_without_the_readers_labels_is_missed(
    rolecall: Run, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def everything(*_: object) -> Access:
        return Access(frozenset({frozenset({"company", "filings", "maintenance"})}))

    monkeypatch.setattr(Audience, "access", everything)
    assert searched(Terminal(rolecall, site, monkeypatch)) != EXPECTED["`search`"]


def test_an_explanation_that_takes_an_outsider_for_a_member_is_missed(
    rolecall: Run, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Policy, "outsider", lambda *_: "")
    terminal = Terminal(rolecall, site, monkeypatch)
    assert explained(terminal) != EXPECTED["`policy explain`, a filing"]
    assert named(terminal) != EXPECTED["`policy who-can-read filings`"]


def test_who_is_in_no_directory_gets_nothing_but_the_choices(rolecall: Run, site: Path) -> None:
    for command in ("ask", "search", "chat"):
        text = [] if command == "chat" else [REVENUE]
        ran = rolecall("--config", site, command, *text, "--as", "slack-user:T0HOME/U0NOBODY")
        assert (ran.code, ran.out) == (2, "")
        assert "finance" in ran.err


def test_every_command_is_in_the_table_or_says_why_not() -> None:
    acting = {found for name in EXPECTED for found in re.findall("^`((?:policy )?[a-z-]+)", name)}
    assert set(_commands()) == acting | set(NOBODYS)
    check_page("commands of nobody", ["| command | acts in nobody's name |", "|---|---|", *_reasons()])


def _reasons() -> list[str]:
    return [f"| `{name}` | {why} |" for name, why in NOBODYS.items()]


def _commands() -> list[str]:
    def walk(prefix: str, command: Any) -> list[str]:
        inner = getattr(command, "commands", None)
        if inner is None:
            return [prefix]
        return [name for key, one in inner.items() for name in walk(f"{prefix} {key}".strip(), one)]

    return walk("", get_command(make_app()))
