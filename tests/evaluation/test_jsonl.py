"""Every set of JSON lines is read alike: by line feeds, as UTF-8, with the place of what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.errors import ConfigError
from bot.evaluation.answers import read_questions
from bot.evaluation.beir import read_corpus
from bot.evaluation.code import read_tasks
from bot.evaluation.summaries import read_items

BREAKS = "one\u2028two\u2029three\x85four\x1cfive"
SETS: dict[str, tuple[dict[str, str], Callable[[Path], Any]]] = {
    "answers": ({"question": BREAKS}, read_questions),
    "code": ({"id": "1", "code": BREAKS, "test": "assert True"}, read_tasks),
    "summaries": ({"text": BREAKS, "summary": "one"}, read_items),
    "retrieval": ({"_id": "1", "text": BREAKS}, lambda path: read_corpus(path.parent)),
}


@pytest.mark.parametrize("kind", SETS)
def test_only_a_line_feed_ends_a_line(tmp_path: Path, kind: str) -> None:
    row, read = SETS[kind]
    path = tmp_path / "corpus.jsonl"
    path.write_text("\ufeff" + f"{json.dumps(row, ensure_ascii=False)}\r\n\n" * 2, encoding="utf-8", newline="")
    found = read(path)
    assert len(found) == 2
    assert "u2028two" in repr(found[0])


@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"question": "Wo liegt Köln?"}'.encode("latin-1"), "corpus.jsonl: not UTF-8 at byte 24; save it as UTF-8"),
        (b"{}\n{oops", "corpus.jsonl:"),
        (b"[1]", "corpus.jsonl:1: needs an object with"),
        (b"[" * 100_000, "corpus.jsonl:1: not valid JSON"),
        (None, "corpus.jsonl: No such file"),
    ],
    ids=["latin-1", "broken", "list", "deep", "missing"],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, kind: str, content: bytes | None, said: str) -> None:
    path = tmp_path / "corpus.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        SETS[kind][1](path)
