"""The webhook door and the inbox in a process of its own, on a disk that is full until SIGUSR1 comes.

python -m tests.delivery.fulldisk FOLDER limit|disk

`limit`: no file may grow beyond a limit of this process. `disk`: FOLDER is a small file system, which the signal makes
larger. It prints its port; ``GET /readyz`` says how many rows there are.
"""

from __future__ import annotations

import asyncio
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from bot.access.policy import parse_policy
from bot.delivery.receiving import Receiver
from connectors.chat.webhook import WebhookWay
from connectors.database import open_database
from connectors.directory_file import FileDirectory
from connectors.inbox import SqlInbox
from connectors.site import open_site

SECRET = "s"
SIZE = 600_000
"""Bytes that a file may have, or that the disk holds, until the signal comes."""
PEOPLE = [f"p{number}" for number in range(5)]
POLICY = parse_policy(
    """
version: 1
tenants: {slack: [T0HOME]}
labels: [company]
roles: {everyone: {applies_to: members, read: [company], tools: [search_documents]}}
"""
)


def enlarge(folder: Path, how: str) -> None:
    """There is room again."""
    if how == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    else:
        subprocess.run(["mount", "-o", "remount,size=64m", str(folder)], check=True)


async def serve(folder: Path, how: str) -> None:
    """Take events in until the process is killed."""
    people = "".join(f"  {name}: {{id: slack-user:T0HOME/U0{name.upper()}}}\n" for name in PEOPLE)
    (folder / "directory.yaml").write_text(f"people:\n{people}", encoding="utf-8")
    async with open_database(f"sqlite+aiosqlite:///{folder / 'rolecall.db'}") as engine:
        inbox = SqlInbox(engine)

        async def ready() -> tuple[bool, Mapping[str, object]]:
            return True, {"waiting": (await inbox.queue(time.time())).waiting}

        async def changed(room: str, person: str) -> None:
            return None

        receiver = Receiver(inbox, lambda: POLICY, time.time, lambda: None)
        way = WebhookWay([SECRET], FileDirectory(folder / "directory.yaml"), receiver.receive, changed)
        if how == "limit":
            resource.setrlimit(resource.RLIMIT_FSIZE, (SIZE, resource.RLIM_INFINITY))
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, enlarge, folder, how)
        async with open_site("127.0.0.1", 0, {"POST /webhook": way.handle}, ready, 10**6) as port:
            print(port, flush=True)
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2]))
