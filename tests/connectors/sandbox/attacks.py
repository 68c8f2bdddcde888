"""Programs that try to take more than their share, each with the endings that count as contained."""

from __future__ import annotations

from dataclasses import dataclass

from bot.ports import Language, Program


@dataclass(frozen=True, slots=True)
class Attack:
    """A program, and how it may end; `finished` means that it was refused and ended by itself, with a failure."""

    name: str
    code: str
    endings: frozenset[str]
    language: Language = "python"

    @property
    def program(self) -> Program:
        return Program(self.language, self.code)


STOPPED, REFUSED = frozenset({"time", "killed"}), frozenset({"finished", "memory", "killed"})
ATTACKS = [
    Attack("spin", "while True: pass", STOPPED),
    Attack("sleep", "import time; time.sleep(99)", STOPPED),
    Attack("memory", "x = []\nwhile True: x.append(bytearray(10 << 20))", STOPPED | {"memory"}),
    Attack(
        "memory in threads",
        "import threading\nx = []\ndef f():\n    while True: x.append(bytearray(1 << 20))\n"
        "t = [threading.Thread(target=f) for _ in range(8)]\n[a.start() for a in t]; [a.join() for a in t]; raise SystemExit(1)",
        REFUSED | STOPPED,
    ),
    Attack("fork bomb", "import os\nwhile True: os.fork()", REFUSED),
    Attack(
        "thread bomb",
        "import threading, time\nfor _ in range(5000): threading.Thread(target=time.sleep, args=(9,), daemon=True).start()",
        REFUSED,
    ),
    Attack("big file", "f = open('x', 'wb')\nwhile True: f.write(bytes(1 << 20)); f.flush()", REFUSED),
    Attack("many files", "for n in range(10**6): open(f'x{n}', 'wb').write(bytes(1 << 20))", REFUSED),
    Attack("shared memory", "f = open('/dev/shm/x', 'wb')\nwhile True: f.write(bytes(1 << 20))", REFUSED),
    Attack("memory file", "import os\nf = os.memfd_create('x')\nwhile True: os.write(f, bytes(1 << 20))", REFUSED),
    Attack("output flood", "while True: print('x' * 65536)", STOPPED),
    Attack("error flood", "import sys\nwhile True: sys.stderr.write('x' * 65536)", STOPPED),
    Attack("daemon", "import os, time\nif os.fork() == 0:\n    os.setsid(); time.sleep(99)", REFUSED),
    Attack("huge number", "print(len(str(7 ** 10 ** 9)))", STOPPED | REFUSED),
    Attack("crash", "import ctypes; ctypes.string_at(0)", frozenset({"killed"})),
    Attack("deaf", "import signal\nfor s in (15, 24, 2): signal.signal(s, signal.SIG_IGN)\nwhile True: pass", STOPPED),
    Attack("silent", "import os\nos.close(1); os.close(2)\nwhile True: pass", STOPPED),
    Attack("shell bomb", "f() { f | f & }; f; sleep 99", STOPPED | REFUSED, "shell"),
    Attack("shell memory", "x=$(head -c 999999999 /dev/zero | tr '\\0' x); exit 1", STOPPED | REFUSED, "shell"),
    Attack(
        "endless query",
        "with recursive a(n) as (select 1 union all select n+1 from a) select max(n) from a",
        STOPPED,
        "sql",
    ),
]
