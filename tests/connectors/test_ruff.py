"""The linter reads code, in a process of its own, and runs nothing of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import BotError
from connectors.ruff import Ruff


async def test_findings_name_line_and_rule() -> None:
    found = await Ruff().check("import os\n\n\ndef f():\n    return y\n")
    assert [(one.line, one.code) for one in found] == [(1, "F401"), (5, "F821")]
    assert "Undefined name `y`" in found[1].message


async def test_what_cannot_be_read_is_a_finding() -> None:
    assert (await Ruff().check("def f(:\n"))[0].code == "invalid-syntax"


async def test_nothing_of_the_code_runs(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    assert await Ruff().check(f"open({str(mark)!r}, 'w')\n") == ()
    assert not mark.exists()


@pytest.mark.parametrize("code", ["-" * 20_000 + "1", "x" + ".y" * 9_000])
async def test_code_that_brings_it_down_harms_nobody(code: str) -> None:
    with pytest.raises(BotError, match="beyond what it can read"):
        await Ruff().check(code)


@pytest.mark.parametrize("code", ["(" * 20_000, "\0", "\ud800"])
async def test_code_that_is_no_code_is_a_finding(code: str) -> None:
    assert (await Ruff().check(code))[0].code == "invalid-syntax"


async def test_a_linter_that_takes_too_long_is_stopped() -> None:
    with pytest.raises(BotError, match="in time"):
        await Ruff(patience=0.0).check("x = 1\n")
