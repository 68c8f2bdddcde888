"""The code tools through the whole pipeline, from the command line: granted by role, and honest about what ran."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.assistant.codewords import ENGLISH
from tests.conftest import ROLES, Ran, share, write_company

Run = Callable[..., Ran]
FAULTY = "Please fix this code:\n```python\ndef fare(price)\n    return price * 2\n```"


@pytest.fixture
def desk(tmp_path: Path, derived: Path) -> Path:
    """A company in which finance may have code debugged."""
    config = write_company(tmp_path)
    granted = ROLES.replace("read: [filings]}", "read: [filings], tools: [debug_code]}")
    (tmp_path / "roles.yaml").write_text(granted, encoding="utf-8")
    share(derived, tmp_path / ".rolecall")
    return config


def test_code_is_debugged_for_those_who_may_and_without_a_sandbox_nothing_is_said_to_have_run(
    rolecall: Run, desk: Path
) -> None:
    desk.write_text(desk.read_text() + "sandbox: {tier: none}\n", encoding="utf-8")
    answer = rolecall("--config", desk, "ask", FAULTY, "--as", "fiona", "--json").json
    assert answer["tool"] == "debug_code"
    assert "+def fare(price):" in answer["text"]
    assert ENGLISH.no_sandbox in answer["text"]
    refused = rolecall("--config", desk, "ask", FAULTY, "--as", "oskar", "--json").json
    assert refused["refused"] == "not-granted"
    assert "fare" not in refused["text"]


def test_measuring_needs_somewhere_to_run(rolecall: Run, desk: Path) -> None:
    desk.write_text(desk.read_text() + "sandbox: {tier: none}\n", encoding="utf-8")
    tasks = Path(__file__).parents[2] / "examples" / "code" / "repair.jsonl"
    ran = rolecall("--config", desk, "eval", "code", tasks, "--json")
    assert ran.code == 1
    assert "sandbox" in ran.err
