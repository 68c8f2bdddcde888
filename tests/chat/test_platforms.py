"""The table of the platforms is what the dialogs and their stages say."""

from __future__ import annotations

from pathlib import Path

from tests.chat.faketeams.stage import TeamsStage
from tests.chat.platforms import LACKS, page
from tests.chat.slack_stage import SlackStage

PAGE = Path(__file__).parents[2] / "docs" / "platforms.md"


def test_the_page_is_made_from_the_dialogs() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_what_a_stage_lacks_is_said() -> None:
    assert set(LACKS) >= TeamsStage.lacks | SlackStage.lacks
