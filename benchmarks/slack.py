"""How soon a question in Slack shows a first sign, with the model busy, and what Rolecall costs beside a bare Bolt app.

Both get the same signed events at the same rate from the same stand-in for Slack; the bare app answers "heard" in the
thread. Shown: from the signature to the first call that people can see (status, stream or post), to the acknowledgement,
and the processor time of the process for each event.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import signal
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web
from rich.console import Console
from rich.table import Table

RATE = 20
SECONDS = 30
PEOPLE = 200
THINKING = 2.0
"""Seconds that the model takes for each call."""
SECRET = "0123456789abcdef0123456789abcdef"
TICKS = os.sysconf("SC_CLK_TCK")
ROLES = """
version: 1
tenants: {slack: [T0HOME]}
labels: [company]
roles:
  everyone: {applies_to: members, read: [company], tools: [search_documents]}
"""
DOCUMENT = "# Canteen\n\nThe canteen opens at 6:30 and closes at 15:00.\n"
BARE = """
import os, sys
from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

app = AsyncApp(signing_secret=sys.argv[3], client=AsyncWebClient("xoxb-bench", base_url=sys.argv[2]))

@app.event("message")
async def heard(event, say):
    await say(text="heard", thread_ts=event["ts"])

site = app.web_app(port=int(sys.argv[1]))
async def ready(_):
    print("ready", flush=True)
