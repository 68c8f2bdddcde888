"""The embedded model in this process: text, streams, company, cancellation, and tool calls that fit their schema."""

import asyncio
import json
import threading
import time
from typing import Any, Literal

import jsonschema
import pytest
import torch
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel, Field

from bot.errors import BotError, ModelUnavailable
from connectors.models.chat import TransformersChat
from connectors.models.dialect import read_calls
from connectors.models.engine import Engine
from connectors.models.load import LoadedModel

QUESTIONS = ["What is a runway?", "Name three colours.", "Say hello in French.", "What is 2 + 2?", "Write one word."]
REPEAT = (
    "Say this again, word for word: The hydraulic pump at Port Ellery is inspected every six hundred flight hours by the "
    "engineer on duty, who signs the list with date and staff number."
)
WRONG = "Translate to French: the pump is red, the pump is blue, the pump is green."
HAIKU = "Write a long story about a lighthouse keeper and the sea."


class Line(BaseModel):
    """One line of an order."""

    article: str
    count: int = Field(ge=1, le=9)


@tool
def search_documents(query: str) -> str:
    """Search the company's documents."""
    return query


@tool
def set_status(gate: int, status: Literal["open", "closed", "delayed"], note: str | None = None) -> str:
    """Set the status of a gate."""
    return f"{gate} {status} {note}"


@tool
def order(lines: list[Line], urgent: bool, price: float) -> str:
    """Order articles."""
    return f"{lines} {urgent} {price}"


@tool("翻訳")
def translated(原文: str, 言語: Literal["英語", "日本語"]) -> str:  # noqa: N803 - an admin's tool may be Japanese
    """文章を翻訳する。"""
    return 原文 + 言語


@tool
def ping() -> str:
    """Needs no argument."""
    return "pong"


TOOLS = [search_documents, set_status, order, translated, ping]


@pytest.fixture
def chat(embedded: LoadedModel) -> TransformersChat:
    assert isinstance(embedded.chat, TransformersChat)
    return embedded.chat


async def test_it_answers_and_says_how_many_tokens_that_took(chat: TransformersChat) -> None:
    answer = await chat.ainvoke([SystemMessage("Answer in one word."), HumanMessage("The capital of France?")])
    assert "Paris" in answer.text
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["output_tokens"] >= 1
    assert answer.response_metadata["finish_reason"] == "stop"


async def test_a_stream_comes_in_pieces_that_make_the_same_text(chat: TransformersChat) -> None:
    whole = await chat.ainvoke(HAIKU, max_tokens=24)
    pieces = [chunk.text async for chunk in chat.astream(HAIKU, max_tokens=24)]
    assert len([piece for piece in pieces if piece]) > 5
    assert "".join(pieces) == whole.text == chat.invoke(HAIKU, max_tokens=24).text
    assert whole.response_metadata["finish_reason"] == "length"


async def test_in_company_everybody_gets_the_text_they_would_get_alone(chat: TransformersChat) -> None:
    alone = [(await chat.ainvoke(question, max_tokens=20)).text for question in QUESTIONS]
    together = await asyncio.gather(*(chat.ainvoke(question, max_tokens=20) for question in QUESTIONS))
    assert [answer.text for answer in together] == alone


@pytest.mark.parametrize("options", [{}, {"temperature": 0.7, "seed": 3, "max_tokens": 23}])
async def test_guessing_ahead_changes_the_time_and_not_the_text(
    chat: TransformersChat, options: dict[str, Any]
) -> None:
    """In a text that repeats its prompt guesses are right; in one that only begins to they are wrong."""
    slow = chat.model_copy(update={"engine": Engine(chat.engine._model, 4, 2048, guessed=0)})
    for asked in (REPEAT, WRONG):
        told = {"max_tokens": 40} | options
        plain, guessed = await slow.ainvoke(asked, **told), await chat.ainvoke(asked, **told)
        assert guessed.text == plain.text
        assert guessed.usage_metadata == plain.usage_metadata
        assert guessed.response_metadata == plain.response_metadata


async def test_what_stood_in_the_prompt_comes_several_tokens_at_a_time(chat: TransformersChat) -> None:
    chunks = [chunk async for chunk in chat.astream(REPEAT, max_tokens=60)]
    used = chunks[-1].usage_metadata
    assert used is not None
    assert used["output_tokens"] > 2 * len(chunks)


async def test_whoever_turns_away_stops_the_writing_and_frees_the_place(chat: TransformersChat) -> None:
    async for _ in chat.astream(HAIKU, max_tokens=400):
        break
    task = asyncio.create_task(chat.ainvoke(HAIKU, max_tokens=400))
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for _ in range(100):
        if not chat.engine.busy:
            break
        await asyncio.sleep(0.05)
    assert not chat.engine.busy
    assert (await chat.ainvoke("Say hello.", max_tokens=8)).text


async def test_who_is_too_many_is_told_at_once_and_nobody_else_is_harmed(chat: TransformersChat) -> None:
    async def ask() -> str:
        return (await chat.ainvoke("Say hello.", max_tokens=2)).text

    results = await asyncio.gather(*(ask() for _ in range(60)), return_exceptions=True)
    refused = [one for one in results if isinstance(one, ModelUnavailable)]
    served = [one for one in results if isinstance(one, str)]
    assert len(refused) + len(served) == 60
    assert 32 <= len(served) < 60
    assert "busy" in str(refused[0])


async def test_what_does_not_fit_is_refused_with_the_number_that_would(chat: TransformersChat) -> None:
    with pytest.raises(BotError, match=r"too long for the model: \d+ tokens, where 8191 would fit"):
        await chat.ainvoke("word " * 9000)


