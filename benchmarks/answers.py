"""Quoting beside composing: the same model, index and questions, through `rolecall eval answers`.

The set is a folder in BEIR form whose queries bear `answers`. Questions that have an answer are asked over the whole set.
For those that have none, the articles are cut in two: questions about one half are asked over the documents of the other.
Run: make bench-answers DATA=FOLDER
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

ANSWERABLE, UNANSWERABLE = 200, 50
STYLES = ("quote", "compose")
ROWS = {
    "gold_in_reply": "known answer in the reply",
    "not_found_when_answerable": '"not found" where the answer is there',
    "sentences_per_reply": "sentences in a reply",
    "unsupported_sentences": "unsupported sentences",
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="quoting beside composing")
    parser.add_argument(
        "data", nargs="?", type=Path, help="corpus.jsonl, and queries.jsonl with answers, and qrels.tsv"
    )
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if given.data is None or not (given.data / "queries.jsonl").exists():
        print("Skipped: name a set whose questions bear answers, for example make bench-answers DATA=data/jsquad")
        return
    with tempfile.TemporaryDirectory() as folder:
        there, missing = sets(given.data, Path(folder), random.Random(given.seed))
        Console().print(table({style: (asked(*there, style), asked(*missing, style)) for style in STYLES}))


def sets(data: Path, folder: Path, dice: random.Random) -> tuple[tuple[Path, Path], tuple[Path, Path]]:
    """Two pairs of a file of questions and the folder with their documents: with an answer, and without."""
    texts, queries = rows(data / "corpus.jsonl"), rows(data / "queries.jsonl")
    about = {text["_id"]: text.get("title", "") for text in texts}
    judged = (line.split("\t") for line in (data / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:])
    subjects = {cells[0]: about[cells[-2]] for cells in judged}
    titles = sorted(set(about.values()))
    half = set(dice.sample(titles, len(titles) // 2))
    written(folder / "corpus.jsonl", (text for text in texts if about[text["_id"]] in half))
    known = [query for query in queries if query["_id"] in subjects]
    elsewhere = [query for query in known if subjects[query["_id"]] not in half]
    there, missing = folder / "answerable.jsonl", folder / "unanswerable.jsonl"
    written(there, ({"question": one["text"], "answers": one["answers"]} for one in dice.sample(known, ANSWERABLE)))
    written(missing, ({"question": one["text"]} for one in dice.sample(elsewhere, UNANSWERABLE)))
    return (there, data), (missing, folder)


def rows(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSONL file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def written(path: Path, objects: Iterable[Mapping[str, Any]]) -> None:
    """Write a JSONL file."""
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in objects), encoding="utf-8")


def asked(questions: Path, corpus: Path, style: str) -> dict[str, float]:
    """The figures of one style on one set."""
    command = ["-m", "bot", "eval", "answers", str(questions), "--corpus", str(corpus), "--style", style, "--json"]
    done = subprocess.run([sys.executable, *command], check=True, stdout=subprocess.PIPE, cwd=questions.parent)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def table(figures: Mapping[str, tuple[dict[str, float], dict[str, float]]]) -> Table:
    """A column for each style."""
    made = Table("", *figures, title=f"{ANSWERABLE} questions with an answer, {UNANSWERABLE} without")
    for key, row in ROWS.items():
        made.add_row(row, *(f"{there[key]:.3f}" for there, _ in figures.values()))
    missing = (f"{missing['not_found_when_unanswerable']:.3f}" for _, missing in figures.values())
    made.add_row('"not found" where it is not', *missing)
    return made


if __name__ == "__main__":
    main()
