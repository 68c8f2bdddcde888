"""The one HTTP server of `rolecall serve`: the doors' addresses, and two that say how it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web

from bot.errors import ConfigError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Ready = Callable[[], Awaitable[tuple[bool, Mapping[str, object]]]]
PARTING = 3.0
"""Seconds that requests under way are given when the server stops."""


@asynccontextmanager
async def open_site(
    host: str, port: int, routes: Mapping[str, Handler], ready: Ready, max_body: int
) -> AsyncIterator[int]:
    """Listen as long as the block runs; gives the port. Raises ConfigError if the address cannot be had.

    `routes` are by method and path: ``POST /webhook``.

    ``GET /healthz`` says 200 as long as the process turns; ``GET /readyz`` says 200 or 503, and why, as JSON.
    """
    app = web.Application(client_max_size=max_body)

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(_: web.Request) -> web.Response:
        good, report = await ready()
        return web.json_response({"ready": good, **report}, status=200 if good else 503)

    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    for route, handler in routes.items():
        method, _, path = route.partition(" ")
        app.router.add_route(method, path, handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=PARTING)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise ConfigError(f"serve: {host}:{port}: {error.strerror or error}; choose another port") from error
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
