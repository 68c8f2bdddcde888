"""A model behind an OpenAI-compatible URL: a real server process, and servers that fail in every way they can."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk
from langchain_core.tools import tool

from bot.assistant.chains import STEPS
from bot.assistant.supervisor import Supervisor
from bot.errors import ModelUnavailable
from bot.settings import ModelSettings
from bot.types import Answer, Done
from connectors.models.load import LoadedModel, load_chat_model
from connectors.models.server import connect
from tests.assistant.library import heard
from tests.assistant.test_chains import BOTH, POLICY, Desk, asked
from tests.fakes import FakeRouter

STARTS = 90.0
"""Seconds that the server may take to load the model."""


@tool
def search_documents(query: str) -> str:
    """Search the company's documents."""
    return query


@pytest.fixture(scope="module")
def server(embedded: LoadedModel, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BaseChatModel]:
    """`transformers serve` with the embedded model, as one would start it by hand."""
    for package in ("fastapi", "uvicorn"):
        pytest.importorskip(package)
    (folder,) = [path for path in cache.iterdir() if path.is_dir()]
    port = free_port()
    command = [str(Path(sys.executable).with_name("transformers")), "serve", str(folder), "--host", "127.0.0.1"]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("wb") as out:
        process = subprocess.Popen([*command, "--port", str(port)], env=environment, stdout=out, stderr=out)
    try:
        wait_for(f"http://127.0.0.1:{port}/health", process, log)
        settings = ModelSettings(
            provider="openai", name=str(folder), url=f"http://127.0.0.1:{port}/v1", max_new_tokens=24
        )
        yield load_chat_model(settings, cache).chat
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + STARTS
    while time.monotonic() < until and process.poll() is None:
        try:
            with urlopen(url, timeout=2):
                return
        except (URLError, OSError):
            time.sleep(0.3)
    pytest.fail(f"`transformers serve` did not start: {log.read_text(errors='replace')[-300:]}")


@pytest.mark.asyncio(loop_scope="module")
async def test_a_real_server_answers_streams_and_is_told_of_tools(server: BaseChatModel) -> None:
    answer = await server.ainvoke("What is the capital of France?")
    assert "Paris" in answer.text
    pieces = [chunk.text async for chunk in server.astream("What is the capital of France?")]
    assert len([piece for piece in pieces if piece]) > 2
    assert "Paris" in "".join(pieces)
    assert (await server.bind_tools([search_documents]).ainvoke("Hello!")).response_metadata["model_name"]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_chain_ends_and_keeps_its_grounds_whatever_the_model_says(server: BaseChatModel) -> None:
    desk = Desk()
    supervisor = Supervisor(server, desk.tools(), FakeRouter("search_documents"), capable=True)
    events = [event async for event in supervisor.answer(asked("Find our refund policy and draft a friendly reply"))]
    assert isinstance(events[-1], Done)
    names = [name for name, _ in desk.asked]
    assert names[0] == "search_documents"
    assert len(names) <= STEPS
    assert events[-1].answer.documents == {"policy.md", "read.md"}


@pytest.mark.asyncio(loop_scope="module")
async def test_what_the_server_does_not_know_is_told(server: BaseChatModel) -> None:
    url = str(server.openai_api_base)  # type: ignore[attr-defined]
    other = connect(ModelSettings(provider="openai", name="/no/such/model", url=url), None, retries=0)
    with pytest.raises(ModelUnavailable, match="The model server"):
        await other.ainvoke("Hello!")


@contextmanager
def scripted(*tools: str) -> Iterator[BaseChatModel]:
    """A server in a process of its own that calls these tools, one after the other."""
    command = [sys.executable, str(Path(__file__).with_name("scripted.py")), *tools]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            yield connect(ModelSettings(provider="openai", name="scripted", url=f"http://127.0.0.1:{port}/v1"), None)
        finally:
            process.kill()


async def chained(*tools: str) -> tuple[list[str], Answer]:
    """What a request of two parts leads to when the server calls these tools: who was asked, and the answer."""
    desk = Desk()
    with scripted(*tools) as chat:
        supervisor = Supervisor(chat, desk.tools(), FakeRouter("search_documents"), capable=True)
        events = [event async for event in supervisor.answer(asked(BOTH, "search_documents", "draft"))]
    assert isinstance(events[-1], Done)
    return [name for name, _ in desk.asked], events[-1].answer