site.on_startup.append(ready)
web.run_app(site, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""


@dataclass
class Slack:
    """As much of Slack as both apps need. `signs` holds when a thread showed something first."""

    signs: dict[str, float] = field(default_factory=dict)
    _numbers: Any = field(default_factory=lambda: count(1))

    async def method(self, request: web.Request) -> web.Response:
        """Any method of the Web API."""
        method, now = request.match_info["method"], time.perf_counter()
        given = {**request.query, **(await request.json() if request.content_type == "application/json" else {})}
        if not given and request.can_read_body:
            given = dict(await request.post())
        if method in ("assistant.threads.setStatus", "chat.startStream", "chat.postMessage"):
            self.signs.setdefault(str(given.get("thread_ts")), now)
        return web.json_response({"ok": True, **self._answer(method, given)})

    def _answer(self, method: str, given: dict[str, Any]) -> dict[str, Any]:
        match method:
            case "auth.test":
                return {"team_id": "T0HOME", "user_id": "U0BOT", "bot_id": "B0BOT"}
            case "users.info":
                return {"user": {"id": given["user"], "team_id": "T0HOME"}}
            case "usergroups.list":
                return {"usergroups": []}
            case _:
                return {"ts": f"1800000000.{next(self._numbers):06d}", "channel": given.get("channel")}


async def _think(request: web.Request) -> web.Response:
    await asyncio.sleep(THINKING)
    message = {"role": "assistant", "content": "The canteen opens at 6:30 [1]."}
    return web.json_response({"id": "1", "object": "chat.completion", "choices": [{"index": 0, "message": message}]})


def _company(folder: Path, port: int, other: int) -> Path:
    """A company whose documents are one menu, and whose model is slow."""
    (folder / "documents").mkdir()
    (folder / "documents" / "canteen.md").write_text(DOCUMENT)
    (folder / "roles.yaml").write_text(ROLES)
    (folder / "secret").write_text(SECRET)
    config = folder / "rolecall.yaml"
    config.write_text(
        "version: 1\n"
        'sources: [{name: acme, path: documents, labels: {"**": [company]}}]\n'
        f"model: {{provider: openai, name: slow, url: 'http://127.0.0.1:{other}/v1'}}\nanswers: {{style: compose}}\n"
        f"doors: {{slack: {{token: {{file: {folder / 'secret'}}}, signing_secret: {{file: {folder / 'secret'}}}, "
        f"api: 'http://127.0.0.1:{other}/api/'}}}}\nserve: {{port: {port}}}\n"
    )
    return config


def _event(number: int, run: str) -> tuple[str, str]:
    """The time of a message, and the body of its event."""
    ts = f"17000{run}.{number:06d}"
    event = {"type": "message", "channel": f"D{number % PEOPLE}", "channel_type": "im", "ts": ts, "event_ts": ts}
    event |= {"user": f"U{number % PEOPLE}", "team": "T0HOME", "text": "When does the canteen open?"}
    authorization = {"team_id": "T0HOME", "user_id": "U0BOT", "is_bot": True, "is_enterprise_install": False}
    body = {"type": "event_callback", "team_id": "T0HOME", "event_id": f"Ev{run}{number}", "event": event}
    return ts, json.dumps(body | {"authorizations": [authorization]})


async def _send(session: ClientSession, url: str, body: str) -> tuple[float, float, int]:
    """Sign and send; returns when it was signed, how long the acknowledgement took, and its status."""
    started, moment = time.perf_counter(), str(int(time.time()))
    proof = hmac.new(SECRET.encode(), f"v0:{moment}:{body}".encode(), hashlib.sha256).hexdigest()
    headers = {
        "X-Slack-Request-Timestamp": moment,
        "X-Slack-Signature": f"v0={proof}",
        "Content-Type": "application/json",
    }
    async with session.post(url, data=body, headers=headers) as response:
        await response.read()
        return started, time.perf_counter() - started, response.status


@dataclass(frozen=True, slots=True)
class Result:
    """One app under load: seconds to the first sign and to the acknowledgement, and of the processor for each event."""

    signs: list[float]
    acks: list[float]
    missing: int
    cost: float


async def _load(slack: Slack, port: int, process: int, run: str) -> Result:
    before = _processor(process)
    async with ClientSession() as session:
        sent: dict[str, asyncio.Task[tuple[float, float, int]]] = {}
        for number in range(RATE * SECONDS):
            ts, body = _event(number, run)
            sent[ts] = asyncio.create_task(_send(session, f"http://127.0.0.1:{port}/slack/events", body))
            await asyncio.sleep(1 / RATE)
        results = {ts: await task for ts, task in sent.items()}
        await asyncio.sleep(3)
    seen = [slack.signs[ts] - started for ts, (started, _, _) in results.items() if ts in slack.signs]
    acks = [took for _, took, status in results.values() if status == 200]
    return Result(seen, acks, len(results) - len(seen), (_processor(process) - before) / len(results))


def _processor(process: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@asynccontextmanager
async def _running(*command: str) -> AsyncIterator[int]:
    """A process that has printed its first line; gives its id."""
    env, nowhere = {**os.environ, "OMP_NUM_THREADS": "1"}, asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=asyncio.subprocess.PIPE, stderr=nowhere, env=env
    )
    if process.stdout is None:
        raise RuntimeError("the process has no output")
    try:
        await process.stdout.readline()
        await asyncio.sleep(0.5)
        yield process.pid
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()


async def _run(folder: Path) -> list[tuple[str, Result]]:
    slack = Slack()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", _think)
    app.router.add_route("*", "/api/{method}", slack.method)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    other, port, bare_port = runner.addresses[0][1], _free_port(), _free_port()
    config = _company(folder, port, other)
    (folder / "bare.py").write_text(BARE)
    sync = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "--config", str(config), "sync", stdout=asyncio.subprocess.DEVNULL
    )
    await sync.wait()
    try:
        async with _running("-m", "bot", "--config", str(config), "serve", "--json") as process:
            rolecall = await _load(slack, port, process, "11111")
        command = (str(folder / "bare.py"), str(bare_port), f"http://127.0.0.1:{other}/api/", SECRET)
        async with _running(*command) as process:
            bare = await _load(slack, bare_port, process, "22222")
    finally:
        await runner.cleanup()
    return [("Rolecall, the model busy", rolecall), ("a bare Bolt echo app", bare)]


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _at(values: Sequence[float], share: float) -> str:
    ordered = sorted(values)
    return f"{ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000:.0f}" if ordered else "-"


def _show(rows: Sequence[tuple[str, Result]]) -> None:
    table = Table("app", "first sign p50 ms", "p95 ms", "no sign", "acknowledged p95 ms", "processor ms an event")
    for name, one in rows:
        figures = (_at(one.signs, 0.5), _at(one.signs, 0.95), str(one.missing), _at(one.acks, 0.95))
        table.add_row(name, *figures, f"{one.cost * 1000:.1f}")
    (_, mine), (_, bare) = rows
    Console().print(table)
    signs = statistics.median(mine.signs) / statistics.median(bare.signs)
    Console().print(
        f"{RATE} events/s; Rolecall over the bare app: first sign x{signs:.1f}, processor x{mine.cost / bare.cost:.1f}"
    )


def main() -> None:
    """Run both and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        _show(asyncio.run(_run(Path(folder))))


if __name__ == "__main__":
    main()
