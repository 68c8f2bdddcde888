"""Teams passes the dialogs that every chat platform passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chat.dialogs import DIALOGS, Dialog
from tests.chat.faketeams.stage import copied, open_stage


@pytest.mark.parametrize("dialog", DIALOGS, ids=lambda one: one.__name__)
async def test_teams(dialog: Dialog, migrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAMS_PASSWORD", "right")
    async with open_stage(copied(migrated, tmp_path)) as stage:
        await dialog(stage, stage.world)
