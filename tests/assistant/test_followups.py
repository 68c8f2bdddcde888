"""Which questions lean on the one before, and which stand alone."""

from __future__ import annotations

import pytest

from bot.assistant.followups import follows


@pytest.mark.parametrize(
    ("said", "leans"),
    [
        ("and who approves it?", True),
        ("IS IT PAID?", True),
        ("Summarize the IT security handbook", False),
        ("Who is in IT?", False),
        ("as CSV, please", True),
        ("and as a table", True),
        ("CSVで", True),
        ("As a purser, may I take a hotel?", False),
    ],
)
def test_what_leans_on_the_question_before(said: str, leans: bool) -> None:
    assert follows(said) is leans
