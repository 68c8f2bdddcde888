"""How long, in what form and in which tone: as people ask for it, in English and Japanese."""

from __future__ import annotations

import pytest

from bot.assistant.wishes import MOST, Wish, wish


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ("three bullets", Wish(points=3, bullets=True)),
        ("5つにまとめて", Wish(points=5, bullets=True)),
        ("箇条書きで", Wish(bullets=True)),
        ("in one sentence", Wish(points=1)),
        ("三文で", Wish(points=3)),
        ("一言で言うと", Wish(points=1)),
        ("in 50 words", Wish(words=50)),
        ("100字以内", Wish(characters=100)),
        ("shorter, and friendlier", Wish(shorter=True, tone="friendly")),
        ("丁寧に", Wish(tone="formal")),
        ("a firm reminder", Wish(tone="firm")),
        ("a two-sentence summary", Wish(points=2)),
        ("a 50-word summary", Wish(words=50)),
        ("in 500 bullets", Wish(points=MOST, bullets=True)),
        ("What happened on 3 May?", Wish()),
    ],
)
def test_a_wish(request_: str, expected: Wish) -> None:
    assert wish(request_) == expected
