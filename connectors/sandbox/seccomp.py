"""Builds the seccomp filter: a list of allowed system calls as classic BPF, for x86-64 and aarch64.

The format is that of seccomp(2): each rule reads the 64 bytes of `struct seccomp_data` and ends in an action.
"""

from __future__ import annotations

import errno
import platform
import struct
from collections.abc import Iterable

from connectors.sandbox.syscalls import ALWAYS, CHECKED, PROCESSES, WRITING, Machine

SELF = 0x5E1F0000
"""Stands for the process's own id until the launcher knows it."""
_ARCH: dict[Machine, int] = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # AUDIT_ARCH_*
_LOAD, _EQUAL, _ATLEAST, _SET, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_NUMBER, _MACHINE, _ARGUMENTS = 0, 4, 16
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_DENY, _UNKNOWN = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
_X32 = 0x40000000
_NEWEST = 462
"""The highest number that was known when the list was made: to what is newer, programs hear "no such call"."""

_THREAD = 0x00010000
_NAMESPACES = 0x7E020000 | 0x80  # every CLONE_NEW*
_TRUNCATE = 0o1000
_ACCESS_OR_TRUNCATE = 0o3 | _TRUNCATE
_IOCTLS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # TCGETS TIOCGWINSZ FIONREAD FIONBIO FIONCLEX FIOCLEX
_FCNTLS = (0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030, 1032)  # no F_SETOWN, which sends signals; no leases, no notices
_PRCTLS = (15, 16)  # PR_SET_NAME, PR_GET_NAME

Instruction = tuple[int, int, int, int]


def machine() -> Machine | None:
    """The machine this is, if there is a list for it."""
    for known in _ARCH:
        if platform.machine() == known:
            return known
    return None


def program(machine: Machine, *, writing: bool, processes: bool) -> bytes:
    """The filter as an array of `struct sock_filter`. `SELF` in it is to be replaced by the process's id.

    `writing`: the program has a file system of its own. `processes`: it is a shell, in a process namespace of its own.
    """
    allowed = ALWAYS | (WRITING if writing else {}) | (PROCESSES if processes else {})
    rules = [
        (_LOAD, 0, 0, _MACHINE),
        (_EQUAL, 1, 0, _ARCH[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_ATLEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _KILL),
    ]
    for numbers in allowed.values():
        if machine in numbers:
            rules += _when(numbers[machine], [(_RETURN, 0, 0, _ALLOW)])
    for name, body in _checks(writing, processes).items():
        if machine in CHECKED[name]:
            rules += _when(CHECKED[name][machine], body)
    rules += [(_ATLEAST, 0, 1, _NEWEST + 1), (_RETURN, 0, 0, _UNKNOWN), (_RETURN, 0, 0, _DENY)]
    return b"".join(struct.pack("<HBBI", *rule) for rule in rules)


def _checks(writing: bool, processes: bool) -> dict[str, list[Instruction]]:
    everything = [(_RETURN, 0, 0, _ALLOW)]
    signals = everything if processes else _one_of(0, [SELF])
    return {
        "clone": _without(0, _NAMESPACES) if processes else _equal_after_mask(0, _THREAD | _NAMESPACES, _THREAD),
        "clone3": [
            (_RETURN, 0, 0, _UNKNOWN)
        ],  # its flags are in memory, where no filter can look: libc then uses clone
        "openat2": [(_RETURN, 0, 0, _UNKNOWN)],
        "socketpair": _pair(),
        "ioctl": _one_of(1, _IOCTLS),
        "fcntl": _one_of(1, _FCNTLS),
        "prctl": _one_of(0, _PRCTLS),
        "prlimit64": _reading_own_limits(),
        "kill": signals,
        "tgkill": signals,
        "open": everything if writing else _unless_truncating(1),
        "openat": everything if writing else _unless_truncating(2),
    }


def _when(number: int, body: list[Instruction]) -> list[Instruction]:
    return [(_EQUAL, 0, len(body), number), *body]


def _low(argument: int) -> Instruction:
    """Load the low half of an argument; both machines are little-endian. The kernel reads no more of an int."""
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * argument)


def _one_of(argument: int, values: Iterable[int]) -> list[Instruction]:
    tests = [part for value in values for part in ((_EQUAL, 0, 1, value), (_RETURN, 0, 0, _ALLOW))]
    return [_low(argument), *tests, (_RETURN, 0, 0, _DENY)]


def _without(argument: int, bits: int) -> list[Instruction]:
    return [_low(argument), (_SET, 0, 1, bits), (_RETURN, 0, 0, _DENY), (_RETURN, 0, 0, _ALLOW)]


def _equal_after_mask(argument: int, mask: int, value: int) -> list[Instruction]:
    return [
        _low(argument),
        (_AND, 0, 0, mask),
        (_EQUAL, 0, 1, value),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _DENY),
    ]


def _pair() -> list[Instruction]:
    """AF_UNIX streams only, which asyncio wakes itself with: a datagram socket could send to any path."""
    return [_low(0), (_EQUAL, 1, 0, 1), (_RETURN, 0, 0, _DENY), *_equal_after_mask(1, 0xF, 1)]


def _reading_own_limits() -> list[Instruction]:
    """No process but this one, and no new value: both halves of the pointer to it are zero."""
    refuse = (_RETURN, 0, 0, _DENY)
    zero = [(_EQUAL, 1, 0, 0), refuse]
    high = (_LOAD, 0, 0, _ARGUMENTS + 8 * 2 + 4)
    return [_low(0), *zero, _low(2), *zero, high, *zero, (_RETURN, 0, 0, _ALLOW)]


def _unless_truncating(argument: int) -> list[Instruction]:
    """Opening for reading with O_TRUNC empties a file, and Landlock does not see it before Linux 6.2."""
    return [
        _low(argument),
        (_AND, 0, 0, _ACCESS_OR_TRUNCATE),
        (_EQUAL, 0, 1, _TRUNCATE),
        (_RETURN, 0, 0, _DENY),
        (_RETURN, 0, 0, _ALLOW),
    ]
