"""Slack passes the dialogs that every chat platform passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chat.dialogs import DIALOGS, Dialog
from tests.chat.slack_stage import open_stage


@pytest.mark.parametrize("dialog", DIALOGS, ids=lambda dialog: dialog.__name__)
async def test_slack(dialog: Dialog, tmp_path: Path) -> None:
    async with open_stage(tmp_path) as stage:
        await dialog(stage, stage.world)


@pytest.mark.parametrize("dialog", DIALOGS, ids=lambda dialog: dialog.__name__)
async def test_slack_where_nothing_can_be_streamed(dialog: Dialog, tmp_path: Path) -> None:
    async with open_stage(tmp_path) as stage:
        stage.slack.api.lacks = {"chat.startStream", "assistant.threads.setStatus", "agents.sessions.setStatus"}
        await dialog(stage, stage.world)
