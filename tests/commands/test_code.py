"""The code tools through the whole pipeline, from the command line: granted by role, and honest about what ran."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.assistant.codewords import ENGLISH
from bot.types import Attachment
from connectors.chat.outbox import save
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


def test_files_of_an_answer_are_listed_and_written_without_overwriting(
    rolecall: Run, desk: Path, tmp_path: Path
) -> None:
    desk.write_text(desk.read_text() + "sandbox: {tier: none}\n", encoding="utf-8")
    linked = FAULTY.replace("price * 2", "price * 2  # www.acme.example/fares")
    ask, out = ["--config", desk, "ask", linked, "--as", "fiona"], tmp_path / "new" / "out"
    listed = rolecall(*ask).out
    assert "code-changed.py" in listed
    assert "text/x-python, " in listed
    assert "--out" in listed
    assert not out.exists()
    [file] = rolecall(*ask, "--json", "--out", out).json["files"]
    written = out / "code-changed.py"
    assert file == {
        "name": "code-changed.py",
        "media_type": "text/x-python",
        "bytes": written.stat().st_size,
        "path": str(written),
    }
    assert "www.acme.example/fares" in written.read_text(encoding="utf-8")
    written.write_text("mine", encoding="utf-8")
    assert "code-changed-2.py" in rolecall(*ask, "--out", out).out.replace("\n", "")
    assert written.read_text(encoding="utf-8") == "mine"
    refused = rolecall(*ask, "--out", written)
    assert refused.code == 2
    assert f"--out: {written}" in refused.err.replace("\n", "")


@pytest.mark.parametrize(
    ("name", "lands"),
    [("../../up.csv", "up.csv"), ("C:\\x\\t.csv", "t.csv"), (".bashrc", "bashrc"), ("..", "file"), ("a/", "a")],
)
def test_a_files_name_cannot_leave_the_folder(tmp_path: Path, name: str, lands: str) -> None:
    assert save([Attachment(name, b"x")], tmp_path / "out") == [tmp_path / "out" / lands]


def test_measuring_needs_somewhere_to_run(rolecall: Run, desk: Path) -> None:
    desk.write_text(desk.read_text() + "sandbox: {tier: none}\n", encoding="utf-8")
    tasks = Path(__file__).parents[2] / "examples" / "code" / "repair.jsonl"
    ran = rolecall("--config", desk, "eval", "code", tasks, "--json")
    assert ran.code == 1
    assert "sandbox" in ran.err
