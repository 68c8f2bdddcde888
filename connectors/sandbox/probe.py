"""What a hostile program would try. It runs inside the sandbox and prints a line for each try: `OK name` or `LEAK name`.

The canaries that it looks for are in canaries.json beside it; each try that raises an OSError has been prevented.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import platform
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

NUMBERS = {"x86_64": (165, 250, 310, 425, 319, 29, 304), "aarch64": (40, 219, 270, 425, 279, 194, 265)}
"""mount, keyctl, process_vm_readv, io_uring_setup, memfd_create, shmget, open_by_handle_at."""
NEW_USER = 0x10000000
Try = Callable[[dict[str, Any]], object]


def call(number: int, *arguments: Any) -> int:
    """A system call by its number. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    answer: int = libc.syscall(number, *arguments)
    if answer < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return answer


def numbered(place: int, *arguments: Any) -> Try:
    """A try of the system call at a place in NUMBERS."""
    return lambda canaries: call(NUMBERS[platform.machine()][place], *arguments)


def environment(canaries: dict[str, Any]) -> bool:
    """Whether the parent's environment was inherited."""
    return canaries["variable"] in os.environ


def environments(canaries: dict[str, Any]) -> bool:
    """Whether the environment of any process can be read, or its memory."""
    for process in ("self", "1", "2", str(os.getppid()), str(canaries["pid"])):
        for name in ("environ", "mem", "cmdline"):
            with contextlib.suppress(OSError), Path(f"/proc/{process}/{name}").open("rb") as file:
                file.read(1)
                return True
    return False


def connect(family: int, kind: int, address: str) -> Try:
    """A try to reach a socket that listens outside."""

    def attempt(canaries: dict[str, Any]) -> None:
        with socket.socket(family, kind) as client:
            client.settimeout(0.2)
            where = canaries[address]
            client.connect(tuple(where) if isinstance(where, list) else where)

    return attempt


def post_to_path(canaries: dict[str, Any]) -> None:
    """A socket pair needs no socket(), and one of datagrams could send to any path."""
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with left, right:
        left.sendto(b"leak", canaries["mailbox"])


def signals(canaries: dict[str, Any]) -> bool:
    """Whether a signal reaches the parent, directly or as the owner of a file that becomes ready."""
    import fcntl

    for process in (canaries["pid"], os.getppid(), -1, 0):
        with contextlib.suppress(OSError):
            os.kill(process, 0)
            return True
    reading, writing = os.pipe()
    try:
        fcntl.fcntl(reading, fcntl.F_SETOWN, canaries["pid"])
    finally:
        os.close(reading)
        os.close(writing)
    return True


def limits(canaries: dict[str, Any]) -> None:
    """Whether the parent's limits, or one's own, can be changed."""
    with contextlib.suppress(OSError, PermissionError):
        resource.prlimit(canaries["pid"], resource.RLIMIT_NOFILE)
        return
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def fork(canaries: dict[str, Any]) -> None:
    """Another process, which would outlive this one."""
    if os.fork() == 0:
        os._exit(0)


def shared_memory(canaries: dict[str, Any]) -> None:
    """A place for files that no limit counts."""
    (Path("/dev/shm") / "rolecall-probe").write_bytes(b"x")  # noqa: S108


TRIES: dict[str, Try] = {
    "secret file": lambda canaries: Path(canaries["secret"]).read_text(encoding="utf-8"),
    "secret folder": lambda canaries: os.listdir(Path(canaries["secret"]).parent),  # noqa: PTH208 - names are enough
    "passwd": lambda canaries: Path("/etc/passwd").read_text(encoding="utf-8"),
    "shadow": lambda canaries: Path("/etc/shadow").read_text(encoding="utf-8"),
    "this code": lambda canaries: Path(canaries["code"]).read_text(encoding="utf-8"),
    "environment": environment,
    "environments in /proc": environments,
    "write outside": lambda canaries: Path(canaries["outside"]).write_text("x", encoding="utf-8"),
    "change outside": lambda canaries: Path(canaries["secret"]).chmod(0o777),
    "empty outside": lambda canaries: os.truncate(canaries["secret"], 0),
    "loopback": connect(socket.AF_INET, socket.SOCK_STREAM, "tcp"),
    "network": connect(socket.AF_INET, socket.SOCK_STREAM, "far"),
    "network 6": lambda canaries: socket.socket(socket.AF_INET6, socket.SOCK_STREAM).close(),
    "names": lambda canaries: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close(),
    "path socket": connect(socket.AF_UNIX, socket.SOCK_STREAM, "path"),
    "abstract socket": connect(socket.AF_UNIX, socket.SOCK_STREAM, "abstract"),
    "mailbox": post_to_path,
    "kernel socket": lambda canaries: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close(),
    "subprocess": lambda canaries: subprocess.run([sys.executable, "-c", ""], check=False),
    "fork": fork,
    "exec": lambda canaries: os.execv(sys.executable, [sys.executable, "-c", ""]),  # noqa: S606
    "signal": signals,
    "limits": limits,
    "trace": numbered(2, os.getppid(), None, 0, None, 0, 0),
    "mount": numbered(0, b"none", b"/tmp", b"tmpfs", 0, None),
    "user namespace": lambda canaries: ctypes_unshare(NEW_USER),
    "keys": numbered(1, 0, -3, 0),
    "io_uring": numbered(3, 1, ctypes.create_string_buffer(256)),
    "memory file": numbered(4, b"x", 0),
    "shared segment": numbered(5, 0, 4096, 0o600),
    "file handle": numbered(6, -100, ctypes.create_string_buffer(256), 0),
    "shared memory": shared_memory,
    "become root": lambda canaries: os.setuid(0),
    "root": lambda canaries: os.getuid() == 0,
}
"""Each returns False or raises OSError or ValueError if it was prevented; anything else has succeeded."""


def ctypes_unshare(flags: int) -> None:
    """A namespace of one's own, in which one has every right. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags) < 0:
        raise OSError(ctypes.get_errno(), "refused")


def works() -> bool:
    """What programs need works: threads and a stream of one's own. A sandbox in which nothing runs is no sandbox."""
    done: list[int] = []
    thread = threading.Thread(target=done.append, args=(1,))
    thread.start()
    thread.join()
    left, right = socket.socketpair()
    with left, right:
        left.send(b"x")
        done += right.recv(1)
    return len(done) == 2 and signal.getsignal(signal.SIGINT) is not None


def main() -> None:
    """Try everything, and say what came of it."""
    canaries = json.loads(Path("canaries.json").read_text(encoding="utf-8"))
    for name, attempt in TRIES.items():
        try:
            leaked = attempt(canaries) is not False
        except (OSError, ValueError):  # ValueError is how setrlimit is refused
            leaked = False
        print("LEAK" if leaked else "OK", name)  # noqa: T201 - this is how it reports
    if works():
        print("WORKS python")  # noqa: T201
    with contextlib.suppress(ImportError):
        import sqlite3

        sqlite3.connect(":memory:").execute("select 1").fetchone()
        print("WORKS sql")  # noqa: T201


if __name__ == "__main__":
    main()
