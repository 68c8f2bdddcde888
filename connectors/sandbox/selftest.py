"""Decides what a tier is worth: plants fresh canaries outside the sandbox and lets probe.py look for them inside."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bot.ports import Language, Program
from connectors.sandbox.cell import Cell
from connectors.sandbox.probe import TRIES
from connectors.sandbox.running import run_in
from connectors.sandbox.tiers import Limits, Tier, Unavailable

SECONDS = 10.0
"""For the probe, which has much to try, on a machine that may be busy."""
_PROBE = Path(__file__).with_name("probe.py")
_SHELL = 'test "$(printf "%s\\n" b a | sort | head -n 1)" = a && echo WORKS shell'


def examine(tier: Tier, user: int) -> frozenset[Language]:
    """The languages that a tier really runs. Raises Unavailable with the reason if it does not hold, or does not run."""
    tier.check()
    with _canaries() as (canaries, touched):
        given = {"canaries.json": json.dumps(canaries).encode()}
        program = Program("python", _PROBE.read_text(encoding="utf-8"), files=given)
        ran = run_in(tier, program, Limits(SECONDS), user, Cell(SECONDS))
        lines = set(ran.output.splitlines())
        leaks = [name for name in TRIES if f"LEAK {name}" in lines] + touched()
    if leaks:
        raise Unavailable(f"its self-test got out: {', '.join(leaks)}")
    missing = [name for name in TRIES if f"OK {name}" not in lines]
    if missing or "WORKS python" not in lines:
        said = ran.reason or ran.errors.strip().rpartition("\n")[2] or "it said nothing"
        raise Unavailable(f"its self-test did not finish ({', '.join(missing[:3]) or 'threads'}): {said}")
    languages: set[Language] = {"python"}
    if "WORKS sql" in lines:
        languages.add("sql")
    if "shell" in tier.languages and _shell_works(tier, user):
        languages.add("shell")
    return frozenset(languages)


def _shell_works(tier: Tier, user: int) -> bool:
    try:
        ran = run_in(tier, Program("shell", _SHELL), Limits(SECONDS), user, Cell(SECONDS))
    except Unavailable:
        return False
    return ran.output == "WORKS shell\n"


@contextmanager
def _canaries() -> Iterator[tuple[dict[str, Any], Any]]:
    """What must not be found, and a function that says which of it was touched all the same."""
    variable, token = f"ROLECALL_CANARY_{secrets.token_hex(4).upper()}", secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="rolecall-") as name, contextlib.ExitStack() as open_ones:
        folder = Path(name)
        folder.chmod(0o777)
        secret, outside = folder / "secret", folder / "outside"
        secret.write_text(token, encoding="utf-8")
        secret.chmod(0o666)
        tcp = open_ones.enter_context(_listening(socket.AF_INET, ("127.0.0.1", 0)))
        path = open_ones.enter_context(_listening(socket.AF_UNIX, str(folder / "path")))
        abstract = open_ones.enter_context(_listening(socket.AF_UNIX, f"\0rolecall-{token}"))
        mailbox = open_ones.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        mailbox.bind(str(folder / "mailbox"))
        mailbox.setblocking(False)
        for name in ("path", "mailbox"):
            (folder / name).chmod(0o777)
        os.environ[variable] = token
        open_ones.callback(os.environ.pop, variable, None)

        def touched() -> list[str]:
            doors = {"loopback": tcp, "path socket": path, "abstract socket": abstract, "mailbox": mailbox}
            found = [what for what, door in doors.items() if _knocked(door)]
            intact = secret.read_text(encoding="utf-8") == token and not outside.exists()
            return found if intact else [*found, "write outside"]

        yield (
            {
                "secret": str(secret),
                "outside": str(outside),
                "code": __file__,
                "variable": variable,
                "tcp": tcp.getsockname(),
                "far": ["192.0.2.1", 80],  # TEST-NET-1: nobody is there
                "path": str(folder / "path"),
                "abstract": f"\0rolecall-{token}",
                "mailbox": str(folder / "mailbox"),
                "pid": os.getpid(),
            },
            touched,
        )


@contextmanager
def _listening(family: int, address: Any) -> Iterator[socket.socket]:
    with socket.socket(family, socket.SOCK_STREAM) as door:
        door.bind(address)
        door.listen()
        door.setblocking(False)
        yield door


def _knocked(door: socket.socket) -> bool:
    try:
        if door.type == socket.SOCK_DGRAM:
            door.recv(16)
        else:
            door.accept()[0].close()
    except BlockingIOError:
        return False
    return True
