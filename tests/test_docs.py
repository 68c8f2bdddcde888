"""The pages in docs/ and the README can fail: what they name exists, what exists is named, what they show runs."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel
from typer.main import get_command

from bot.__main__ import main, make_app
from bot.access.schema import PolicyFile
from bot.assistant.words import ENGLISH
from bot.settings import (
    AnswerSettings,
    AuditSettings,
    DoorSettings,
    EmbeddingSettings,
    FilesSource,
    IndexSettings,
    ModelSettings,
    MonitoringSettings,
    SandboxSettings,
    Secret,
    ServeSettings,
    Settings,
    SlackOAuthSettings,
    SlackSettings,
    TeamsSettings,
    WebhookSettings,
)
from tests.conftest import share

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = re.findall(r"```sh\n(.*?)```", README, re.S)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "examples").glob("*/README.md"))]


def keys(model: type[BaseModel]) -> set[str]:
    """Every key that a settings file may hold, at any depth."""
    found: set[str] = set()
    for name, field in model.model_fields.items():
        found.add(field.alias or name)
        for nested in models_in(field.annotation):
            found |= keys(nested)
    return found


def models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in models_in(part)]


def commands() -> dict[str, object]:
    """Every command of the command line, by its full name."""
    found: dict[str, object] = {}

    def walk(prefix: str, command: object) -> None:
        nested = getattr(command, "commands", None)
        if nested is None:
            found[prefix] = command
        for name, inner in (nested or {}).items():
            walk(f"{prefix} {name}".strip(), inner)

    walk("", get_command(make_app()))
    return found


@pytest.mark.parametrize("key", sorted(keys(Settings)))
def test_every_setting_is_described(key: str) -> None:
    assert f"`{key}`" in (ROOT / "docs/settings.md").read_text(encoding="utf-8")


def secrets(model: type[BaseModel], above: str = "") -> set[str]:
    """Every setting that names a secret, by its whole name; not the one before it, which is part of changing it."""
    found: set[str] = set()
    for name, field in model.model_fields.items():
        for nested in models_in(field.annotation):
            found |= {f"{above}{name}"} if nested is Secret else secrets(nested, f"{above}{name}.")
    return {name for name in found if not name.rpartition(".")[2].startswith("old_")}


def test_every_secret_has_a_row_that_says_how_it_is_changed() -> None:
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z_.]+)`", page.partition("## Changing secrets")[2], re.M)
    assert set(rows) == secrets(Settings)
    named = re.findall(r"`(old_\w+)`", page)
    assert {name for name in keys(Settings) if name.startswith("old_")} == set(named)


@pytest.mark.parametrize("key", sorted(keys(PolicyFile)))
def test_every_key_of_roles_yaml_is_described(key: str) -> None:
    assert f"`{key}`" in (ROOT / "docs/roles.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_is_described_and_its_help_has_an_example(name: str) -> None:
    assert f"`{name}" in (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    assert "Example: rolecall" in " ".join((getattr(commands()[name], "help", "") or "").split())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_tool_is_named() -> None:
    for tool in [
        "search_documents",
        "write_code",
        "debug_code",
        "summarize",
        "translate",
        "draft",
        "sentiment",
        "classify",
    ]:
        assert f"`{tool}`" in (ROOT / "docs/roles.md").read_text(encoding="utf-8")


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) < 300


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, derived: Path) -> dict[str, str]:
    """What each `rolecall` line of the README prints, by line, when its shell blocks are typed from top to bottom.

    Everything up to the first one runs in a shell, as it stands there; those after it run in this process, which need not
    load the models for each anew.
    """
    folder = tmp_path_factory.mktemp("readme")
    share(derived, folder / "acme" / ".rolecall")
    printed: dict[str, str] = {}
    for part in re.findall(r"(?:^(?!rolecall ).*\n)+|^rolecall .*\n", "".join(SHELL), re.M):
        line = part.strip()
        if not line.startswith("rolecall "):
            shell(part, folder)
        else:
            printed[line] = (in_process if printed else shell)(line, folder)
    return printed


def shell(script: str, folder: Path) -> str:
    """What a script prints, run as somebody would who has typed the README's `export PATH` already."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", f"set -euo pipefail\n{script}"],
        cwd=folder,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def in_process(line: str, folder: Path) -> str:
    """What one `rolecall` line prints, with its words split as a shell does."""
    printed = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(printed), pytest.raises(SystemExit) as left:
        main(shlex.split(line)[1:])
    assert not left.value.code, line
    return printed.getvalue()


