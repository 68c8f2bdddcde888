"""Loads a model into this process and puts it on an engine, in the form that is fastest here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from bot.errors import ConfigError
from bot.settings import ModelSettings
from connectors.models import int8
from connectors.models.answer import Voice
from connectors.models.chat import TransformersChat
from connectors.models.choice import Grammars
from connectors.models.dialect import dialect_of
from connectors.models.embeddings import SAMPLE
from connectors.models.engine import Engine
from connectors.models.ragged import ATTENTION, Memory, Piece, register_attention, step
from connectors.models.thread import compute
from connectors.models.weights import EMBEDDED, folder_of

EMBEDDED_NAME = "SmolLM2-135M-Instruct"
_SAME = 0.95
"""The least share of places at which a rounded model must find the same token likeliest."""
_TOLERANCE = 0.02
"""How far, of the largest logit, two ways of computing the same may lie apart."""


def load_local(settings: ModelSettings, cache: Path) -> tuple[TransformersChat, int, str]:
    """The chat model, how many parameters it has, and how it computes. Raises ConfigError."""
    return compute(lambda: _load(settings, cache))


def _load(settings: ModelSettings, cache: Path) -> tuple[TransformersChat, int, str]:
    device = _device(settings.device)
    folder = folder_of(settings.name, cache)
    tokenizer = _tokenizer(folder, settings.name)
    model = _model(folder, settings.name, device)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    small = device.type == "cpu" and _wants_int8(settings.quantize)
    if small and not _rounded_well(model, tokenizer) and settings.quantize == "auto":
        small, model = False, _model(folder, settings.name, device)
    if device.type == "cpu":
        model.float()
    ends = _ends(model, tokenizer)
    text = model.config.get_text_config()
    chat = TransformersChat(
        engine=Engine(model, settings.batch, text.max_position_embeddings),
        voice=Voice(
            tokenizer, dialect_of(str(tokenizer.chat_template)), Grammars(tokenizer, text.vocab_size, ends), ends
        ),
        model_name=EMBEDDED_NAME if settings.name == EMBEDDED else settings.name,
        max_tokens=settings.max_new_tokens,
    )
    return chat, parameters, "int8" if small else str(model.dtype).removeprefix("torch.")


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"model.device: {name}: {reason}; choices: auto, cpu, cuda, cuda:0, ...") from error
    return device


def _wants_int8(wanted: str) -> bool:
    if wanted == "none":
        return False
    exact = int8.is_exact()
    if wanted == "int8" and not exact:
        raise ConfigError(
            "model.quantize: int8: this processor does not multiply eight-bit matrices exactly; choices: none"
        )
    return exact and (wanted == "int8" or int8.is_faster())


@torch.inference_mode()
def _rounded_well(model: Any, tokenizer: Any) -> bool:
    """Round the model's linear layers; whether it still finds the same token likeliest nearly everywhere in a text."""
    tokens = tokenizer(" ".join(SAMPLE))["input_ids"]

    def likeliest() -> torch.Tensor:
        return step(model, [Piece(tokens, Memory())], [len(tokens)])[0].argmax(-1)

    before = likeliest()
    int8.quantize(model)
    return bool((before == likeliest()).float().mean() >= _SAME)


def _tokenizer(folder: Path, name: str) -> Any:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    if not tokenizer.chat_template:
        raise ConfigError(f"model.name: {name}: it has no chat template; name a model that was trained to chat")
    if not hasattr(tokenizer, "backend_tokenizer"):
        raise ConfigError(f"model.name: {name}: it has no fast tokenizer (tokenizer.json)")
    return tokenizer


def _model(folder: Path, name: str, device: torch.device) -> Any:
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    register_attention()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model: Any = AutoModelForCausalLM.from_pretrained(
            str(folder), dtype="auto", use_safetensors=True, trust_remote_code=False, local_files_only=True
        )
    except (OSError, ValueError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(f"model.name: {name}: {reason}") from error
    model = model.to(device).eval()
    if device.type == "cpu":
        model.float()
    _check_same(model, name)
    return model


@torch.inference_mode()
def _check_same(model: Any, name: str) -> None:
    """Compute a few logits in the plain way and in ours, in two pieces. Leaves the model set to ours."""
    tokens = list(range(3, 11))
    plain = model(torch.tensor([tokens], device=model.device)).logits[0, -1].float()
    memory = Memory()
    try:
        model.set_attn_implementation(ATTENTION)
        step(model, [Piece(tokens[:5], memory)], [0])
        ours = step(model, [Piece(tokens[5:], memory)], [1])[0][0].float()
        same = bool((ours - plain).abs().max() <= _TOLERANCE * plain.abs().max())
    except (TypeError, ValueError, RuntimeError, AttributeError):
        same = False
    if not same:
        raise ConfigError(
            f"model.name: {name}: the architecture {model.config.model_type} cannot run in this process; "
            "serve it (vLLM, llama.cpp, Ollama, ...) and set provider: openai with its url"
        )


def _ends(model: Any, tokenizer: Any) -> frozenset[int]:
    configured = getattr(model.generation_config, "eos_token_id", None)
    listed = configured if isinstance(configured, list) else [configured]
    return frozenset(int(token) for token in [*listed, tokenizer.eos_token_id] if token is not None)
