"""The ways to confine a program: bubblewrap's namespaces, or Landlock. Both end in launch.py and a seccomp filter."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import struct
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from bot.ports import Language
from connectors.sandbox import seccomp
from connectors.sandbox.interpreter import SYSTEM, Interpreter

MAIN: dict[Language, str] = {"python": "main.py", "shell": "main.sh", "sql": "main.sql"}
"""What a program's own file is called beside its other files."""
DISK = 16 << 20
"""Bytes of the file system in memory that a program has to itself, under bubblewrap."""
THREADS = 64
SHELL_PROCESSES = 16
"""What a shell may start at once; they share the memory, an equal part each."""
TOOLS = (
    "awk base64 basename cat comm cp cut date diff dirname echo env expr false fold grep head join ls md5sum mkdir mktemp mv nl "
    "od paste printf pwd rev rm sed seq sha256sum shuf sleep sort split stat tac tail tee test tr true uname uniq wc xargs yes"
).split()
"""What a shell finds in /bin, beside itself."""
_LAUNCHER = Path(__file__).with_name("launch.py")
_READ_FILE, _READ_FOLDER, _WRITE_FILE = 1 << 2, 1 << 3, 1 << 1
_HANDLED = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""Landlock's version to the number of file rights that it knows (landlock(7)); later ones know no more."""


class Unavailable(Exception):
    """A tier cannot be had on this machine. Its words say why, and what would help."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use. `seconds` are by the clock; sizes are in bytes."""

    seconds: float = 5.0
    memory: int = 512 << 20

    @property
    def cpu(self) -> int:
        """Seconds of processor time: three fifths of the clock's, as a machine has other things to do."""
        return max(1, round(self.seconds * 0.6))


@dataclass(frozen=True, slots=True)
class Launch:
    """A command to run in a folder, with the order that launch.py is to read from standard input."""

    command: list[str]
    folder: str
    order: dict[str, Any] = field(default_factory=dict)


class Tier(Protocol):
    """A way to confine a program."""

    @property
    def name(self) -> str:
        """What `rolecall.yaml` and the doctor call it."""

    @property
    def languages(self) -> frozenset[Language]:
        """What it could run; the self-test says what it does run."""

    def check(self) -> None:
        """Raises Unavailable if it is plain that this cannot work. That it does work, only a self-test can say."""

    def open(self, language: Language, limits: Limits, user: int) -> AbstractContextManager[Launch]:
        """A context manager for one run: a Launch. `user` is the id to run as, or 0 to stay who we are."""


