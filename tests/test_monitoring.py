"""What those who run Rolecall see of it: metrics, traces and logs, and nothing of what was said."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from aiohttp import web
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bot.delivery.answering import Answering
from bot.delivery.monitoring import CURRENT
from bot.delivery.receiving import Receiver
from bot.logs import JsonLines, PlainLines
from bot.ports import Queue, SyncRun
from bot.types import Message
from connectors.monitoring.metrics import Metrics
from connectors.monitoring.traces import open_tracer
from connectors.sync_runs import SqlSyncRuns
from tests.connectors.databases import ENGINES, database
from tests.delivery.house import ALL, FIONA, POLICY, House

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
    assert sample(metrics, "rolecall_wait_seconds_sum", until="first_word") == 3
    assert sample(metrics, "rolecall_wait_seconds_count", until="answer") == 1
    assert "Zanzibar" not in metrics.text().decode()


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
        house = watched(House(), Metrics(provider.get_tracer("test"), says))
        await house.say(SECRET_WORDS, FIONA, ALL)
        await house.answer_next()
        spans = {span.name: dict(span.attributes or {}) for span in kept.get_finished_spans()}
        assert {"rolecall.turn", "rolecall.gate", "rolecall.show"} <= set(spans)
        assert spans["rolecall.turn"]["rolecall.answer"] == "a1"
        assert (spans["rolecall.turn"].get("rolecall.question") == SECRET_WORDS) == says


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
    import asyncio

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
