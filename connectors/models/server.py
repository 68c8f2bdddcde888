"""A chat model behind an OpenAI-compatible URL: vLLM, TGI, llama.cpp, Ollama, SGLang and others."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from typing import Any, cast

from httpx import HTTPError
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_openai.chat_models.base import BaseChatOpenAI
from openai import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    NotFoundError,
    OpenAIError,
    RateLimitError,
)
from pydantic import BaseModel, SecretStr

from bot.errors import ModelUnavailable
from bot.settings import ModelSettings
from connectors.models.fitting import Withheld, file_misfits, texts_in, without_objects

TIMEOUT = 60.0
"""Seconds for which a server may send nothing."""
NONSENSE = "The model server sent something that cannot be understood; please tell your admin."
RETRIES = 2
"""Further attempts when it does not answer, is busy or fails, with growing pauses."""


class ServedChat(BaseChatOpenAI):
    """LangChain's OpenAI client, whose failures are told in words for the person who asked.

    A tool call that does not fit the tool's schema is among the message's `invalid_tool_calls`.

    Not `ChatOpenAI`: that one renames `max_tokens` to a field which several servers do not know.
    """

    @property
    def _llm_type(self) -> str:
        return "rolecall-openai"

    def _generate(self, *args: Any, **kwargs: Any) -> ChatResult:
        with _told():
            return _filed(super()._generate(*args, **kwargs), kwargs)

    async def _agenerate(self, *args: Any, **kwargs: Any) -> ChatResult:
        with _told():
            return _filed(await super()._agenerate(*args, **kwargs), kwargs)

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        withheld = Withheld(kwargs.get("tools") or ())
        with _told():
            for chunk in super()._stream(*args, **kwargs):
                yield from withheld.take(chunk)
            yield from withheld.rest()

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        withheld = Withheld(kwargs.get("tools") or ())
        with _told():
            stream = cast("AsyncGenerator[ChatGenerationChunk]", super()._astream(*args, **kwargs))
            async with aclosing(stream) as chunks:
                async for chunk in chunks:
                    for piece in withheld.take(chunk):
                        yield piece
            for piece in withheld.rest():
                yield piece

    def _create_chat_result(self, response: Any, generation_info: dict[str, Any] | None = None) -> ChatResult:
        if not isinstance(response, BaseModel):
            return super()._create_chat_result(response, generation_info)
        body = response.model_dump(warnings=False)
        choices = [one for one in body.get("choices") or () if isinstance(one, dict)]
        broken = [without_objects(one.get("message")) for one in choices]
        result = super()._create_chat_result(body, generation_info)
        for generation, calls in zip(result.generations, broken, strict=True):
            if isinstance(generation.message, AIMessage):
                generation.message.invalid_tool_calls += calls
        return result

    def _convert_chunk_to_generation_chunk(self, chunk: dict[str, Any], *args: Any) -> ChatGenerationChunk | None:
        for choice in chunk.get("choices") or ():
            texts_in(choice.get("delta"))
        return super()._convert_chunk_to_generation_chunk(chunk, *args)


def _filed(result: ChatResult, options: Mapping[str, Any]) -> ChatResult:
    for generation in result.generations:
        if isinstance(generation.message, AIMessage):
            file_misfits(generation.message, options.get("tools") or ())
    return result


def connect(
    settings: ModelSettings, secret: str | None, timeout: float = TIMEOUT, retries: int = RETRIES
) -> ServedChat:
    """The chat model that a server offers under a name. Nothing is sent yet."""
    return ServedChat(
        model=settings.name,
        base_url=settings.url,
        api_key=SecretStr(secret or "none"),
        timeout=timeout,
        max_retries=retries,
        max_tokens=settings.max_new_tokens,
        temperature=0.0,
        stream_usage=True,  # else a stream does not say how many tokens it took
    )


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OpenAIError as error:
        raise ModelUnavailable(_words(error)) from error
    except HTTPError as error:  # the client lets pass what happens in the middle of a stream
        raise ModelUnavailable("The model server broke off in the middle of its answer; please try again.") from error
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        IndexError,
    ) as error:  # how LangChain stumbles over nonsense
        raise ModelUnavailable(NONSENSE) from error


def _words(error: OpenAIError) -> str:
    match error:
        case APITimeoutError():
            return "The model server did not answer in time; please try again."
        case APIConnectionError():
            return "The model server cannot be reached; please try again later or tell your admin."
        case AuthenticationError():
            return "The model server refused our key; please tell your admin."
        case NotFoundError():
            return "The model server does not know the model that was asked for; please tell your admin."
        case RateLimitError():
            return "The model server is busy; please try again in a minute."
        case APIStatusError():
            return f"The model server failed (status {error.status_code}); please try again later."
    return NONSENSE
