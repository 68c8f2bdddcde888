"""What of this machine's Python a sandboxed program may see: interpreter, standard library, and a few packages."""

from __future__ import annotations

import importlib.util
import os
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

PACKAGES = ("numpy", "pandas", "dateutil", "pytz", "tzdata")
"""Read-only in the sandbox where they are installed."""
SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64")
"""Where a machine keeps its shared libraries."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that programs run with. `packages` maps names to folders, `libraries` are files it is linked with."""

    executable: Path
    stdlib: Path
    libraries: tuple[Path, ...] = ()
    packages: Mapping[str, Path] = field(default_factory=dict)

    def visible(self) -> Iterator[Path]:
        """Every file and folder outside the system's libraries that is to be readable, the standard library aside."""
        yield self.executable
        yield from self.libraries
        for folder in self.packages.values():
            yield folder
            if (beside := folder.with_name(f"{folder.name}.libs")).is_dir():
                yield beside

    def unreachable(self) -> Path | None:
        """The folder, if there is one, that keeps a user without rights from this interpreter."""
        for path in (*self.executable.parents, *self.stdlib.parents):
            if not path.stat().st_mode & 0o001:
                return path
        return None


def this_interpreter() -> Interpreter:
    """The Python that runs this, without its virtual environment but with the packages in PACKAGES."""
    # sys._base_executable is how venv itself finds the Python that an environment was made from
    executable = Path(os.path.realpath(getattr(sys, "_base_executable", sys.executable)))
    shared = sysconfig.get_config_var("Py_ENABLE_SHARED")
    folder = sysconfig.get_config_var("LIBDIR") or ""
    names = {sysconfig.get_config_var(name) for name in ("LDLIBRARY", "INSTSONAME")} if shared else set()
    libraries = tuple(Path(folder) / str(name) for name in sorted(names) if (Path(folder) / str(name)).exists())
    return Interpreter(executable, Path(sysconfig.get_path("stdlib")), libraries, dict(_packages()))


def _packages() -> Iterator[tuple[str, Path]]:
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations:
            yield name, Path(os.path.realpath(spec.submodule_search_locations[0]))
