"""What those who run Rolecall see of it: metrics, traces and logs, and nothing of what was said."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from prometheus_client.parser import text_string_to_metric_families

from bot.delivery.answering import Answering
from bot.delivery.monitoring import CURRENT
from bot.delivery.receiving import Receiver
from bot.errors import DoorUnavailable, ModelUnavailable, Undeliverable
from bot.logs import JsonLines, PlainLines
from bot.ports import Queue, SyncRun
from bot.service import open_service
from bot.types import Answer, Delta, Done, Message, Reply, Turn
from connectors.monitoring.metrics import Metrics
from connectors.monitoring.traces import open_tracer
from connectors.sync_runs import SqlSyncRuns
from tests.connectors.databases import ENGINES, database
from tests.delivery.house import ALL, FIONA, POLICY, SEARCH, House
from tests.delivery.soak.company import SECRET
from tests.delivery.soak.driver import Sender, all_answered
from tests.delivery.soak.peer import Peer
from tests.delivery.test_answering import Scripted, failing

SECRET_WORDS = "What was the revenue of Zanzibar?"


def watched(house: House, metrics: Metrics) -> House:
    """The same house, watched."""
    doors = {"fake": house.door}
    house.answering = Answering(
        house.inbox, house.journal, doors, house.turns, house.gate, house.clock, house.new_id, monitor=metrics
    )
    house.receiver = Receiver(house.inbox, lambda: POLICY, house.clock, lambda: None, monitor=metrics)
    return house


def sample(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


async def test_a_message_is_counted_from_door_to_answer() -> None:
    metrics = Metrics()
    house = watched(House(), metrics)
    await house.say(SECRET_WORDS, FIONA, ALL, "m1")
    await house.receiver.receive("fake:m1", Message("m1", FIONA, ALL, SECRET_WORDS))
    house.clock.now += 3
    await house.answer_next()
    assert sample(metrics, "rolecall_messages_total", door="fake", verdict="accepted") == 1
    assert sample(metrics, "rolecall_messages_total", door="fake", verdict="duplicate") == 1
    assert sample(metrics, "rolecall_answers_total", tool="search_documents", by="router") == 1
    assert waits(metrics) == {"first_word": (1, 3), "answer": (1, 3)}
    assert "Zanzibar" not in metrics.text().decode()


def waits(metrics: Metrics) -> dict[str, tuple[float | None, float | None]]:
    """How many waits were told and how long they were in sum, by what was waited for."""
    name = "rolecall_wait_seconds"
    return {
        until: (sample(metrics, f"{name}_count", until=until), sample(metrics, f"{name}_sum", until=until))
        for until in ("first_word", "answer")
    }


async def test_the_first_word_is_the_first_that_is_shown_and_counts_once() -> None:
    house: House

    async def growing(turn: Turn) -> AsyncIterator[Reply]:
        for text in ("Too soon to be shown. ", "Shown. ", "Shown too."):
            yield Delta(text)
            await asyncio.sleep(0.02)
            house.clock.now += 2
        yield Done(Answer("All of it."))

    metrics = Metrics()
    house = watched(House(assistant=Scripted(growing)), metrics)
    await house.say("What was revenue?")
    await house.answer_next()
    assert waits(metrics) == {"first_word": (1, 2), "answer": (1, 6)}


async def test_a_notice_is_no_word_of_an_answer() -> None:
    metrics = Metrics()
    house = watched(House(assistant=Scripted(failing(ModelUnavailable("It cannot be reached.")))), metrics)
    await house.say("What was revenue?")
    await house.answer_next()
    assert waits(metrics) == {"first_word": (None, None), "answer": (None, None)}


MODEL = "model: {{provider: openai, name: stood-in, url: 'http://127.0.0.1:{port}/v1'}}\nanswers: {{style: compose}}\n"
DOOR = "doors: {{webhook: {{secret: {{file: secret}}, url: '{chat}'}}}}\nserve: {{port: 0}}\n"
QUESTIONS = [
    ("fiona", "What was net revenue in 2025?"),
    ("oskar", "Write a Python function that reverses a list."),
    ("gus", "When does the canteen open?"),
]
TOLD = {
    "queue age": {("rolecall_queue_age_seconds",)},
    "queue depth": {("rolecall_queue_messages", state) for state in ("waiting", "running", "dead")},
    "time to the first word and to the answer": {
        ("rolecall_wait_seconds_count", "first_word"),
        ("rolecall_wait_seconds_count", "answer"),
    },
    "by step": {("rolecall_step_seconds_count", step) for step in ("plan", "search", "answer", "total")},
    "tokens": {("rolecall_tokens_total", "read"), ("rolecall_tokens_total", "written")},
    "refusals by layer": {("rolecall_refusals_total", "policy"), ("rolecall_refusals_total", "planner")},
    "tool use": {("rolecall_answers_total", "router", "search_documents")},
    "sync age and failures": {
        ("rolecall_sync_finished_seconds", "acme"),
        ("rolecall_sync_failed_documents", "acme"),
    },
    "breakers": {("rolecall_breaker_open", "model"), ("rolecall_breaker_open", "index")},
    "policy": {("rolecall_policy_alarm",)},
}


async def test_everything_that_is_promised_is_told_over_http(company: Path, tmp_path: Path) -> None:
    shutil.copytree(company.parent, tmp_path / "acme", symlinks=True)
    config = tmp_path / "acme" / company.name
    (config.parent / "secret").write_text(SECRET, encoding="utf-8")
    peer = Peer(SECRET)
    async with peer.listening(), _model() as port, ClientSession() as session:
        with config.open("a", encoding="utf-8") as file:
            file.write(MODEL.format(port=port) + DOOR.format(chat=peer.url))
        async with open_service(config) as service:
            work = asyncio.create_task(service.worker.run())
            sender = Sender([f"http://127.0.0.1:{service.port}/webhook"])
            for number, (who, text) in enumerate(QUESTIONS):
                await sender.send(session, f"e{number}", who, "", "", text)
            await all_answered(peer, [[f"e{number}" for number in range(len(QUESTIONS))]], 60.0)
            async with session.get(f"http://127.0.0.1:{service.port}/metrics") as response:
                text = await response.text()
            service.worker.stop()
            await work
    samples = [one for family in text_string_to_metric_families(text) for one in family.samples]
    told = {(one.name, *(value for _, value in sorted(one.labels.items()))): one.value for one in samples}
    for promise, names in TOLD.items():
        assert names <= set(told), promise
    assert told["rolecall_tokens_total", "read"] >= 100
    assert told["rolecall_wait_seconds_count", "first_word"] == told["rolecall_wait_seconds_count", "answer"] == 3
    (build,) = [one.labels for one in samples if one.name == "rolecall_build_info"]
    assert build["sandbox"] in ("none", "bubblewrap", "landlock")
    assert SECRET_WORDS not in text


@asynccontextmanager
async def _model() -> AsyncIterator[int]:
    """A model server that says one sentence and how many tokens that took; gives its port."""
    chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "stood-in"}
    said = {**chunk, "choices": [{"index": 0, "delta": {"content": "Net revenue was 91.4 million dollars."}}]}
    ends = {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    took = {**chunk, "choices": [], "usage": {"prompt_tokens": 100, "completion_tokens": 9, "total_tokens": 109}}

    async def complete(request: web.Request) -> web.Response:
        asked = await request.json()
        tells = (asked.get("stream_options") or {}).get("include_usage")
        chunks = [json.dumps(one) for one in ((said, ends, took) if tells else (said, ends))]
        lines = "".join(f"data: {one}\n\n" for one in (*chunks, "[DONE]"))
        return web.Response(text=lines, content_type="text/event-stream")

    app = web.Application()
    app.router.add_post("/v1/chat/completions", complete)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def test_a_refusal_names_its_layer() -> None:
    metrics = Metrics()
    house = watched(House(), metrics)
    await house.say("What was revenue?", FIONA)
    await house.records.delete("airline/report.pdf")
    await house.answer_next()
    assert sample(metrics, "rolecall_refusals_total", layer="gate") == 1


async def test_a_turn_is_a_trace_that_says_nothing_unless_told_to() -> None:
    for says in (False, True):
        kept = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(kept))
        made = Answer(f"You asked: {SECRET_WORDS}", plan=SEARCH, ms={"search": 3.0})
        house = watched(House(lambda _, made=made: [Done(made)]), Metrics(provider.get_tracer("test"), says))
        await house.say(SECRET_WORDS, FIONA, ALL)
        await house.answer_next()
        spans = {span.name: dict(span.attributes or {}) for span in kept.get_finished_spans()}
        assert {"rolecall.turn", "rolecall.gate", "rolecall.show"} <= set(spans)
        assert spans["rolecall.turn"]["rolecall.answer"] == "a1"
        assert spans["rolecall.turn"]["rolecall.tool"] == "search_documents"
        assert spans["rolecall.turn"]["rolecall.ms.search"] == 3.0
        assert ("Zanzibar" in repr([span.to_json() for span in kept.get_finished_spans()])) == says
        assert (spans["rolecall.turn"].get("rolecall.question") == SECRET_WORDS) == says


@pytest.mark.parametrize("says", [False, True])
async def test_an_error_is_named_in_a_trace_by_its_kind_since_its_words_may_quote_the_question(says: bool) -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    assistant = Scripted(failing(ValueError(f"cannot read {SECRET_WORDS!r}")))
    house = watched(House(assistant=assistant), Metrics(provider.get_tracer("test"), says))
    await house.say(SECRET_WORDS)
    await house.answer_next()
    (turn,) = [span for span in kept.get_finished_spans() if span.name == "rolecall.turn"]
    assert (turn.attributes or {})["error.type"] == "ValueError"
    assert turn.status.status_code is StatusCode.ERROR
    assert ("Zanzibar" in turn.to_json()) == says


async def test_traces_go_to_the_collector_that_is_named() -> None:
    paths: list[str] = []

    async def collect(request: web.Request) -> web.Response:
        paths.append(request.path)
        await request.read()
        return web.Response()

    app = web.Application()
    app.router.add_post("/v1/traces", collect)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()

    def send(port: int) -> None:
        with open_tracer(f"http://127.0.0.1:{port}/", "1.0") as tracer:
            assert tracer is not None
            with tracer.start_as_current_span("one"):
                pass

    await asyncio.to_thread(send, runner.addresses[0][1])
    await runner.cleanup()
    assert paths == ["/v1/traces"]
    with open_tracer(None, "1.0") as none:
        assert none is None


@pytest.mark.parametrize("engine", ENGINES)
async def test_the_last_sync_of_each_source_is_kept(engine: str, tmp_path: Path) -> None:
    async with database(engine, tmp_path) as opened:
        runs = SqlSyncRuns(opened)
        await runs.save(SyncRun("handbook", 1.0, 5, 0, 0, 1))
        await runs.save(last := SyncRun("handbook", 2.0, 0, 1, 0, 0))
        assert await runs.all() == [last]
    metrics = Metrics()
    metrics.stands(Queue(3, 1, 0, 12.5), {"model": True}, [last], alarm=False)
    assert sample(metrics, "rolecall_sync_finished_seconds", source="handbook") == 2.0
    assert sample(metrics, "rolecall_queue_age_seconds") == 12.5
    assert sample(metrics, "rolecall_breaker_open", service="model") == 1


@asynccontextmanager
async def _logged() -> AsyncIterator[list[dict[str, str]]]:
    """What delivery logs, read as a machine would."""
    lines: list[dict[str, str]] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(json.loads(self.format(record)))

    handler, logger = Kept(), logging.getLogger("rolecall.delivery")
    handler.setFormatter(JsonLines())
    logger.addHandler(handler)
    try:
        yield lines
    finally:
        logger.removeHandler(handler)


def refusing(error: Exception) -> Callable[[str], None]:
    """A chat that takes no call."""

    def refuse(_: str) -> None:
        raise error

    return refuse


async def test_what_goes_wrong_is_logged_under_the_id_that_the_person_and_the_audit_know() -> None:
    house = House(assistant=Scripted(failing(ModelUnavailable("refused"))))
    await house.say("What was revenue?")
    house.clock.now += 901
    async with _logged() as lines:
        await asyncio.create_task(house.answer_next())
    (apology,) = house.door.standing
    assert lines[-1]["answer"] == apology.post.id == house.journal.entries[-1].answer


async def test_an_answer_that_an_earlier_process_made_is_logged_under_its_id_while_it_is_shown() -> None:
    house = House()
    await house.say("What was revenue?")
    house.door.before = refusing(Undeliverable("the room is gone"))
    claim = await house.inbox.claim("w", house.clock(), 12.0)
    assert claim is not None
    await house.inbox.answered(claim, Answer("Recorded.", id="a77"), (), ())
    house.clock.now += 60
    async with _logged() as lines:
        await asyncio.create_task(house.answer_next())
    assert [line["answer"] for line in lines] == ["a77"]


async def test_a_message_whose_chat_stays_away_counts_as_failed() -> None:
    metrics = Metrics()
    house = watched(House(), metrics)
    await house.say("What was revenue?")
    house.door.before = refusing(DoorUnavailable("away"))
    house.clock.now += 901
    await house.answer_next()
    assert house.inbox.rows[0].state == "dead"
    assert sample(metrics, "rolecall_ended_total", how="failed") == 1


def test_a_line_of_the_log_names_its_answer() -> None:
    record = logging.LogRecord("rolecall.delivery", logging.ERROR, "", 0, "gave up %s", ("e1",), None)
    token = CURRENT.set("a1")
    try:
        assert json.loads(JsonLines().format(record)) | {"time": ""} == {
            "time": "",
            "level": "error",
            "logger": "rolecall.delivery",
            "message": "gave up e1",
            "answer": "a1",
        }
        assert PlainLines().format(record).endswith("ERROR rolecall.delivery: gave up e1 [answer a1]")
    finally:
        CURRENT.reset(token)
