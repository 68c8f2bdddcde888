"""What is refused before anything is loaded, and what loading leaves behind."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from bot.errors import ConfigError
from bot.settings import EmbeddingSettings, ModelSettings
from connectors.models.embeddings import embedded_folder, load_embeddings, load_reranker
from connectors.models.load import LoadedModel, load_chat_model


def folder(path: Path, files: dict[str, Any]) -> Path:
    path.mkdir()
    for name, content in files.items():
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


CONFIG = {"model_type": "llama", "architectures": ["LlamaForCausalLM"]}
REMOTE = {"auto_map": {"AutoModelForCausalLM": "theirs.Model"}}
MODULES = [{"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"}]
REFUSED = {
    "pickle": (
        {"config.json": CONFIG, "pytorch_model.bin": "x"},
        "weights must be .*safetensors; it has pytorch_model.bin, a pickle",
    ),
    "no weights": ({"config.json": CONFIG}, "weights must be .*safetensors; there is none"),
    "no config": ({"model.safetensors": "x"}, "there is no config.json; choices: embedded"),
    "remote code": ({"config.json": CONFIG | REMOTE, "model.safetensors": "x"}, "config.json asks to run the model's own code"),
    "remote tokenizer": (
        {"config.json": CONFIG, "tokenizer_config.json": REMOTE, "model.safetensors": "x"},
        "tokenizer_config.json asks to run the model's own code",
    ),
    "index of pickles": (
        {"config.json": CONFIG, "model.safetensors": "x", "model.safetensors.index.json": {"weight_map": {"a": "a.bin"}}},
        "names a.bin; weights must be .*safetensors beside it",
    ),
    "index that leaves the folder": (
        {"config.json": CONFIG, "model.safetensors": "x", "m.index.json": {"weight_map": {"a": "../b.safetensors"}}},
        r"names \.\./b.safetensors",
    ),
    "pickle in a module": (
        {"config.json": CONFIG, "model.safetensors": "x", "modules.json": MODULES, "2_Dense/pytorch_model.bin": "x"},
        "weights must be .*safetensors; 2_Dense/pytorch_model.bin is a pickle",
    ),
    "pickle in a module beside other weights": (
        {
            "config.json": CONFIG, "model.safetensors": "x", "modules.json": MODULES,
            "2_Dense/pytorch_model.bin": "x", "2_Dense/other.safetensors": "x",
        },
        "2_Dense/pytorch_model.bin is a pickle",
    ),
    "pickle in a module that nobody names": (
        {"config.json": CONFIG, "model.safetensors": "x", "router/pytorch_model.bin": "x"},
        "router/pytorch_model.bin is a pickle",
    ),
    "module of somebody else": (
        {"config.json": CONFIG, "model.safetensors": "x", "modules.json": [{"path": "", "type": "theirs.Model"}]},
        "modules.json names 'theirs.Model'",
    ),
    "module outside": (
        {"config.json": CONFIG, "model.safetensors": "x", "modules.json": [MODULES[0] | {"path": "../other"}]},
        r"in '\.\./other'; a module must be",
    ),
    "config that is no JSON": ({"config.json": "{", "model.safetensors": "x"}, "config.json is not JSON"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_could_run_code_or_is_not_whole_is_refused(tmp_path: Path, kind: str) -> None:
    files, reason = REFUSED[kind]
    name = str(folder(tmp_path / "model", files))
    with pytest.raises(ConfigError, match=f"model.name: .*{reason}"):
        load_chat_model(ModelSettings(name=name), tmp_path / "cache")
    with pytest.raises(ConfigError, match=f"embeddings.name: .*{reason}"):
        load_embeddings(EmbeddingSettings(name=name))
    with pytest.raises(ConfigError, match=f"embeddings.reranker: .*{reason}"):
        load_reranker(EmbeddingSettings(reranker=name))


def test_a_broken_gguf_is_named_and_leaves_nothing_behind(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + b"\0" * 100)
    with pytest.raises(ConfigError, match=r"broken\.gguf: not a GGUF file that can be read"):
        load_chat_model(ModelSettings(name=str(broken)), tmp_path / "cache")
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file() and path.suffix != ".lock"]


@pytest.mark.parametrize("name", ["missing.gguf", "no/such-model-anywhere"])
def test_a_model_that_is_not_there_is_named(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ConfigError, match=f"model.name: .*{name}"):
        load_chat_model(ModelSettings(name=name), tmp_path)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (ModelSettings(device="cuda:7"), "model.device: cuda:7: .*choices: auto, cpu"),
        (ModelSettings(device="abacus"), "model.device: abacus: .*choices: auto, cpu"),
        (ModelSettings(provider="openai"), "model.url: missing"),
    ],
)
def test_settings_that_cannot_be_met_name_the_choices(settings: ModelSettings, told: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=told):
        load_chat_model(settings, tmp_path)


def test_loading_prints_nothing_and_converts_once(
    embedded: LoadedModel, cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in cache.rglob("*")}
    again = load_chat_model(ModelSettings(quantize="none"), cache)
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*")} == before
    assert "float32" in again.description
    assert capfd.readouterr() == ("", "")


def test_a_folder_is_a_model_as_well_and_rounded_weights_write_the_same(embedded: LoadedModel, cache: Path) -> None:
    (converted,) = [path for path in cache.iterdir() if path.is_dir()]
    plain = load_chat_model(ModelSettings(name=str(converted), quantize="none"), cache)
    question = "What is the capital of France?"
    assert "Paris" in plain.chat.invoke(question, max_tokens=12).text
    assert "Paris" in embedded.chat.invoke(question, max_tokens=12).text


def test_vectors_have_length_one_and_know_what_is_alike() -> None:
    embeddings = load_embeddings(EmbeddingSettings())
    texts = ["The pump leaks.", "Oil drips from the pump.", "Dividends rose by 4%.", "", "word " * 900]
    vectors = embeddings.embed_documents(texts)
    assert [round(sum(x * x for x in vector), 3) for vector in vectors] == [1.0] * len(texts)
    assert dot(vectors[0], vectors[1]) > dot(vectors[0], vectors[2]) + 0.2
    assert dot(vectors[0], embeddings.embed_query(texts[0])) > 0.99
    assert embeddings.embed_documents([]) == []


def dot(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_a_reranker_is_a_cross_encoder_by_folder(tmp_path: Path) -> None:
    """No package carries one: this one has the shape and random weights, so only what goes in and out is tested."""
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    source = embedded_folder()
    tokenizer = AutoTokenizer.from_pretrained(str(source), local_files_only=True)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        num_labels=1,
    )  # fmt: skip
    made = tmp_path / "reranker"
    BertForSequenceClassification(config).save_pretrained(made)
    tokenizer.save_pretrained(made)
    reranker = load_reranker(EmbeddingSettings(reranker=str(made)))
    assert reranker is not None
    scores = reranker.rerank("Which pump?", ["The electric pump.", "Dividends."])
    assert len(scores) == 2
    assert scores == reranker.rerank("Which pump?", ["The electric pump.", "Dividends."])
    assert reranker.rerank("Which pump?", []) == []
    assert load_reranker(EmbeddingSettings()) is None
    shutil.rmtree(made)
