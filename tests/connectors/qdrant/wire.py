"""Stands in for a Qdrant server: the REST calls that connectors/qdrant/server.py sends, answered by qdrant-client's local mode.

The wire is real (HTTP, JSON, API keys: one that writes, one that only reads), the engine behind it is not: no graph, no
storage, one request at a time. ROLECALL_TEST_QDRANT_URL runs the same tests against a real server.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from pydantic import TypeAdapter, ValidationError
from qdrant_client import QdrantClient, models

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SELECTOR: TypeAdapter[models.PointsSelector] = TypeAdapter(models.PointsSelector)
PLAIN: TypeAdapter[Any] = TypeAdapter(Any)
DONE = {"operation_id": 0, "status": "completed"}
READS = {"exists", "about", "query", "retrieve", "count", "scroll"}


@dataclass
class StandIn:
    """The server. Without keys everybody may do everything; `refused` holds what a key was not enough for."""

    write_key: str | None = None
    read_key: str | None = None
    url: str = ""
    calls: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._client = QdrantClient(":memory:")

    def app(self) -> web.Application:
        """The addresses; each handler is named for what it does, which is how a key is judged."""
        app = web.Application(middlewares=[self._guarded], client_max_size=64 * 1024 * 1024)
        one = "/collections/{name}"
        app.router.add_get(f"{one}/exists", self.exists)
        app.router.add_get(one, self.about)
        app.router.add_put(one, self.create)
        app.router.add_put(f"{one}/index", self.index)
        for call in (self.query, self.count, self.scroll, self.payload, self.delete, self.batch):
            app.router.add_post(f"{one}/points/{call.__name__}", call)
        app.router.add_post(f"{one}/points", self.retrieve)
        app.router.add_put(f"{one}/points", self.upsert)
        return app

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Qdrant's order: who are you, may you, is there such a collection, can this be understood."""
        name = getattr(request.match_info.handler, "__name__", "")
        self.calls.append(name)
        if self.write_key is not None:
            key = request.headers.get("api-key")
            if key not in (self.write_key, self.read_key):
                return _error(401, "Invalid API key or JWT")
            if key != self.write_key and name not in READS:
                self.refused.append(name)
                return _error(403, "Forbidden: Global write access is required")
        collection = request.match_info.get("name", "")
        if name not in ("exists", "create") and not self._client.collection_exists(collection):
            return _error(404, f"Not found: Collection `{collection}` doesn't exist!")
        try:
            return await handler(request)
        except ValidationError as error:
            return _error(400, f"Format error in JSON body: {error}")
        except ValueError as error:
            return _error(400, str(error))

    async def exists(self, request: web.Request) -> web.Response:
        return _ok({"exists": self._client.collection_exists(_name(request))})

    async def about(self, request: web.Request) -> web.Response:
        return _ok(self._client.get_collection(_name(request)))

    async def create(self, request: web.Request) -> web.Response:
        asked = models.CreateCollection.model_validate(await request.json())
        self._client.create_collection(
            _name(request),
            vectors_config=asked.vectors,
            sparse_vectors_config=asked.sparse_vectors,
            metadata=asked.metadata,
        )
        return _ok(True)

    async def index(self, request: web.Request) -> web.Response:
        """Local mode looks at every payload, so an index is understood and not made."""
        models.CreateFieldIndex.model_validate(await request.json())
        return _done()

    async def query(self, request: web.Request) -> web.Response:
        asked = models.QueryRequest.model_validate(await request.json())
        found = self._client.query_points(
            _name(request),
            query=asked.query,
            using=asked.using,
            prefetch=asked.prefetch,
            query_filter=asked.filter,
            search_params=asked.params,
            limit=asked.limit or 10,
            with_payload=bool(asked.with_payload),
        )
        return _ok(found)

    async def retrieve(self, request: web.Request) -> web.Response:
        asked = models.PointRequest.model_validate(await request.json())
        return _ok(self._client.retrieve(_name(request), asked.ids, with_payload=bool(asked.with_payload)))

    async def count(self, request: web.Request) -> web.Response:
        asked = models.CountRequest.model_validate(await request.json())
        return _ok(self._client.count(_name(request), asked.filter))

    async def scroll(self, request: web.Request) -> web.Response:
        asked = models.ScrollRequest.model_validate(await request.json())
        points, after = self._client.scroll(_name(request), asked.filter, limit=asked.limit or 10, offset=asked.offset)
        return _ok(models.ScrollResult(points=points, next_page_offset=after))

    async def upsert(self, request: web.Request) -> web.Response:
        asked = models.PointsList.model_validate(await request.json())
        self._client.upsert(_name(request), asked.points)
        return _done()

    async def payload(self, request: web.Request) -> web.Response:
        asked = models.SetPayload.model_validate(await request.json())
        which = asked.points if asked.filter is None else models.FilterSelector(filter=asked.filter)
        self._client.set_payload(_name(request), asked.payload, points=which or [])
        return _done()

    async def delete(self, request: web.Request) -> web.Response:
        self._client.delete(_name(request), SELECTOR.validate_python(await request.json()))
        return _done()

    async def batch(self, request: web.Request) -> web.Response:
        asked = models.UpdateOperations.model_validate(await request.json())
        self._client.batch_update_points(_name(request), asked.operations)
        return _ok([DONE] * len(asked.operations))


def _name(request: web.Request) -> str:
    return request.match_info["name"]


def _ok(result: Any) -> web.Response:
    return web.json_response({"result": PLAIN.dump_python(result, mode="json"), "status": "ok", "time": 0.0})


def _done() -> web.Response:
    return _ok(DONE)


def _error(status: int, text: str) -> web.Response:
    return web.json_response({"status": {"error": text}, "time": 0.0}, status=status)


@contextmanager
def standing_in(write_key: str | None = None, read_key: str | None = None) -> Iterator[StandIn]:
    """A stand-in that listens in a thread of its own, for other threads and other processes."""
    made, listening, loop = StandIn(write_key, read_key), threading.Event(), asyncio.new_event_loop()

    async def listen() -> web.AppRunner:
        runner = web.AppRunner(made.app(), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        listening.set()
        return runner

    def run() -> None:
        runner = loop.run_until_complete(listen())
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=run, name="qdrant stand-in")
    thread.start()
    listening.wait(30)
    try:
        yield made
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