@dataclass(frozen=True, slots=True)
class Bubblewrap:
    """A root of its own with nothing in it but Python, no network, no other processes; a small file system in memory."""

    interpreter: Interpreter
    name: str = "bubblewrap"
    languages: frozenset[Language] = frozenset({"python", "sql", "shell"})

    def check(self) -> None:
        """Raises Unavailable without bwrap, or without a filter for this machine."""
        _filtered()
        if shutil.which("bwrap") is None:
            raise Unavailable("bwrap is not installed; the package is called bubblewrap")

    @contextmanager
    def open(self, language: Language, limits: Limits, user: int) -> Iterator[Launch]:
        """A Launch inside fresh namespaces, which end with it."""
        shell = _shell() if language == "shell" else ""
        mounts = [*self._visible(), *(_tools(shell) if shell else ())]
        # The program's own /tmp comes first: this interpreter's packages may lie below this machine's.
        own = ("--size", str(DISK), "--perms", "1777", "--tmpfs", "/tmp")  # noqa: S108 - not this machine's
        where = [*self._isolation(user), *own, *_parents(mounts), *mounts]
        inside = ["--remount-ro", "/", "--chdir", "/tmp", *_python(self.interpreter, "/launch.py")]  # noqa: S108 - not this machine's
        order = _order(self.interpreter, language, limits, user, writing=True)
        if shell:
            part = limits.memory // SHELL_PROCESSES
            order["limits"] |= _pairs({"RLIMIT_NPROC": SHELL_PROCESSES, "RLIMIT_AS": part})
            order |= {"shell": "/bin/sh"}
        yield Launch(["bwrap", *where, *inside], "/", order)

    def _isolation(self, user: int) -> list[str]:
        spaces = [f"--unshare-{space}" for space in ("ipc", "pid", "net", "uts", "cgroup-try")]
        powers = ["--cap-drop", "ALL"]
        if user:  # as root, no user namespace: launch.py leaves root for good, so that limits on processes count
            powers += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        else:
            spaces += ["--unshare-user", "--uid", "64001", "--gid", "64001"]
        return [*spaces, *powers, "--die-with-parent", "--new-session"]

    def _visible(self) -> Iterator[str]:
        for folder in SYSTEM:
            if Path(folder).is_symlink():
                yield from ("--symlink", str(Path(folder).readlink()), folder)
            elif Path(folder).is_dir():
                yield from ("--ro-bind", folder, folder)
        yield from ("--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache")
        yield from ("--ro-bind-try", "/usr/share/zoneinfo", "/usr/share/zoneinfo")
        python = self.interpreter
        if not _in_system(python.stdlib):
            yield from ("--ro-bind", str(python.stdlib), str(python.stdlib))
            for packages in _foreign(python.stdlib):
                yield from ("--tmpfs", packages, "--remount-ro", packages)
        for path in python.visible():
            if not _in_system(path):
                yield from ("--ro-bind", str(path), str(path))
        yield from ("--ro-bind", str(_LAUNCHER), "/launch.py")
        for device in ("null", "zero", "full", "random", "urandom"):
            yield from ("--dev-bind", f"/dev/{device}", f"/dev/{device}")


@dataclass(frozen=True, slots=True)
class Landlock:
    """The machine's own file system, of which only Python may be opened and nothing written. Needs no rights at all."""

    interpreter: Interpreter
    name: str = "landlock"
    languages: frozenset[Language] = frozenset({"python", "sql"})

    def check(self) -> None:
        """Raises Unavailable without Landlock, a filter for this machine, or a Python that a plain user can reach."""
        _filtered()
        landlock_version()
        closed = self.interpreter.unreachable() if os.geteuid() == 0 else None
        if closed is not None:
            raise Unavailable(
                f"Python is in {closed}, which is closed to the plain user that programs run as; "
                "run Rolecall as another user than root, or with a Python that everybody may read"
            )

    @contextmanager
    def open(self, language: Language, limits: Limits, user: int) -> Iterator[Launch]:
        """A Launch in a folder for this run, which is deleted after it."""
        with tempfile.TemporaryDirectory(prefix="rolecall-", ignore_cleanup_errors=True) as folder:
            if user:
                os.chown(folder, user, user)
            order = _order(self.interpreter, language, limits, user, writing=False)
            order["landlock"] = {"ruleset": _ruleset(landlock_version()), "rules": list(self._rules(folder))}
            order["limits"]["RLIMIT_FSIZE"] = (0, 0)
            if not user:
                order["limits"]["RLIMIT_NPROC"] = (THREADS + _threads_of(os.geteuid()),) * 2
            yield Launch(_python(self.interpreter, str(_LAUNCHER)), folder, order)

    def _rules(self, folder: str) -> Iterator[tuple[str, int]]:
        everything = _READ_FILE | _READ_FOLDER
        yield folder, everything
        for system in (*SYSTEM, "/usr/share/zoneinfo"):
            if Path(system).is_dir() and not Path(system).is_symlink():
                yield system, everything
        python = self.interpreter
        if not _in_system(python.stdlib):
            foreign = _foreign(python.stdlib)
            yield str(python.stdlib), _READ_FOLDER
            for entry in os.scandir(python.stdlib):
                if entry.path not in foreign:
                    yield entry.path, everything if entry.is_dir() else _READ_FILE
        for path in (*python.visible(), Path("/etc/ld.so.cache")):
            if path.exists():
                yield str(path), everything if path.is_dir() else _READ_FILE
        for device in ("zero", "full", "random", "urandom"):
            yield f"/dev/{device}", _READ_FILE
        yield "/dev/null", _READ_FILE | _WRITE_FILE


