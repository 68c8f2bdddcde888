"""Which tool a request is for, in about ten milliseconds: a linear model over words, traits and the sentence's embedding.

It is trained at start on examples.yaml and kept in a cache folder under the hash of all it was made from. The embedded
embedding reads English only, so a Japanese request is judged by its characters and traits alone.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from zipfile import BadZipFile

import numpy as np
import yaml
from numpy.typing import NDArray

from bot.assistant import concepts, features
from bot.language import language
from bot.types import Plan

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

Numbers = NDArray[np.float32]

EXAMPLES = Path(__file__).with_name("examples.yaml")
SEARCH = "search_documents"
CHAT = "chat"
UNSURE = 0.35  # below this no other tool is chosen over a search of the documents
EMBEDDED = 200  # characters of the asking lines that are embedded: they cost 0.05 ms each
EMBEDDING_WEIGHT = 1.0
STRENGTH = 30.0  # inverse regularisation; 3 to 100 measure within a point of each other in cross-validation
SMALLEST = 1e-6  # keeps the inner products of texts that look alike to the router invertible
FOLDS = 5
TEMPERATURES = np.arange(0.5, 3.01, 0.1)


class Routes(Protocol):
    """Picks the tool for a request."""

    async def route(self, text: str) -> Plan:
        """Pick the tool that a request is for, and say how sure that is (0 to 1)."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The trained model: one row a tool over the buckets of features and the dimensions of the embedding.

    `temperature` divides the scores so that the confidence is the share of right choices (Guo et al., "On Calibration
    of Modern Neural Networks", 2017), measured on examples that were left out of the training.
    """

    tools: NDArray[np.str_]
    terms: Numbers
    vector: Numbers
    bias: Numbers
    temperature: Numbers


class Router:
    """Picks a tool for a request by what people asked before."""

    def __init__(self, weights: Weights, embeddings: Embeddings):
        self._weights = weights
        self._embeddings = embeddings

    async def route(self, text: str) -> Plan:
        """Pick a tool. Where nothing else is at all likely, the documents are searched."""
        view = features.asking(text)
        vector = await self._embeddings.aembed_query(view[:EMBEDDED]) if _is_embedded(view) else None
        chances = self._chances(text, vector)
        best = int(chances.argmax())
        if chances[best] < UNSURE:
            best = int(np.flatnonzero(self._weights.tools == SEARCH)[0])
        return Plan(str(self._weights.tools[best]), "router", float(chances[best]))

    def _chances(self, text: str, vector: Sequence[float] | None) -> Numbers:
        values = features.sparse(text)
        scores = self._weights.terms[:, list(values)] @ np.array(list(values.values()), np.float32) + self._weights.bias
        if vector is not None:
            scores = scores + self._weights.vector @ (np.asarray(vector, np.float32) * EMBEDDING_WEIGHT)
        chances: Numbers = softmax(scores[None, :] / self._weights.temperature)[0]
        return chances


def open_router(embeddings: Embeddings, cache: Path | None = None, examples: Path = EXAMPLES) -> Router:
    """Train the router, or take it from the `cache` folder if nothing that it was made from has changed."""
    text = examples.read_text(encoding="utf-8")
    name = cache / f"router-{_fingerprint(text, embeddings)}.npz" if cache else None
    weights = _load(name) if name else None
    if weights is None:
        weights = train(yaml.safe_load(text), embeddings)
        if name:
            _save(name, weights)
    return Router(weights, embeddings)


def train(examples: dict[str, list[str]], embeddings: Embeddings) -> Weights:
    """Fit the model on requests by tool: about a second for a thousand of them, most of it for the embeddings."""
    texts = [text for requests in examples.values() for text in requests]
    tools = np.array(list(examples))
    wanted = np.repeat(np.arange(len(tools)), [len(requests) for requests in examples.values()])
    terms, vectors = _terms(texts), _vectors(texts, embeddings)
    span = _span(terms, vectors)
    weights, bias = _fit(span, wanted)
    rows = np.linalg.solve(span.T, weights.T).T
    return Weights(
        tools,
        (rows @ terms).astype(np.float32),
        (rows @ vectors).astype(np.float32),
        bias.astype(np.float32),
        np.array(_temperature(span, wanted), np.float32),
    )


def softmax(scores: Numbers) -> Numbers:
    """Turn scores into chances, row by row."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def _is_embedded(view: str) -> bool:
    return bool(view) and language(view) == "en"


def _terms(texts: Sequence[str]) -> Any:
    from scipy.sparse import csr_array

    rows = [features.sparse(text) for text in texts]
    values = [value for row in rows for value in row.values()]
    places = [bucket for row in rows for bucket in row]
    ends = np.cumsum([0, *(len(row) for row in rows)])
    return csr_array((values, places, ends), shape=(len(texts), features.BUCKETS))


def _vectors(texts: Sequence[str], embeddings: Embeddings) -> NDArray[np.float64]:
    """One row a text: its embedding, or zeros where the embedding cannot read it."""
    views = [features.asking(text) for text in texts]
    read = [number for number, view in enumerate(views) if _is_embedded(view)]
    found = np.array(embeddings.embed_documents([views[number][:EMBEDDED] for number in read]))
    vectors = np.zeros((len(texts), found.shape[1]))
    vectors[read] = found * EMBEDDING_WEIGHT
    return vectors


def _span(terms: Any, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """The texts as coordinates in the space that they span: the lower triangle L of their inner products, L @ L.T.

    A regularised linear model lies in that space, so fitting it there is exact, with twenty times fewer numbers.
    """
    products = (terms @ terms.T).toarray() + vectors @ vectors.T
    return np.linalg.cholesky(products + SMALLEST * np.eye(len(products)))


def _fit(span: NDArray[np.float64], wanted: NDArray[np.int_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=STRENGTH, max_iter=500, tol=1e-3).fit(span, wanted)
    return model.coef_, model.intercept_


def _temperature(span: NDArray[np.float64], wanted: NDArray[np.int_]) -> float:
    """The divisor of the scores under which left-out examples are least surprising."""
    scores = np.empty((len(wanted), int(wanted.max()) + 1))
    fold = np.random.default_rng(0).permutation(len(wanted)) % FOLDS
    for number in range(FOLDS):
        out = fold == number
        weights, bias = _fit(span[~out], wanted[~out])
        scores[out] = span[out] @ weights.T + bias
    right = np.arange(len(wanted)), wanted
    return float(min(TEMPERATURES, key=lambda divisor: -np.log(softmax(scores / divisor)[right] + 1e-9).mean()))


def _fingerprint(examples: str, embeddings: Embeddings) -> str:
    """What the weights depend on: the examples, this code, and what the embedding model makes of one sentence."""
    sources = [Path(path).read_bytes() for path in (__file__, features.__file__, concepts.__file__, concepts.LEXICON)]
    probe = np.round(embeddings.embed_query("The gate has changed."), 3)
    return hashlib.sha256(b"\0".join([examples.encode(), *sources, probe.tobytes()])).hexdigest()[:24]


def _load(path: Path) -> Weights | None:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return Weights(**{field.name: stored[field.name] for field in fields(Weights)})
    except (OSError, KeyError, ValueError, EOFError, BadZipFile):
        return None


def _save(path: Path, weights: Weights) -> None:
    """Write beside, then rename: a reader sees the whole file or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.npz")
    np.savez(beside, **{field.name: getattr(weights, field.name) for field in fields(Weights)})
    beside.replace(path)
