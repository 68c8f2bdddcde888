"""Question sets in BEIR form: documents, questions, and which document answers which question. Reads; measures nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.errors import ConfigError
from bot.evaluation.jsonl import lines, objects

ROW = "_id and text"
_QRELS = ("qrels.tsv", "qrels/test.tsv", "qrels/dev.tsv")


@dataclass(frozen=True, slots=True)
class Text:
    """A document of the corpus."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """A corpus, questions by id, and for each question the gain (over 0) of each document that answers it."""

    corpus: tuple[Text, ...]
    questions: Mapping[str, str]
    gains: Mapping[str, Mapping[str, float]]


def read_set(folder: Path) -> QuestionSet:
    """Read `corpus.jsonl`, `queries.jsonl` and `qrels.tsv`. Raises ConfigError naming file and line."""
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder; name one with corpus.jsonl, queries.jsonl and qrels.tsv")
    corpus = read_corpus(folder)
    questions = {
        _field(row, "_id", where): _field(row, "text", where) for where, row in objects(folder / "queries.jsonl", ROW)
    }
    found = next((folder / name for name in _QRELS if (folder / name).is_file()), folder / _QRELS[0])
    gains = _gains(found, questions, {text.id for text in corpus})
    if not gains:
        raise ConfigError(f"{found}: judges none of the questions; it needs lines `question-id<tab>document-id<tab>1`")
    return QuestionSet(corpus, questions, gains)


def read_corpus(folder: Path) -> tuple[Text, ...]:
    """Read the documents of a set. Raises ConfigError naming file and line."""
    return tuple(
        Text(_field(row, "_id", where), str(row.get("title") or ""), _field(row, "text", where))
        for where, row in objects(folder / "corpus.jsonl", ROW)
    )


def _gains(path: Path, questions: Mapping[str, str], documents: set[str]) -> dict[str, dict[str, float]]:
    gains: dict[str, dict[str, float]] = {}
    for number, line in enumerate(lines(path), 1):
        cells = line.split("\t") if "\t" in line else line.split()
        if not line.strip() or (number == 1 and not _number(cells[-1])):
            continue
        where = f"{path}:{number}"
        if len(cells) not in (3, 4) or not _number(cells[-1]):
            raise ConfigError(f"{where}: expected question id, document id and gain, separated by tabs: {line[:60]!r}")
        question, document, gain = cells[0], cells[-2], float(cells[-1])
        if question not in questions:
            raise ConfigError(f"{where}: question {question!r} is not in queries.jsonl")
        if document not in documents:
            raise ConfigError(f"{where}: document {document!r} is not in corpus.jsonl")
        if gain > 0:
            gains.setdefault(question, {})[document] = gain
    return gains


def _field(row: Mapping[str, Any], key: str, where: str) -> str:
    value = row.get(key)
    if not isinstance(value, (str, int)):
        raise ConfigError(f"{where}: {key}: missing or not text")
    return str(value)


def _number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