async def test_a_server_chains_two_tools_and_its_own_words_are_not_the_answer() -> None:
    names, answer = await chained("search_documents", "draft")
    assert names == ["search_documents", "draft"]
    assert (answer.plan.tool, answer.plan.by, answer.plan.then) == ("search_documents", "model", ("draft",))
    assert (answer.text, answer.sources) == ("お返事", (POLICY,))
    assert answer.documents == {"policy.md", "read.md"}


async def test_a_server_cannot_chain_to_what_is_not_granted() -> None:
    names, answer = await chained("search_documents", "translate")
    assert names == ["search_documents"]
    assert (answer.sources, answer.plan.then) == ((POLICY,), ())


CHUNK = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
PIECE = f"data: {json.dumps(CHUNK | {'choices': [{'index': 0, 'delta': {'content': 'Half'}}]})}\n\n"
FAULTS = {
    "status 500": "failed .status 500.",
    "refused key": "refused our key",
    "busy": "busy; please try again",
    "HTML": "cannot be understood",
    "no JSON": "cannot be understood",
    "other JSON": "cannot be understood",
    "broken off": "broke off in the middle|cannot be reached",
    "hanging": "did not answer in time",
    "cut stream": "broke off in the middle|cannot be reached",
}


class Faulty(BaseHTTPRequestHandler):
    """Fails as the first part of the path says."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        kind = self.path.split("/")[1].replace("%20", " ")
        match kind:
            case "status 500":
                self._say(500, b'{"error": {"message": "boom"}}')
            case "refused key":
                self._say(401, b'{"error": {"message": "no"}}')
            case "busy":
                self._say(429, b'{"error": {"message": "later"}}')
            case "HTML":
                self._say(200, b"<html>It works!</html>", "text/html")
            case "no JSON":
                self._say(200, b"{")
            case "other JSON":
                self._say(200, b'{"answer": 42}')
            case "hanging":
                time.sleep(1.5)
            case "broken off":
                self._say(200, b"{", length=1000)
            case "cut stream":
                self._say(200, PIECE.encode(), "text/event-stream", length=5000)
        self.close_connection = True

    def _say(self, status: int, body: bytes, kind: str = "application/json", length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length or len(body)))
        self.send_header("Connection", "close")  # a kept one would outlive the event loop of its test
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def faulty() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Faulty)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("fault", FAULTS)
async def test_every_way_to_fail_has_its_words(faulty: str, fault: str) -> None:
    settings = ModelSettings(provider="openai", name="m", url=f"{faulty}/{fault.replace(' ', '%20')}/v1")
    chat = connect(settings, "key", timeout=1.0, retries=0)
    asked = streamed(chat) if fault == "cut stream" else chat.ainvoke("Hello!")
    with pytest.raises(ModelUnavailable, match=FAULTS[fault]):
        await asked


async def streamed(chat: BaseChatModel) -> str:
    return "".join([chunk.text async for chunk in chat.astream("Hello!")])


async def test_a_server_that_is_not_there_is_told() -> None:
    settings = ModelSettings(provider="openai", name="m", url=f"http://127.0.0.1:{free_port()}/v1")
    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        await asyncio.wait_for(connect(settings, None).ainvoke("Hello!"), 30)


CALLS: dict[str, tuple[str, Any, bool]] = {
    "right": ("search_documents", '{"query": "leave"}', True),
    "an object instead of a text": ("search_documents", {"query": "leave"}, True),
    "a list": ("search_documents", '["leave"]', False),
    "a list instead of a text": ("search_documents", ["leave"], False),
    "a text": ("search_documents", '"leave"', False),
    "a number": ("search_documents", "7", False),
    "null": ("search_documents", "null", False),
    "wrong type": ("search_documents", '{"query": 7}', False),
    "missing key": ("search_documents", "{}", False),
    "broken JSON": ("search_documents", '{"query": "lea', False),
    "unknown tool": ("delete_everything", '{"query": "leave"}', False),
}


class Calling(Faulty):
    """Calls a tool as the first part of the path says, whole or in a stream; or writes on until nobody listens."""

    begun = Event()
    left = Event()

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        kind = self.path.split("/")[1].replace("%20", " ")
        if kind == "endless":
            self._endless()
        elif kind == "hanging":
            self.begun.set()
            while self.rfile.read(1):
                pass
            self.left.set()
        else:
            name, arguments, _ = CALLS[kind]
            self._call(name, arguments, bool(asked.get("stream")))
        self.close_connection = True

    def _call(self, name: str, arguments: Any, stream: bool) -> None:
        call = {"id": "c1", "type": "function", "function": {"name": name, "arguments": arguments}}
        if not stream:
            message = {"role": "assistant", "content": "So:", "tool_calls": [call]}
            body = CHUNK | {"object": "chat.completion", "choices": [{"index": 0, "message": message}]}
            return self._say(200, json.dumps(body).encode())
        halves = [arguments[:4], arguments[4:]] if isinstance(arguments, str) else [arguments, ""]
        first = call | {"index": 0, "function": {"name": name, "arguments": halves[0]}}
        deltas = [
            {"content": "So:"},
            {"tool_calls": [first]},
            {"tool_calls": [{"index": 0, "function": {"arguments": halves[1]}}]},
        ]
        rows = [CHUNK | {"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
        text = "".join(f"data: {json.dumps(row)}\n\n" for row in rows) + "data: [DONE]\n\n"
        return self._say(200, text.encode(), "text/event-stream")

    def _endless(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        try:
            while True:
                self.wfile.write(PIECE.encode())
                self.wfile.flush()
                time.sleep(0.01)
        except OSError:
            self.left.set()


@pytest.fixture(scope="module")
def calling() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Calling)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # of LangChain's, where arguments are no text
@pytest.mark.parametrize("kind", CALLS)
async def test_a_call_that_does_not_fit_its_schema_is_filed_as_invalid(calling: str, kind: str) -> None:
    settings = ModelSettings(provider="openai", name="m", url=f"{calling}/{kind.replace(' ', '%20')}/v1")
    bound = connect(settings, "key", retries=0).bind_tools([search_documents])
    streamed = AIMessageChunk(content="")
    async for chunk in bound.astream("Leave?"):
        streamed += chunk
    name, _, fits = CALLS[kind]
    for answer in (streamed, await bound.ainvoke("Leave?")):
        assert answer.text == "So:"
        filed = answer.tool_calls if fits else answer.invalid_tool_calls
        assert [call["name"] for call in filed] == [name]
        assert len(answer.tool_calls) + len(answer.invalid_tool_calls) == 1


@pytest.mark.parametrize("kind", ["a list", "a list instead of a text", "broken JSON", "wrong type"])
async def test_a_call_that_does_not_fit_gives_way_to_the_planners_own_choice(calling: str, kind: str) -> None:
    desk = Desk()
    chat = connect(
        ModelSettings(provider="openai", name="m", url=f"{calling}/{kind.replace(' ', '%20')}/v1"), "key", retries=0
    )
    supervisor = Supervisor(chat, desk.tools(), FakeRouter("draft"), mode="model", capable=True)
    events = [event async for event in supervisor.answer(asked("Tell them", "search_documents", "draft"))]
    assert isinstance(events[-1], Done)
    assert [name for name, _ in desk.asked] == ["draft"]
    assert events[-1].answer.plan.by == "router"


@pytest.mark.parametrize("how", ["ainvoke", "a turn"])
async def test_whoever_is_cancelled_closes_the_connection(calling: str, how: str) -> None:
    Calling.begun.clear()
    Calling.left.clear()
    url = f"{calling}/hanging/v1"
    chat = connect(ModelSettings(provider="openai", name="m", url=url), "key", retries=0)
    if how == "ainvoke":
        waiting: asyncio.Task[Any] = asyncio.create_task(chat.ainvoke("Hello!"))
    else:
        supervisor = Supervisor(chat, Desk().tools(), FakeRouter("draft"), mode="model", capable=True)
        waiting = asyncio.create_task(heard(supervisor.answer(asked("Tell them", "draft"))))
    assert await asyncio.to_thread(Calling.begun.wait, 20)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await asyncio.to_thread(Calling.left.wait, 20)


async def test_whoever_turns_away_closes_the_connection(calling: str) -> None:
    Calling.left.clear()
    chat = connect(ModelSettings(provider="openai", name="m", url=f"{calling}/endless/v1"), "key", retries=0)
    async with aclosing(chat.astream("Hello!")) as pieces:
        async for _ in pieces:
            break
    assert await asyncio.to_thread(Calling.left.wait, 20)
