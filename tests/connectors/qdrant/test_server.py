"""The server engine against a listener that records every request and answers as it is told to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bot.errors import ConfigError, IndexUnavailable
from connectors.qdrant.engine import Space
from connectors.qdrant.gateway import Gateway
from connectors.qdrant.server import connect
from tests.connectors.qdrant.wire import standing_in
from tests.connectors.qdrant.worlds import HashEmbeddings, access_of, passage

ACCESS = access_of([["hr", "company"], ["hr", "filings"]])
FILTER = {
    "must": [
        {"key": "labels", "match": {"any": ["company", "hr"]}},
        {"key": "labels", "match": {"any": ["filings", "hr"]}},
    ]
}


@dataclass
class Listener:
    """Stands where a Qdrant server would. `answers` maps the end of a path to (status, body); seconds make it slow."""

    url: str = ""
    answers: dict[str, tuple[int, str]] = field(default_factory=dict)
    slow: float = 0.0
    asked: list[tuple[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            made.asked.append((f"{self.command} {self.path}", json.loads(body) if body else None))
            made.keys.append(self.headers.get("api-key"))
            time.sleep(made.slow)
            path = self.path.split("?")[0]
            status, text = next((made.answers[end] for end in made.answers if path.endswith(end)), (200, _RESULT))
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815

        def log_message(self, *arguments: object) -> None:
            return

    class Server(ThreadingHTTPServer):
        def handle_error(self, *arguments: object) -> None:
            """A client that gave up is what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    made.answers = {
        "/exists": (200, _ok({"exists": False})),
        "/index": (200, _ok({"operation_id": 1, "status": "completed"})),
        "/query": (200, _ok({"points": []})),
    }
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def _ok(result: object) -> str:
    return json.dumps({"result": result, "status": "ok", "time": 0.0})


_RESULT = _ok(True)


def filters_in(request: Any) -> list[object]:
    """The filters of a query, of all its prefetches, and of the points among which words are counted."""
    found = [request.get("filter")]
    for one in request.get("prefetch") or []:
        found += filters_in(one)
    idf = (request.get("params") or {}).get("idf")
    using_words = request.get("using") == "bm25"
    return found + ([idf.get("corpus") if idf else None] if using_words else [])


