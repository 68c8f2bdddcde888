"""A Python that a user without rights can reach: ours, or one of the system's."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from connectors.sandbox.interpreter import Interpreter, this_interpreter

ASK = "import sys, sysconfig; print(sysconfig.get_path('stdlib'), sys.version_info >= (3, 11))"


def reachable() -> Interpreter | None:
    ours = this_interpreter()
    if ours.unreachable() is None:
        return ours
    for name in ("/usr/bin/python3", "/usr/local/bin/python3"):
        if Path(name).exists():
            said = subprocess.run(
                [name, "-I", "-S", "-c", ASK], capture_output=True, text=True, check=True
            ).stdout.split()
            found = Interpreter(Path(os.path.realpath(name)), Path(said[0]))
            if said[1] == "True" and found.unreachable() is None:
                return found
    return None
