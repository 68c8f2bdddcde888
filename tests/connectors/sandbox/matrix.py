"""Everything that is promised of a tier, tried as the user that runs this; prints what was not so, one JSON object a line.

`python -m tests.connectors.sandbox.matrix PYTHON STDLIB [attacks]`: it needs the standard library alone, so that a user
who can read nothing else of this machine can run it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bot.ports import Program, Ran
from connectors.sandbox.cell import ERRORS, OUTPUT, Cell
from connectors.sandbox.interpreter import Interpreter
from connectors.sandbox.running import run_in
from connectors.sandbox.selftest import examine
from connectors.sandbox.tiers import Bubblewrap, Landlock, Limits, Tier, Unavailable
from tests.connectors.sandbox.attacks import ATTACKS, Attack
from tests.connectors.sandbox.snippets import ON_DISK, SNIPPETS, program

USER = 64990
"""Who programs run as when this runs as root. No process of a LocalSandbox has this id."""
LIMITS = Limits(seconds=1.0)
PATIENT = Limits(seconds=10.0)


def user() -> int:
    return USER if os.geteuid() == 0 else 0


def run(tier: Tier, what: Program, limits: Limits = PATIENT) -> Ran:
    return run_in(tier, what, limits, user(), Cell(limits.seconds))


def left_behind() -> list[str]:
    """Processes of the sandbox that live on, after a moment in which the kernel may clear up."""
    own = {str(os.getpid()), str(os.getppid())}
    found: list[str] = []
    for _ in range(50):
        found = [name for name in processes(user() or os.geteuid()) if name not in own]
        if not found:
            break
        time.sleep(0.1)
    return found


def processes(owner: int) -> Iterator[str]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid == owner and b"launch.py" in (process / "cmdline").read_bytes():
                yield process.name
        except OSError:
            continue


def faults(tier: Tier, attack: Attack) -> str:
    """What an attack got away with; nothing if it was contained."""
    ran = run(tier, attack.program, LIMITS)
    if ran.ending not in attack.endings or ran.good:
        return f"ended as {ran.ending}, exit {ran.exit}: {ran.reason} {ran.output[-200:]} {ran.errors[-300:]}"
    if len(ran.output) > OUTPUT or len(ran.errors) > ERRORS:
        return f"printed {len(ran.output)} and {len(ran.errors)} bytes"
    if ran.seconds > LIMITS.seconds + 5:  # the promise is one second; a busy machine is not a fault
        return f"took {ran.seconds:.1f} seconds"
    return f"left {left} behind" if (left := left_behind()) else ""


def broken_snippets(tier: Tier) -> str:
    """What ordinary programs cannot do."""
    disk = tier.name == "bubblewrap"
    count = len(SNIPPETS) + (len(ON_DISK) if disk else 0)
    ran = run(tier, Program("python", program(disk)))
    works = ran.output.split("\n")
    broken = [number for number in range(count) if f"works {number}" not in works]
    return f"{broken}: {ran.reason} {ran.errors[-1500:]}" if broken else ""


def report(tier: Tier, attacks: bool) -> dict[str, object]:
    try:
        languages = examine(tier, user())
    except Unavailable as reason:
        return {"tier": tier.name, "unavailable": str(reason)}
    tried = [attack for attack in ATTACKS if attacks and attack.language in languages]
    found = {attack.name: fault for attack in tried if (fault := faults(tier, attack))}
    if broken := broken_snippets(tier):
        found["snippets"] = broken
    return {
        "tier": tier.name,
        "languages": sorted(languages),
        "faults": found,
        "attacks": len(tried),
        "as": os.geteuid(),
    }


def main() -> None:
    interpreter = Interpreter(Path(sys.argv[1]), Path(sys.argv[2]))
    for tier in (Bubblewrap(interpreter), Landlock(interpreter)):
        print(json.dumps(report(tier, "attacks" in sys.argv)))


if __name__ == "__main__":
    main()