def plain(value: Any) -> Any:
    """JSON without what is null."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items() if one is not None}
    return [plain(one) for one in value] if isinstance(value, list) else value


async def test_every_part_of_every_query_carries_the_filter(listener: Listener) -> None:
    gateway = Gateway(connect(listener.url, None, "rolecall"), HashEmbeddings())
    await gateway.search("turbine", ACCESS)
    await gateway.legs("turbine", ACCESS, 5)
    queries = [plain(body) for path, body in listener.asked if path.endswith("/points/query")]
    assert len(queries) == 6
    filters = [one for query in queries for one in filters_in(query)]
    assert len(filters) == 16
    assert filters == [FILTER] * len(filters)
    await gateway.close()


async def test_a_new_collection_has_indexes_for_the_filter_and_remembers_its_model(listener: Listener) -> None:
    gateway = Gateway(connect(listener.url, None, "rolecall"), HashEmbeddings(), "mini")
    made = {path: plain(body) for path, body in listener.asked}
    create = next(body for path, body in made.items() if path.startswith("PUT /collections/rolecall?"))
    assert create["metadata"]["model"] == "mini"
    assert create["sparse_vectors"] == {"bm25": {"modifier": "idf"}}
    indexes = [plain(body) for path, body in listener.asked if "/index" in path]
    assert [one["field_name"] for one in indexes] == ["labels", "document"]
    assert indexes[0]["field_schema"] == {"type": "keyword", "is_tenant": True}
    await gateway.close()


def test_the_key_is_sent_and_never_written(listener: Listener, caplog: pytest.LogCaptureFixture) -> None:
    listener.answers["/exists"] = (403, '{"status": {"error": "forbidden"}}')
    with pytest.warns(UserWarning, match="insecure"):
        engine = connect(listener.url, "s3cret", "rolecall")
    with pytest.raises(IndexUnavailable) as raised:
        engine.open(8, "hash")
    assert listener.keys == ["s3cret"]
    assert "s3cret" not in str(raised.value) + caplog.text


def test_a_collection_of_another_model_is_refused(listener: Listener) -> None:
    config: dict[str, Any] = {
        "params": {},
        "hnsw_config": {"m": 16, "ef_construct": 100, "full_scan_threshold": 10000},
        "optimizer_config": {
            "deleted_threshold": 0.2,
            "vacuum_min_vector_number": 1000,
            "default_segment_number": 0,
            "flush_interval_sec": 5,
        },
        "metadata": asdict(Space.of("hash", 8)),
    }
    about = {"status": "green", "optimizer_status": "ok", "segments_count": 1, "config": config, "payload_schema": {}}
    listener.answers = {"/exists": (200, _ok({"exists": True})), "/rolecall": (200, _ok(about))}
    connect(listener.url, None, "rolecall").open(8, "hash")
    config["metadata"] = {**asdict(Space.of("hash", 8)), "model": "other"}
    listener.answers["/rolecall"] = (200, _ok(about))
    with pytest.raises(ConfigError, match="the collection rolecall was made with the embedding model other"):
        connect(listener.url, None, "rolecall").open(8, "hash")


@pytest.mark.parametrize(
    "answer",
    [(500, "{}"), (503, "busy"), (403, '{"status": {"error": "no"}}'), (404, "{}"), (200, "<html>"), (200, "{}")],
)
async def test_a_failing_server_is_unavailable_and_asked_nothing_else(
    listener: Listener, answer: tuple[int, str]
) -> None:
    gateway = Gateway(connect(listener.url, None, "rolecall"), HashEmbeddings())
    listener.asked.clear()
    listener.answers = {"": answer}
    with pytest.raises(IndexUnavailable, match="does not answer"):
        await gateway.search("turbine", ACCESS)
    assert [path for path, _ in listener.asked] == ["POST /collections/rolecall/points/query"]
    assert filters_in(plain(listener.asked[0][1])) == [FILTER] * 2
    for write in (
        gateway.put([passage(1, ["hr"])]),
        gateway.relabel("d", frozenset({"hr"})),
        gateway.remove("d"),
        gateway.count(),
    ):
        with pytest.raises(IndexUnavailable):
            await write
    await gateway.close()


async def test_a_server_that_hangs_is_given_up(listener: Listener) -> None:
    gateway = Gateway(connect(listener.url, None, "rolecall", timeout=1), HashEmbeddings())
    listener.slow = 1.5
    started = time.monotonic()
    with pytest.raises(IndexUnavailable, match="does not answer"):
        await gateway.search("turbine", ACCESS)
    assert time.monotonic() - started < 1.45
    await gateway.close()


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(IndexUnavailable, match="does not answer"):
        connect("http://127.0.0.1:9", None, "rolecall").open(8, "hash")


def test_a_key_that_may_write_is_told_from_one_that_may_not(listener: Listener) -> None:
    done = _ok({"operation_id": 1, "status": "completed"})
    for status, body, may in ((200, done, True), (403, "{}", False), (401, "{}", False)):
        listener.answers = {"/points/delete": (status, body)}
        assert connect(listener.url, None, "rolecall").may_write() == may
    listener.answers = {"/points/delete": (500, "{}")}
    with pytest.raises(IndexUnavailable):
        connect(listener.url, None, "rolecall").may_write()


@pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection:UserWarning")
async def test_a_key_that_reads_is_enough_to_answer_and_for_nothing_else() -> None:
    """Sync has made the collection with the key that writes; the bot has the other one."""
    with standing_in("writes", "reads") as server:
        bot, other = connect(server.url, "reads", "rolecall"), connect(server.url, "writes", "rolecall")
        with pytest.raises(
            IndexUnavailable, match=r"no collection rolecall yet, .* `rolecall sync` with the key that writes"
        ):
            bot.open(8, "hash")
        sync = Gateway(other, HashEmbeddings())
        await sync.put([passage(1, ["hr"]), passage(2, ["sap"])])
        gateway = Gateway(bot, HashEmbeddings())
        assert [one.id for one in await gateway.search("turbine", ACCESS)] == ["p1"]
        assert await gateway.count() == 2
        server.refused.clear()
        for write in (
            gateway.put([passage(3, ["hr"])]),
            gateway.relabel("source/2.md", frozenset({"hr"})),
            gateway.remove("source/1.md"),
        ):
            with pytest.raises(IndexUnavailable, match="403"):
                await write
        assert server.refused == ["upsert", "payload", "delete"]
        assert await sync.count() == 2
        assert (bot.may_write(), other.may_write()) == (False, True)
        with pytest.raises(IndexUnavailable, match="401"):
            connect(server.url, "none of the two", "rolecall").open(8, "hash")
        await gateway.close()
        await sync.close()
