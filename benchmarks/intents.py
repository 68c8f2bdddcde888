"""How well the analyst sorts without training: the open intent sets BANKING77 and CLINC150 beside plain baselines.

Labels are the names of the intents alone, and themes are found without their number. The settings were chosen on CLINC150
and on uneven samples of it; BANKING77 is only measured.
Run: make bench-intents DATA=FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from bot.assistant.grouping import Vectors, groups, named, sorted_under, units
from bot.assistant.meaning import Meaning
from bot.settings import EmbeddingSettings
from connectors.models.embeddings import load_embeddings

SETS = ("banking77_valid.jsonl", "clinc150_valid.jsonl")
OUTSIDE = "oos"


def main() -> None:
    """Measure and print."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    if folder is None or not all((folder / name).exists() for name in SETS):
        print(
            f"Skipped: name the folder that holds {' and '.join(SETS)}, for example make bench-intents DATA=data/intents"
        )
        return
    meaning = Meaning(load_embeddings(EmbeddingSettings()))
    table = Table(title="Sorting without training")
    for title in ("", "plain", "Rolecall"):
        table.add_column(title, justify="right" if title else "left")
    for name in SETS:
        for row in measured(folder / name, meaning):
            table.add_row(*row)
    Console().print(table)


def measured(path: Path, meaning: Meaning) -> list[tuple[str, str, str]]:
    """Accuracy under given labels, and agreement of the themes with the intents."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    texts, intents = [row["text"] for row in rows], np.array([row["intent"] for row in rows])
    vectors = meaning.embed(texts)
    inside = intents != OUTSIDE
    labels = sorted(set(intents[inside].tolist()))
    wanted = np.array([labels.index(intent) for intent in intents[inside].tolist()])
    plain = vectors[inside] @ meaning.embed([label.replace("_", " ") for label in labels]).T
    ours = sorted_under(vectors[inside], named(labels, meaning.embed))
    return [
        (f"{path.stem}: accuracy under {len(labels)} given labels", right(plain, wanted), right(ours, wanted)),
        themes(path.stem, vectors, intents),
    ]


def right(scores: Vectors, wanted: np.ndarray[tuple[int], np.dtype[np.int_]]) -> str:
    """The share of messages whose best label is the wanted one."""
    return f"{float((scores.argmax(axis=1) == wanted).mean()):.3f}"


def themes(name: str, vectors: Vectors, intents: np.ndarray[tuple[int], np.dtype[np.str_]]) -> tuple[str, str, str]:
    """NMI of the themes; the plain way is k-means that is told the number."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import normalized_mutual_info_score

    count = len(set(intents.tolist()))
    plain = KMeans(count, n_init=1, random_state=0).fit_predict(units(vectors))
    ours = groups(vectors)
    told = [f"{normalized_mutual_info_score(intents, found):.3f}" for found in (plain, ours)]
    return (
        f"{name}: NMI of themes, number not told (plain k-means is told {count})",
        told[0],
        f"{told[1]} ({ours.max() + 1} themes)",
    )


if __name__ == "__main__":
    main()
