"""What is too long, at the terminal: every tool refuses it, and says how much it can take."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.assistant import analyst, drafting, librarian, summarizing, supervisor, translating
from bot.assistant.engineer import codetext
from tests.conftest import ROLES, Ran, share, write_company

REQUESTS = {
    "search_documents": "What do the company documents say about when the canteen opens" + ", and on Sundays" * 1000,
    "summarize": "Summarize the attached file in three bullets",
    "translate": "Translate the attached file into German",
    "draft": "Draft a polite reply to the attached letter",
    "write_code": "Write a Python function that adds up the numbers in the attached file",
    "debug_code": "Find the bug in the attached Python script and fix it",
    "sentiment": "How positive or negative are the comments in the attached file?",
    "classify": "Sort the tickets in the attached file into billing, technical and praise",
}
LIMITS = {
    "search_documents": librarian.LIMIT,
    "summarize": summarizing.LIMIT,
    "translate": translating.LIMIT,
    "draft": drafting.LIMIT,
    "write_code": codetext.MOST,
    "debug_code": codetext.MOST,
    "sentiment": analyst.CHARACTERS,
    "classify": analyst.CHARACTERS,
}


def test_every_tool_names_its_limit(
    rolecall: Callable[..., Ran], tmp_path: Path, derived: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write_company(tmp_path)
    every = ROLES.replace("tools: [search_documents]", f"tools: [{', '.join(REQUESTS)}]")
    (tmp_path / "roles.yaml").write_text(every, encoding="utf-8")
    config.write_text(config.read_text(encoding="utf-8") + "sandbox: {tier: none}\n", encoding="utf-8")
    share(derived, tmp_path / ".rolecall")
    long = tmp_path / "long.txt"
    long.write_text("The gate has changed and nobody told us.\n" * 20_000, encoding="utf-8")
    lines = [*REQUESTS.values(), "Summarize: " + "The gate has changed. " * 3000]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines) + "\n"))
    *told, message = rolecall("--config", config, "ask", "-", "--as", "oskar", "--file", long).lines
    assert [one["tool"] for one in told] == list(REQUESTS)
    for one in told:
        assert f"{LIMITS[one['tool']]:,}" in one["text"], one
    assert f"{supervisor.LONGEST:,}" in message["text"]
