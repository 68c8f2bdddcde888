"""Sync against the pipeline that one would write: the same texts, the same model, passages a second, and what is found.

The plain pipeline reads the files, cuts them with LangChain's splitter as its tutorials do (1,000 characters, 200 of overlap),
embeds with sentence-transformers as it comes, and stores in LangChain's Qdrant over `qdrant-client`'s local mode. Sync reads in
a limited process, keeps a record, and embeds every sentence besides the passage. Run: python -m benchmarks.sync [DOCUMENTS]
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore
from langchain_text_splitters import RecursiveCharacterTextSplitter
from rich.console import Console
from rich.table import Table

from bot.knowledge.sync import sync
from bot.settings import EmbeddingSettings
from bot.settings import FilesSource as FilesSettings
from bot.types import for_everyone
from connectors.database import SqlRecords, open_database
from connectors.models.embeddings import embedded_folder, load_embeddings
from connectors.models.thread import compute
from connectors.qdrant.edge import EdgeEngine
from connectors.qdrant.gateway import Gateway
from connectors.sources.files import FilesSource

DOCUMENTS = 240
BEST = 5
QUESTIONS = 100
PLACES = ("Port Ellery", "Osaka", "Vancouver", "Saltmere", "Halden", "Kirkwall", "Tromso", "Lagos", "Quito", "Perth")
SUBJECTS = (
    ("hydraulic pump", "torque of its mounting bolts", "newton metres"),
    ("crew hotel", "price of a night", "dollars"),
    ("fuel depot", "capacity of its main tank", "cubic metres"),
    ("training centre", "number of simulators", "simulators"),
    ("cargo terminal", "largest weight of a pallet", "kilograms"),
    ("spare parts store", "stock of tyres", "tyres"),
    ("ground power unit", "time between two inspections", "hours"),
    ("catering kitchen", "meals cooked on a day", "meals"),
)
OPENERS = ("In the last year", "As before", "Since the spring", "By agreement with the works council", "For safety")
ACTORS = ("the station manager", "every new employee", "the duty engineer", "the finance department", "a contractor")
ACTIONS = (
    "records each delivery in the system before the end of the shift",
    "checks the list twice and signs it with date and staff number",
    "reports damage to the control centre within thirty minutes",
    "asks for a second opinion if the reading differs from the day before",
    "keeps the signed copies for seven years in the archive of building D",
    "may ask for an exception in writing, with reasons, four weeks ahead",
)


@dataclass(frozen=True, slots=True)
class Text:
    """A document with the one fact that only it holds, and a question about that fact."""

    name: str
    body: str
    question: str


@dataclass(frozen=True, slots=True)
class Result:
    """What one way did: passages, seconds, and for which share of questions the document is among the best five."""

    passages: int
    seconds: float
    found: float


def texts(count: int) -> list[Text]:
    """Documents of 5 to 60 sentences, always the same ones."""
    chance = random.Random(count)
    made = []
    for number in range(count):
        place, (subject, measure, unit) = PLACES[number % len(PLACES)], SUBJECTS[number // len(PLACES) % len(SUBJECTS)]
        subject = f"{subject} {'ABCDEFGH'[number // (len(PLACES) * len(SUBJECTS)) % 8]}"
        sentences = [_sentence(chance) for _ in range(chance.choice((5, 10, 15, 30, 60)))]
        fact = f"At {place} the {measure} of the {subject} is {chance.randint(11, 9999)} {unit}."
        sentences.insert(chance.randrange(len(sentences)), fact)
        paragraphs = (" ".join(sentences[i : i + 5]) for i in range(0, len(sentences), 5))
        body = f"{subject.capitalize()} at {place}\n\n" + "\n\n".join(paragraphs)
        made.append(Text(f"{number}.txt", body, f"What is the {measure} of the {subject} in {place}?"))
    return made


def asked(given: list[Text]) -> list[Text]:
    """Those that are asked for, evenly over all."""
    return given[:: max(1, len(given) // QUESTIONS)]


def _sentence(chance: random.Random) -> str:
    number = chance.randint(2, 400)
    return f"{chance.choice(OPENERS)}, {chance.choice(ACTORS)} at gate {number} {chance.choice(ACTIONS)}."


async def synced(given: list[Text], folder: Path, embeddings: Embeddings) -> Result:
    """Rolecall's way."""
    source = FilesSource(FilesSettings(name="texts", path="texts", labels={"**": ["all"]}), folder)
    async with open_database(f"sqlite+aiosqlite:///{folder / 'rolecall.db'}") as engine:
        gateway = Gateway(EdgeEngine(folder / "index"), embeddings)
        started = time.perf_counter()
        await sync(source, gateway, SqlRecords(engine))
        seconds = time.perf_counter() - started
        access = for_everyone([frozenset({"all"})])
        hits = 0
        for text in asked(given):
            best = await gateway.search(text.question, access, BEST)
            hits += f"texts/{text.name}" in {passage.document for passage in best}
        count = await gateway.count()
        await gateway.close()
    source.close()
    return Result(count, seconds, hits / len(asked(given)))


