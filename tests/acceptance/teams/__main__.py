"""Plays dialogs in Microsoft's own Teams client, on this machine, against a real `rolecall serve`; keeps screenshots.

Run by `make acceptance-teams`. Needs node, npm and Chromium, and says so if they are missing. Everything it makes is below
build/acceptance-teams.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.acceptance.teams.company import company, playground

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
WORK = ROOT / "build" / "acceptance-teams"
REASON = "The figure is old."
ROLECALL = [sys.executable, "-m", "bot"]


def main() -> int:
    """0 if every dialog went as it should, or if there is nothing to play them with."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    missing = [name for name in ("node", "npm") if shutil.which(name) is None] + ([] if browser else ["chromium"])
    if missing:
        print(f"skipped: {', '.join(missing)} not found; install nodejs, npm and chromium to run this")
        return 0
    shots = WORK / "shots"
    shutil.rmtree(shots, ignore_errors=True)
    shots.mkdir(parents=True)
    installed()
    bot, client = free_port(), free_port()
    config = prepared(bot, WORK / "company")
    hello = f"http://127.0.0.1:{bot}/readyz"
    with running([*ROLECALL, "--config", str(config), "serve"], ROOT, "bot", hello), client_at(client, bot):
        played = subprocess.run(
            ["node", "dialogs.mjs", f"http://127.0.0.1:{client}", str(browser), str(shots)], cwd=WORK, timeout=540
        )
    kept = opinions(WORK / "company" / ".rolecall" / "rolecall.db")
    print(f"{'ok     ' if kept == [(0, REASON)] else 'FAILED '} what was thought of an answer is kept: {kept}")
    checked = subprocess.run(["node", "manifest.mjs", str(app_package())], cwd=WORK, timeout=60)
    print(f"screenshots: {shots}")
    return played.returncode or checked.returncode or int(kept != [(0, REASON)])


def opinions(database: Path) -> list[tuple[int, str]]:
    """What the readers said."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        return list(connection.execute("SELECT good, reason FROM opinions"))
    finally:
        connection.close()


def installed() -> None:
    """The client, by npm, and our scripts beside it."""
    for name in ("package.json", "loopback.cjs", "dialogs.mjs", "manifest.mjs"):
        shutil.copy(HERE / name, WORK / name)
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=WORK, check=True, timeout=300)


def prepared(port: int, folder: Path) -> Path:
    """A synced company."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    config = company(folder, port)
    done = subprocess.run(
        [*ROLECALL, "--config", str(config), "sync"], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return config


def app_package() -> Path:
    """The app package that an admin would upload."""
    package = WORK / "rolecall.zip"
    app = "a1b2c3d4-0000-4000-8000-000000000001"
    command = [sys.executable, "deploy/teams-app/build.py", "--app-id", app, "--host", "chat.example.com"]
    subprocess.run([*command, "--out", str(package)], cwd=ROOT, check=True, timeout=60)
    return package


@contextmanager
def client_at(port: int, bot: int) -> Iterator[None]:
    """Microsoft's client, which talks to the bot."""
    (WORK / ".m365agentsplayground.yml").write_text(playground())
    command = ["node", "node_modules/.bin/agentsplayground", "-e", f"http://127.0.0.1:{bot}/api/messages"]
    settings = {
        "NODE_OPTIONS": f"--require {WORK / 'loopback.cjs'}",
        "TEAMSAPPTESTER_BROWSER": "none",
        "M365_AGENTS_PLAYGROUND_SERVICE_URL": f"http://127.0.0.1:{port}/_connector",
    }
    url = f"http://127.0.0.1:{port}/_internal/v1/config"
    with running([*command, "-c", "msteams", "-p", str(port), "--dt"], WORK, "client", url, settings):
        yield


@contextmanager
def running(
    command: Sequence[str], folder: Path, name: str, url: str, settings: dict[str, str] | None = None
) -> Iterator[None]:
    """A process as long as the block runs, once its URL answers. Its output goes to a log."""
    log = (WORK / f"{name}.log").open("w")
    process = subprocess.Popen(
        command, cwd=folder, env=os.environ | (settings or {}), stdout=log, stderr=subprocess.STDOUT
    )
    try:
        until = time.monotonic() + 300
        while not answers(url):
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"{name} did not start: see {log.name}")
            time.sleep(0.3)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(40)
        log.close()


def answers(url: str) -> bool:
    """Whether somebody is there."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    raise SystemExit(main())
