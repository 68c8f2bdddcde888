"""Which questions lean on the one before, and which stand alone."""

from __future__ import annotations

import pytest

from bot.assistant.followups import follows, instead


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


@pytest.mark.parametrize(
    ("said", "other"),
    [
        ("and in the UK?", "the UK"),
        ("What about part-time employees?", "part-time employees"),
        ("and for Germany", "Germany"),
        ("海外は？", "海外"),
        ("部長の場合は？", "部長"),
        ("and who approves it?", ""),
        ("and then?", ""),
        ("それは？", ""),
        ("いつは？", ""),
        ("What is the limit?", ""),
    ],
)
def test_what_the_same_is_asked_of(said: str, other: str) -> None:
    assert instead(said) == other