def landlock_version() -> int:
    """The version of Landlock that the kernel offers. Raises Unavailable if it offers none."""
    libc = ctypes.CDLL(None, use_errno=True)
    version: int = libc.syscall(444, None, ctypes.c_size_t(0), 1)
    if version < 1:
        why = {
            errno.ENOSYS: "this kernel has no Landlock (Linux 5.13 or later)",
            errno.EOPNOTSUPP: "it is switched off",
        }
        raise Unavailable(why.get(ctypes.get_errno(), os.strerror(ctypes.get_errno())))
    return version


def _filtered() -> None:
    if seccomp.machine() is None:
        raise Unavailable(f"there is no system call filter for {os.uname().machine}, only for x86_64 and aarch64")


def _ruleset(version: int) -> bytes:
    """`struct landlock_ruleset_attr`: all that this version knows is handled, and so forbidden unless a rule allows it."""
    files = (1 << _HANDLED.get(version, 16)) - 1
    network, scopes = 0b11, 0b11  # TCP bind and connect; abstract sockets and signals
    size = 8 if version < 4 else 16 if version < 6 else 24
    return struct.pack("<QQQ", files, network, scopes)[:size]


def _order(interpreter: Interpreter, language: Language, limits: Limits, user: int, *, writing: bool) -> dict[str, Any]:
    machine = seccomp.machine()
    if machine is None:
        raise Unavailable("there is no system call filter for this machine")
    return {
        "main": MAIN[language],
        "shell": "",
        "user": user,
        "self": seccomp.SELF,
        "filter": seccomp.program(machine, writing=writing, processes=language == "shell"),
        "landlock": None,
        "packages": {name: str(path) for name, path in interpreter.packages.items()},
        "limits": _pairs(
            {
                "RLIMIT_AS": limits.memory,
                "RLIMIT_FSIZE": DISK,
                "RLIMIT_CORE": 0,
                "RLIMIT_NOFILE": 64,
                "RLIMIT_MEMLOCK": 0,
                "RLIMIT_MSGQUEUE": 0,
                "RLIMIT_NPROC": THREADS if user else THREADS + _threads_of(os.geteuid()),
            }
        )
        | {"RLIMIT_CPU": (limits.cpu, limits.cpu + 1)},
    }


def _pairs(limits: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    return {name: (most, most) for name, most in limits.items()}


def _python(interpreter: Interpreter, launcher: str) -> list[str]:
    return [str(interpreter.executable), "-I", "-S", "-B", "-X", "utf8", launcher]


def _in_system(path: Path) -> bool:
    return any(path.is_relative_to(folder) for folder in SYSTEM)


def _foreign(stdlib: Path) -> list[str]:
    """Folders of other people's packages inside the standard library's."""
    return [str(stdlib / name) for name in ("site-packages", "dist-packages") if (stdlib / name).is_dir()]


def _parents(mounts: list[str]) -> Iterator[str]:
    """The folders above each mount, made so that anybody may pass: bwrap's own would be closed to all but root."""
    folders = {str(folder) for place in mounts if place.startswith("/") for folder in Path(place).parents[:-1]}
    for folder in sorted(folders - set(SYSTEM)):
        if not _in_system(Path(folder)):
            yield from ("--perms", "0755", "--dir", folder)


def _shell() -> str:
    for name in ("bash", "sh"):
        if (found := shutil.which(name, path="/bin:/usr/bin")) is not None:
            return os.path.realpath(found)
    raise Unavailable("there is no shell in /bin")


def _tools(shell: str) -> Iterator[str]:
    yield from ("--ro-bind", shell, "/bin/sh")
    for name in TOOLS:
        if (found := shutil.which(name, path="/bin:/usr/bin")) is not None:
            yield from ("--ro-bind", os.path.realpath(found), f"/bin/{name}")


def _threads_of(user: int) -> int:
    """How many threads a user has: older kernels count them all together, wherever they are."""
    threads = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid == user:
                threads += (process / "task").stat().st_nlink - 2
        except OSError:
            continue  # it has just ended
    return threads