class PlainEmbeddings(Embeddings):
    """sentence-transformers as it comes; on torch's thread, for two that compute slow each other down."""

    def __init__(self) -> None:
        from sentence_transformers import SentenceTransformer

        self._model = compute(lambda: SentenceTransformer(str(embedded_folder())))

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector a text."""
        vectors: list[list[float]] = compute(lambda: self._model.encode(texts)).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question."""
        return self.embed_documents([text])[0]


def plain(given: list[Text], folder: Path, embeddings: Embeddings) -> Result:
    """The way of a tutorial."""
    splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)
    started = time.perf_counter()
    read = {path.name: path.read_text() for path in sorted((folder / "texts").iterdir())}
    pieces = [(name, piece) for name, text in read.items() for piece in splitter.split_text(text)]
    store = _langchain_qdrant(pieces, folder, embeddings)
    seconds = time.perf_counter() - started
    hits = sum(
        text.name in {found.metadata["name"] for found in store.similarity_search(text.question, BEST)}
        for text in asked(given)
    )
    return Result(len(pieces), seconds, hits / len(asked(given)))


def _langchain_qdrant(pieces: list[tuple[str, str]], folder: Path, embeddings: Embeddings) -> VectorStore:
    from langchain_qdrant import QdrantVectorStore

    return QdrantVectorStore.from_texts(
        [piece for _, piece in pieces],
        embeddings,
        metadatas=[{"name": name} for name, _ in pieces],
        path=str(folder / "plain"),
        collection_name="texts",
    )


def main(count: int = DOCUMENTS) -> None:
    """Run both ways and print a table."""
    given = texts(count)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "texts").mkdir()
        for text in given:
            (folder / "texts" / text.name).write_text(text.body)
        ours, theirs = load_embeddings(EmbeddingSettings()), PlainEmbeddings()
        for embeddings in (ours, theirs):
            embeddings.embed_documents([text.body[:500] for text in given[:32]])  # warm
        simple = plain(given, folder, theirs)
        better = asyncio.run(synced(given, folder, ours))
    show(count, simple, better)


def show(count: int, simple: Result, better: Result) -> None:
    """Print both, and how much faster sync is."""
    title = f"Sync of {count} text documents; found: the right document among {BEST} passages"
    table = Table("way", "passages", "seconds", "passages/s", "found", title=title)
    for way, one in (("sentence-transformers + LangChain Qdrant", simple), ("rolecall sync", better)):
        rate = one.passages / one.seconds
        table.add_row(way, f"{one.passages:,}", f"{one.seconds:.1f}", f"{rate:,.0f}", f"{one.found:.1%}")
    Console().print(table)
    rates = better.passages / better.seconds / (simple.passages / simple.seconds)
    Console().print(
        f"{rates:.1f} times the passages a second; {simple.seconds / better.seconds:.1f} times the documents"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else DOCUMENTS)