def of(told: dict[str, str], *words: str) -> str:
    """What was printed by the one line that ends so, as words: no borders, no line ends."""
    [printed] = [text for line, text in told.items() if line.endswith(" ".join(words))]
    return " ".join(re.sub(r"[─│╭╮╰╯]", " ", printed).split())


def test_in_the_readme_ann_gets_the_sentence_and_its_source(told: dict[str, str]) -> None:
    answer = of(told, "--as ann")
    assert "Acme owes 4.2 million dollars to Harbour Bank" in answer
    assert re.search(r"\[1\] .*acme/finance/loans.md", answer)


def test_in_the_readme_bob_gets_the_words_of_a_question_about_nothing(told: dict[str, str]) -> None:
    assert of(told, "--as bob") == ENGLISH.not_found


def test_in_the_readme_the_lobby_hears_nothing_and_ann_alone_the_answer(told: dict[str, str]) -> None:
    room, alone = of(told, "--as ann", "--in lobby").split("only ann sees this")
    assert room.strip() == ENGLISH.not_found
    assert "4.2 million dollars" in alone


def test_in_the_readme_the_policy_says_why_with_its_line(told: dict[str, str]) -> None:
    roles = re.search(r"cat > acme/roles.yaml <<END\n(.*?)^END", README, re.S | re.M)
    assert roles
    why = of(told, "policy explain bob loans.md")
    [number] = set(re.findall(r"roles\.yaml:(\d+)", why))
    assert why.startswith("DENIED")
    assert "finance: {members: [slack-group:S0FIN], read: [finance]" in roles[1].splitlines()[int(number) - 1]


def test_in_the_readme_the_policy_is_sound_and_sync_takes_both_documents(told: dict[str, str]) -> None:
    assert "2 roles, 2 labels" in of(told, "policy check")
    assert "2 added" in of(told, "sync")


TABLES: list[type[BaseModel]] = [
    Settings,
    IndexSettings,
    ModelSettings,
    EmbeddingSettings,
    FilesSource,
    AnswerSettings,
    SlackSettings,
    SlackOAuthSettings,
    WebhookSettings,
    TeamsSettings,
    ServeSettings,
    AuditSettings,
    MonitoringSettings,
    SandboxSettings,
]
"""What the tables of docs/settings.md describe, in their order."""
IN_WORDS: dict[tuple[type[BaseModel], str], tuple[str, object]] = {
    (Settings, "database"): ("SQLite in `data`", None),
    (Settings, "index"): ("Edge in `data`", IndexSettings(engine="edge")),
    (Settings, "model"): ("embedded", ModelSettings(name="embedded")),
    (Settings, "embeddings"): ("embedded", EmbeddingSettings(name="embedded")),
    (Settings, "doors"): ("none", DoorSettings(slack=None, teams=None, webhook=None)),
    (TeamsSettings, "app_id"): ("required", ""),  # except with `development`, as its line says
}
"""Defaults that the page says in words of its own, with what the words mean."""


def default_of(model: type[BaseModel], name: str) -> str:
    """The default of a setting as its cell in the table has it."""
    default = model.model_fields[name].default
    if (model, name) in IN_WORDS:
        words, meant = IN_WORDS[model, name]
        return words if default == meant else repr(default)
    match default:
        case _ if model.model_fields[name].is_required():
            return "required"
        case None | []:
            return "none"
        case bool() | int():
            return str(default).lower()
        case BaseModel():
            return "see below"
        case _:
            return f"`{default}`"


def test_each_default_is_the_one_that_the_settings_page_says() -> None:
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    tables = re.findall(r"^\| key.*\n\|[-|]+\n((?:\|.*\n)+)", page, re.M)
    for model, table in zip(TABLES, tables, strict=False):
        said = dict(re.findall(r"^\| (.*?) \| (.*?) \|", table, re.M))
        assert said == {f"`{name}`": default_of(model, name) for name in model.model_fields}, model.__name__
    assert len(tables) == len(TABLES) + 1  # the last one is directory.yaml's
