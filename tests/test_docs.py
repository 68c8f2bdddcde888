"""The pages in docs/ and the README can fail: what they name exists, what exists is named, what they show runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel
from typer.main import get_command

from bot.__main__ import make_app
from bot.access.schema import PolicyFile
from bot.settings import Secret, Settings
from tests.conftest import share

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
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


def test_every_shell_block_of_the_readme_runs(tmp_path: Path, derived: Path) -> None:
    share(derived, tmp_path / "acme" / ".rolecall")
    blocks = re.findall(r"```sh\n(.*?)```", README, re.S)
    assert blocks
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    script = "set -euo pipefail\n" + "\n".join(blocks)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-2000:]
