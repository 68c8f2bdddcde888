"""How soon an event is acknowledged while the model hangs: `rolecall serve` at 50 events a second, for half a minute.

Compared with the same events when nothing has to be worked on, because each of them was taken in before.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from aiohttp import ClientSession, web
from rich.console import Console
from rich.table import Table

from connectors.chat.signing import signed

RATE = 50
SECONDS = 30
PEOPLE = 40
SECRET = "a secret of the benchmark"
ROLES = """
version: 1
tenants: {slack: [T0HOME]}
labels: [company]
roles:
  everyone: {applies_to: members, read: [company], tools: [search_documents]}
"""
DOCUMENT = "# Canteen\n\nThe canteen opens at 6:30 and closes at 15:00.\n"


async def _hang(_: web.Request) -> web.Response:
    await asyncio.sleep(3600)
    return web.Response()


async def _chat(request: web.Request) -> web.Response:
    call = await request.json()
    return web.json_response({"posted": call["key"]} if call["do"] == "post" else {})


def company(folder: Path, port: int, other: int, people: int = PEOPLE) -> Path:
    """A company of so many people on `port`; its model and its chat are both on the port `other`."""
    (folder / "documents").mkdir()
    (folder / "documents" / "canteen.md").write_text(DOCUMENT)
    (folder / "roles.yaml").write_text(ROLES)
    (folder / "secret").write_text(SECRET)
    everybody = "".join(f"  p{number}: {{id: slack-user:T0HOME/U0P{number}}}\n" for number in range(people))
    (folder / "directory.yaml").write_text(f"people:\n{everybody}")
    config = folder / "rolecall.yaml"
    config.write_text(
        "version: 1\ndirectory: directory.yaml\n"
        'sources: [{name: acme, path: documents, labels: {"**": [company]}}]\n'
        f"model: {{provider: openai, name: slow, url: 'http://127.0.0.1:{other}/v1'}}\nanswers: {{style: compose}}\n"
        f"doors: {{webhook: {{secret: {{file: {folder / 'secret'}}}, url: 'http://127.0.0.1:{other}/chat'}}}}\n"
        f"serve: {{port: {port}}}\n"
    )
    return config


async def _send(session: ClientSession, port: int, number: int) -> tuple[float, int]:
    event = {"event": f"e{number}", "as": f"p{number % PEOPLE}", "thread": f"t{number}", "text": "When is lunch?"}
    body, started = json.dumps(event).encode(), time.perf_counter()
    url = f"http://127.0.0.1:{port}/webhook"
    async with session.post(url, data=body, headers=signed(SECRET, time.time(), body)) as response:
        await response.read()
    return time.perf_counter() - started, response.status


async def _load(port: int) -> list[tuple[float, int]]:
    """Send all events at their times, whether or not earlier ones have been acknowledged."""
    async with ClientSession() as session:
        sent = []
        for number in range(RATE * SECONDS):
            sent.append(asyncio.create_task(_send(session, port, number)))
            await asyncio.sleep(1 / RATE)
        return list(await asyncio.gather(*sent))


async def _run(folder: Path) -> list[tuple[str, list[tuple[float, int]]]]:
    app = web.Application()
    app.router.add_post("/v1/chat/completions", _hang)
    app.router.add_post("/chat", _chat)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = free_port()
    config = company(folder, port, runner.addresses[0][1])
    command = [sys.executable, "-m", "bot", "--config", str(config)]
    env, nowhere = {**os.environ, "OMP_NUM_THREADS": "1"}, asyncio.subprocess.DEVNULL
    sync = await asyncio.create_subprocess_exec(*command, "sync", stdout=nowhere, stderr=nowhere, env=env)
    await sync.wait()
    served = await asyncio.create_subprocess_exec(
        *command, "serve", "--json", stdout=asyncio.subprocess.PIPE, stderr=nowhere, env=env
    )
    assert served.stdout is not None
    try:
        await served.stdout.readline()
        return [("new, the model hangs", await _load(port)), ("taken in before", await _load(port))]
    finally:
        served.send_signal(signal.SIGKILL)
        await served.wait()
        await runner.cleanup()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _show(rows: Sequence[tuple[str, list[tuple[float, int]]]]) -> None:
    table = Table("events", "sent", "status 200", "p50 ms", "p99 ms", "worst ms")
    for name, results in rows:
        took = sorted(seconds * 1000 for seconds, _ in results)
        good = sum(status == 200 for _, status in results)
        figures = (statistics.median(took), took[int(len(took) * 0.99)], took[-1])
        table.add_row(name, str(len(took)), str(good), *(f"{one:.0f}" for one in figures))
    Console().print(table)


def main() -> None:
    """Run both and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        _show(asyncio.run(_run(Path(folder))))


if __name__ == "__main__":
    main()
