"""A database that is locked by another one for long, and a disk that is really full: never an acknowledgement without a row."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import ClientSession

from bot.delivery.answering import Answering
from bot.delivery.receiving import Receiver
from bot.delivery.worker import Worker
from connectors.chat.signing import signed
from connectors.chat.webhook import WebhookWay
from connectors.database import BUSY_TIMEOUT, open_database
from connectors.inbox import SqlInbox
from connectors.journal import SqlJournal
from connectors.site import open_site
from tests.chat import slack_stage
from tests.chat.faketeams import stage as teams_stage
from tests.chat.world import FROM_PRESS, Clock
from tests.delivery.fakes import until
from tests.delivery.fulldisk import PEOPLE, SECRET
from tests.delivery.house import ALL, FIONA, POLICY, House

ROOT = Path(__file__).parents[2]
EVENTS = 60
"""Of 16 KB each: more than the disk holds."""
SOAK = pytest.mark.skipif(not os.environ.get("ROLECALL_SOAK"), reason="takes half a minute: ROLECALL_SOAK=1")


@dataclass
class Chat:
    """Sends signed events, and again what was not acknowledged. `statuses` are the answers to each event, in order."""

    port: int
    session: ClientSession
    statuses: dict[str, list[int]] = field(default_factory=dict)

    async def send(self, event: str, who: str = FIONA.ref, room: str = ALL.ref, text: str = "Hello") -> int:
        body = f'{{"event":"{event}","as":"{who}","in":"{room}","thread":"{event}","text":"{text}"}}'.encode()
        url = f"http://127.0.0.1:{self.port}/webhook"
        async with self.session.post(url, data=body, headers=signed(SECRET, time.time(), body)) as response:
            await response.read()
        self.statuses.setdefault(event, []).append(response.status)
        return response.status

    async def insist(self, event: str) -> None:
        while await self.send(event) != 200:  # noqa: ASYNC110 - the other side says nothing until it is asked
            await asyncio.sleep(0.01)


class Site:
    """The webhook door, the inbox and the journal on one SQLite file, and a worker that answers."""

    def __init__(self, path: Path, chat: Chat, house: House, clock: Clock):
        self.path = path
        self.chat = chat
        self.house = house
        self.clock = clock

    def rows(self) -> int:
        """Counted by somebody else, who may read while another one writes."""
        with closing(sqlite3.connect(self.path)) as other:
            return int(other.execute("SELECT count(*) FROM inbox").fetchone()[0])

    def answers(self) -> Counter[str]:
        """How many answers stand, by event."""
        return Counter(one.key for one in self.house.door.standing if one.post.kind == "answer")


@asynccontextmanager
async def site(folder: Path) -> AsyncIterator[Site]:
    house, clock, path = House(), Clock(), folder / "rolecall.db"
    async with open_database(f"sqlite+aiosqlite:///{path}") as engine, ClientSession() as session:
        inbox, journal = SqlInbox(engine), SqlJournal(engine)
        doors = {"webhook": house.door}
        answering = Answering(inbox, journal, doors, house.turns, house.gate, clock, house.new_id)
        worker = Worker(inbox, answering, "w", clock, 4, grace=1.0)
        receiver = Receiver(inbox, lambda: POLICY, clock, worker.wake, worker)

        async def changed(room: str, person: str) -> None:
            return None

        async def ready() -> tuple[bool, dict[str, object]]:
            return True, {}

        way = WebhookWay([SECRET], house.directory, receiver.receive, changed)
        async with open_site("127.0.0.1", 0, {"POST /webhook": way.handle}, ready, 10**6) as port:
            working = asyncio.create_task(worker.run())
            try:
                yield Site(path, Chat(port, session), house, clock)
            finally:
                worker.stop()
                await working


@asynccontextmanager
async def locked(path: Path) -> AsyncIterator[None]:
    """Somebody else is writing. They wait for their turn in a thread: what writes here must go on meanwhile."""
    with closing(sqlite3.connect(path, check_same_thread=False)) as other:
        await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
        yield
        other.rollback()


async def held_for(one: Site, seconds: float) -> None:
    """Somebody else holds the write lock meanwhile; a chat goes on sending, and again what was not acknowledged."""
    await one.chat.send("before")
    await until(lambda: one.answers()["webhook:before"] == 1)
    async with locked(one.path):
        chats = [asyncio.create_task(one.chat.insist(f"e{number}")) for number in range(5)]
        await asyncio.sleep(seconds)
        assert one.rows() == 1
        statuses = [status for event in one.chat.statuses if event != "before" for status in one.chat.statuses[event]]
        assert statuses
        assert set(statuses) == {500}
    await asyncio.gather(*chats)
    assert one.rows() == 6


async def test_a_lock_held_for_long_is_an_error_each_time_and_everything_is_answered_once_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.database.BUSY_TIMEOUT", 20)
    async with site(tmp_path) as one:
        await held_for(one, 0.4)
        one.clock.skip(13)
        await until(lambda: len(one.answers()) == 6)
        assert set(one.answers().values()) == {1}


@SOAK
async def test_a_lock_held_for_ten_seconds_with_nothing_shortened(tmp_path: Path) -> None:
    assert BUSY_TIMEOUT == 2000
    async with site(tmp_path) as one:
        await held_for(one, 10.0)
        await until(lambda: len(one.answers()) == 6, 30.0)
        assert set(one.answers().values()) == {1}


async def test_slack_is_not_told_that_a_question_came_in_while_the_database_is_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.database.BUSY_TIMEOUT", 20)
    async with slack_stage.open_stage(tmp_path) as stage:
        said = stage.slack.workspace.say("U0OSKAR", "D0OSKAR", "What was revenue?")
        event = {"type": "message", "channel": "D0OSKAR", "channel_type": "im", "ts": said.ts, "user": "U0OSKAR"}
        event |= {"text": said.text, "team": "T0HOME"}
        stage._events[said.ts] = {"Ev1"}
        async with locked(tmp_path / "rolecall.db"):
            assert await stage.slack.deliver(event, "Ev1") == 500
            assert (await stage.slack.command("U0OSKAR", "What was revenue?", "C0ALL"))[0] == 500
        assert stage.slack.statuses == {500: 5}
        assert await stage.slack.deliver(event, "Ev1") == 200
        await stage.settled()
        assert [one.text for one in await stage.seen("oskar", said.ts)] == [FROM_PRESS]


async def test_teams_is_not_told_that_a_question_came_in_while_the_database_is_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAMS_PASSWORD", "right")
    monkeypatch.setattr("connectors.database.BUSY_TIMEOUT", 20)
    path = tmp_path / "rolecall.db"
    async with teams_stage.open_stage(path) as stage:
        activity = stage.fake.activity("oskar", stage.chat("oskar"), text="What was revenue?", textFormat="plain")
        async with locked(path):
            assert (await stage.fake.deliver(activity))[0] == 500
        assert (await stage.fake.deliver(activity))[0] == 200
        await stage.settled()
        assert [one.last["text"] for one in stage.fake.messages("a:oskar")] == [FROM_PRESS]


@asynccontextmanager
async def full(folder: Path, how: str) -> AsyncIterator[tuple[Chat, asyncio.subprocess.Process]]:
    """The door in a process of its own, on a disk that will soon be full."""
    command = [sys.executable, "-m", "tests.delivery.fulldisk", str(folder), how]
    if how == "disk":
        mounted = 'mount -t tmpfs -o size=600k tmpfs "$1" && shift && exec "$@"'
        command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mounted, "-", str(folder), *command]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(60):
                port = int(await process.stdout.readline())
            yield Chat(port, await stack.enter_async_context(ClientSession())), process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def waiting(chat: Chat) -> int:
    async with chat.session.get(f"http://127.0.0.1:{chat.port}/readyz") as response:
        return int((await response.json())["waiting"])


def _mounts() -> bool:
    """Whether a user of this machine may have a small disk of their own."""
    command = ["unshare", "--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except OSError:
        return False


@pytest.mark.parametrize("how", ["limit", "disk"])
async def test_a_disk_that_is_full_is_an_error_and_nothing_acknowledged_is_lost(tmp_path: Path, how: str) -> None:
    if how == "disk" and not _mounts():
        pytest.skip("no file system of one's own can be had here")
    async with full(tmp_path, how) as (chat, process):

        async def send(number: int) -> int:
            who = f"slack-user:T0HOME/U0{PEOPLE[number % len(PEOPLE)].upper()}"
            return await chat.send(f"e{number}", who, "", "x" * 16_000)

        statuses = [await send(number) for number in range(EVENTS)]
        taken = statuses.count(200)
        assert set(statuses) == {200, 500}
        assert statuses[-5:] == [500] * 5
        assert await waiting(chat) == taken
        process.send_signal(signal.SIGUSR1)
        again = [number for number, status in enumerate(statuses) if status == 500]
        assert [await send(number) for number in again] == [200] * len(again)
        assert await waiting(chat) == EVENTS
