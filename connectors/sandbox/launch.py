"""The first code in a sandboxed process: it takes every power away from itself, then becomes the program.

A script for `python -I -S`, which knows nothing of the rest of Rolecall. What it does cannot be undone by what it runs.
"""

from __future__ import annotations

import _sitebuiltins
import _thread
import builtins
import ctypes
import marshal
import os
import resource
import struct
import sys
import types

TYPE_CHECKING = False  # importing typing and importlib.util would take longer than all that this does
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from typing import Any

STACK = 2 << 20
"""Bytes of a thread's stack: the usual 8 MB would let a program of 512 MB have few threads."""
_SET_DEATH_SIGNAL, _SET_DUMPABLE, _SET_SECCOMP, _NO_NEW_PRIVILEGES = 1, 4, 22, 38
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ARENAS, _PER_THREAD = -8, 2


def main() -> None:
    """Read the order from standard input, which is the program's from there on, and obey it."""
    order = marshal.loads(_exactly(int.from_bytes(_exactly(4), "little")))  # noqa: S302 - Rolecall wrote it
    try:
        _confine(order)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        os.write(2, f"{order['token']}{type(error).__name__}: {error}".encode())
        os._exit(125)
    if order["shell"]:
        os.execv(order["shell"], [order["shell"], order["main"]])  # noqa: S606 - this is what was asked for
    code, packages = order["files"][order["main"]], order["packages"]
    order.clear()
    _become(code, packages)


def _exactly(size: int) -> bytes:
    pieces = bytearray()
    while len(pieces) < size:
        piece = os.read(0, size - len(pieces))
        if not piece:
            os._exit(125)
        pieces += piece
    return bytes(pieces)


def _confine(order: dict[str, Any]) -> None:
    """Drop the user, lay the files out, then limits, Landlock and seccomp; the last two bind for ever."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mallopt(_ARENAS, _PER_THREAD)
    _thread.stack_size(STACK)
    os.nice(10)
    if order["user"]:
        os.setgroups([])
        os.setresgid(*[order["user"]] * 3)
        os.setresuid(*[order["user"]] * 3)
    for option, value in ((_SET_DEATH_SIGNAL, 9), (_SET_DUMPABLE, 0), (_NO_NEW_PRIVILEGES, 1)):
        _check(libc.prctl(option, value, 0, 0, 0))
    for name, content in order["files"].items():
        with open(name, "wb") as file:  # noqa: PTH123 - pathlib takes longer to import than all of this
            file.write(content)
    if order["landlock"]:
        _landlock(libc, **order["landlock"])
    for limit, most in order["limits"].items():
        _limit(getattr(resource, limit), *most)
    code = order["filter"].replace(struct.pack("<I", order["self"]), struct.pack("<I", os.getpid()))
    instructions = ctypes.create_string_buffer(code, len(code))
    rules = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(instructions))
    _check(libc.prctl(_SET_SECCOMP, 2, rules, 0, 0))


def _limit(limit: int, soft: int, hard: int) -> None:
    """Set a limit, but none that is above what this process was given."""
    given = resource.getrlimit(limit)[1]
    if given != resource.RLIM_INFINITY:
        soft, hard = min(soft, given), min(hard, given)
    resource.setrlimit(limit, (soft, hard))


def _landlock(libc: ctypes.CDLL, ruleset: bytes, rules: list[tuple[str, int]]) -> None:
    """Nothing below any path may be opened but what the rules name."""
    handle = _check(libc.syscall(_CREATE_RULESET, ruleset, ctypes.c_size_t(len(ruleset)), 0))
    for path, access in rules:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        _check(libc.syscall(_ADD_RULE, handle, 1, struct.pack("<Qi", access, place), 0))
        os.close(place)
    _check(libc.syscall(_RESTRICT_SELF, handle, 0))
    os.close(handle)


def _check(answer: int) -> int:
    if answer < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer


class _Installed:
    """Finds the few packages outside the standard library that a program may use, wherever they are installed."""

    def __init__(self, packages: dict[str, str]):
        self._packages = packages

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        folder = self._packages.get(name)
        if folder is None:
            return None
        from importlib.util import spec_from_file_location

        return spec_from_file_location(name, f"{folder}/__init__.py", submodule_search_locations=[folder])


def _become(code: bytes, packages: dict[str, str]) -> None:
    """Run the program as `python main.py` would, with tracebacks that show its own frames only."""
    main = types.ModuleType("__main__")
    main.__file__ = "main.py"
    sys.modules["__main__"] = main
    sys.argv = ["main.py"]
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - as above
    sys.meta_path.append(_Installed(packages))
    for name in ("exit", "quit"):
        setattr(builtins, name, _sitebuiltins.Quitter(name, "Ctrl-D"))
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # so that a killed program has said something
    sys.excepthook = _own_frames
    exec(compile(code, "main.py", "exec", dont_inherit=True), main.__dict__)  # noqa: S102 - what all of this is for


def _own_frames(kind: type[BaseException], error: BaseException, trace: types.TracebackType | None) -> None:
    while trace and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    sys.__excepthook__(kind, error.with_traceback(trace), trace)


if __name__ == "__main__":
    main()