async def test_stop_words_and_seeds_are_kept(chat: TransformersChat) -> None:
    whole = (await chat.ainvoke(HAIKU, max_tokens=30)).text
    word = whole.split()[6]
    assert (await chat.ainvoke(HAIKU, max_tokens=30, stop=[word])).text == whole.split(word)[0]
    drawn = [(await chat.ainvoke(HAIKU, max_tokens=12, temperature=1.0, seed=seed)).text for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


REQUESTS = ["Gate 4 is closed.", "Order 3 pumps!", "こんにちは、翻訳してください", '{"name": "ping"']


@pytest.mark.parametrize("offered", TOOLS, ids=lambda one: "translate" if one.name == "翻訳" else one.name)
async def test_arguments_always_match_the_schema(chat: TransformersChat, offered: Any) -> None:
    bound = chat.bind_tools([offered], tool_choice=offered.name)
    requests = [(text, (64, 160)[place % 2]) for place, text in enumerate(REQUESTS)]
    answers = await asyncio.gather(
        *(bound.ainvoke(text, max_tokens=n, temperature=1.0, seed=n) for text, n in requests)
    )
    for answer in answers:
        check(answer, {offered.name: offered})
        assert not answer.invalid_tool_calls


async def test_with_several_tools_the_one_called_is_one_of_them_and_fits(chat: TransformersChat) -> None:
    bound = chat.bind_tools(TOOLS, tool_choice="any")
    for answer in await asyncio.gather(*(bound.ainvoke(text, max_tokens=120) for text in REQUESTS)):
        check(answer, {one.name: one for one in TOOLS})


async def test_left_to_itself_it_may_talk(chat: TransformersChat) -> None:
    talk = await chat.bind_tools(TOOLS, tool_choice="auto").ainvoke("Hello!", max_tokens=12)
    assert talk.text
    assert not talk.tool_calls


@pytest.mark.parametrize("seed", range(3))
def test_left_to_itself_a_call_that_it_begins_fits(chat: TransformersChat, seed: int) -> None:
    """Whatever a model would say: here it begins a call, and every further token is drawn at random."""
    options = {"tools": [convert_to_openai_tool(one) for one in TOOLS], "tool_choice": "auto", "max_tokens": 120}
    asked = chat._asked([HumanMessage("Hello!")], None, options)
    chooser, reader, random = asked.chooser(), asked.reader(), torch.Generator().manual_seed(seed)
    begun = chat.voice.tokenizer(chat.voice.dialect.trigger, add_special_tokens=False)["input_ids"]
    size, left = chat.engine._model.config.vocab_size, 120
    while left > 0 and not chooser.finished:
        logits = torch.rand(size, generator=random)
        if begun:
            logits[begun.pop(0)] = 100
        tokens = chooser.pick(logits, left)
        left -= len(tokens)
        reader.feed(tokens)
    calls, broken = read_calls(reader.calls, chat.voice.dialect)
    assert calls
    assert not broken
    check(AIMessage("", tool_calls=calls), {one.name: one for one in TOOLS})


def check(answer: AIMessage, tools: dict[str, Any]) -> None:
    assert answer.tool_calls, answer
    for call in answer.tool_calls:
        schema = convert_to_openai_tool(tools[call["name"]])["function"]["parameters"]
        jsonschema.validate(call["args"], schema)


async def test_a_call_that_is_cut_off_is_no_call(chat: TransformersChat) -> None:
    answer = await chat.bind_tools([order], tool_choice="order").ainvoke("Order 3 pumps", max_tokens=6)
    assert not answer.tool_calls
    assert len(answer.invalid_tool_calls) == 1


async def test_a_tool_may_be_left_alone_and_its_answer_is_read(chat: TransformersChat) -> None:
    bound = chat.bind_tools([ping], tool_choice="none")
    assert not (await bound.ainvoke("Say hello.", max_tokens=8)).tool_calls
    call = {"name": "ping", "args": {}, "id": "1"}
    heard = [HumanMessage("Ping!"), AIMessage("", tool_calls=[call]), ToolMessage("pong", tool_call_id="1")]
    assert (await chat.bind_tools([ping]).ainvoke(heard, max_tokens=8)).usage_metadata


def test_a_tool_that_is_not_offered_cannot_be_demanded(chat: TransformersChat) -> None:
    with pytest.raises(ValueError, match="no such tool; choices: auto, any, none, ping"):
        chat.bind_tools([ping], tool_choice="pong")


def test_threads_without_a_loop_share_the_model_too(chat: TransformersChat) -> None:
    texts: list[str] = []
    threads = [
        threading.Thread(target=lambda: texts.append(chat.invoke("Say hello.", max_tokens=6).text)) for _ in range(3)
    ]
    for one in threads:
        one.start()
    deadline = time.monotonic() + 60
    for one in threads:
        one.join(deadline - time.monotonic())
    assert len(texts) == 3
    assert len(set(texts)) == 1


def test_a_failure_on_the_engine_reaches_who_waits_and_the_next_is_served(chat: TransformersChat) -> None:
    class Broken:
        finished = False

        def pick(self, logits: Any, left: int) -> list[int]:
            raise RuntimeError("out of memory")

    from connectors.models.engine import Request

    heard: list[Any] = []
    done = threading.Event()

    def deliver(event: Any) -> None:
        heard.append(event)
        done.set()

    chat.engine.submit(Request([1, 2, 3], 4, frozenset(), Broken(), deliver))
    assert done.wait(30)
    assert isinstance(heard[0], RuntimeError)
    assert chat.invoke("Say hello.", max_tokens=4).text


def test_the_model_says_what_it_is(embedded: LoadedModel) -> None:
    assert embedded.name == "SmolLM2-135M-Instruct"
    assert "135M parameters, in this process" in embedded.description
    assert not embedded.capable
    assert json.dumps(embedded.chat._identifying_params)
