"""What each tier promises, as whoever runs the tests and, if that is root, as another user too."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.ports import Language, Program
from connectors.sandbox import cell, seccomp
from connectors.sandbox.interpreter import this_interpreter
from connectors.sandbox.selftest import examine
from connectors.sandbox.syscalls import ALWAYS, CHECKED, PROCESSES, WRITING
from connectors.sandbox.tiers import Bubblewrap, Landlock, Launch, Limits, Tier, Unavailable
from tests.connectors.sandbox.attacks import ATTACKS, Attack
from tests.connectors.sandbox.matrix import broken_snippets, faults, run, user
from tests.connectors.sandbox.reachable import reachable

ROOT = Path(__file__).parents[3]
SLOW = {"spin", "sleep", "error flood", "deaf", "huge number", "shell memory"}
"""Attacks that run to the clock, tried by `make attack` only: others in the list end at the clock too."""
OTHER = 64991
ALLOW_ALL = b"\x06\x00\x00\x00\x00\x00\xff\x7f"


@pytest.fixture(scope="module", params=["bubblewrap", "landlock"])
def tier(request: pytest.FixtureRequest) -> Tier:
    """A tier that holds on this machine; the reason is shown where it does not."""
    python = reachable()
    ours = this_interpreter()
    if request.param == "landlock" and python is None:
        pytest.skip(f"Python is in {ours.unreachable()}, closed to other users")
    tried: Tier = Bubblewrap(ours) if request.param == "bubblewrap" else Landlock(python or ours)
    try:
        tried.check()
    except Unavailable as reason:
        pytest.skip(f"{tried.name}: {reason}")
    return tried


def test_every_probe_is_stopped_and_the_languages_work(tier: Tier) -> None:
    assert examine(tier, user()) == tier.languages


def test_ordinary_programs_work(tier: Tier) -> None:
    assert broken_snippets(tier) == ""


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_attacks_are_contained(tier: Tier, attack: Attack) -> None:
    if attack.language not in tier.languages:
        pytest.skip(f"{tier.name} runs no {attack.language}")
    if attack.name in SLOW and "ROLECALL_TEST_ATTACKS" not in os.environ:
        pytest.skip("make attack")
    assert faults(tier, attack) == ""


def test_a_program_has_its_input_its_files_and_a_traceback_of_its_own(tier: Tier) -> None:
    code = "import helper, sys\nprint(helper.double(int(input())), sys.argv)\nassert False, 'on purpose'"
    files = {"helper.py": b"def double(x): return 2 * x", "data.csv": b"a,b"}
    ran = run(tier, Program("python", code, stdin="21\n", files=files))
    assert (ran.ending, ran.exit, ran.output) == ("finished", 1, "42 ['main.py']\n")
    assert ran.errors.splitlines()[:3] == [
        "Traceback (most recent call last):",
        '  File "main.py", line 3, in <module>',
        "    assert False, 'on purpose'",
    ]


def test_sql_prints_tables_and_names_the_line_of_a_fault(tier: Tier) -> None:
    code = "create table a(b, c);\ninsert into a values (1, 'x;y'), (null, 2);\nselect * from a;\n\nselect d from a;"
    ran = run(tier, Program("sql", code))
    assert ran.output == "b    | c\n---- | ---\n1    | x;y\nNULL | 2\n(2 rows)\n"
    assert (ran.exit, ran.errors) == (1, "main.sql, line 5: no such column: d\n")


def test_long_output_keeps_its_beginning_and_errors_their_end(tier: Tier) -> None:
    code = "import sys\nprint('first'); print('x' * 99999); print('y' * 99999, file=sys.stderr); print('last', file=sys.stderr)"
    ran = run(tier, Program("python", code))
    assert ran.good
    assert ran.cut
    assert ran.output.startswith("first")
    assert ran.errors.endswith("last\n")
    assert len(ran.output) + len(ran.errors) == 64 << 10


def test_memory_and_signals_are_told_apart(tier: Tier) -> None:
    assert run(tier, Program("python", "bytearray(600 << 20)")).ending == "memory"
    ran = run(tier, Program("python", "import os; os.abort()"))
    assert (ran.ending, ran.exit, ran.reason) == ("killed", None, "it was ended by SIGABRT")
    assert run(tier, Program("python", "raise SystemExit(3)")).exit == 3


def test_numpy_is_there_where_it_is_installed() -> None:
    tried = Bubblewrap(this_interpreter())
    if shutil.which("bwrap") is None:
        pytest.skip("bwrap is not installed")
    ran = run(tried, Program("python", "import numpy; print((numpy.ones((200, 200)) @ numpy.ones(200)).sum())"))
    assert ran.output == "40000.0\n", ran


@dataclass(frozen=True, slots=True)
class Faulty:
    """A tier of which one thing was forgotten."""

    inner: Tier
    fault: str

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def languages(self) -> frozenset[Language]:
        return self.inner.languages

    def check(self) -> None:
        self.inner.check()

    @contextmanager
    def open(self, language: Language, limits: Limits, user: int) -> Iterator[Launch]:
        with self.inner.open(language, limits, user) as launch:
            change: dict[str, object] = {
                "filter": {"filter": ALLOW_ALL},
                "landlock": {"landlock": None},
                "user": {"user": 0},
                "limits": {"limits": {"RLIMIT_NONE": (0, 0)}},
            }.get(self.fault, {})
            root = ["--ro-bind", "/", "/"] if self.fault == "root" else []
            command = [*launch.command[:1], *root, *launch.command[1:]]
            yield replace(launch, command=command, order=launch.order | change)


@pytest.mark.parametrize("fault", ["filter", "landlock", "user", "limits", "root", "environment"])
def test_the_self_test_notices_what_was_forgotten(tier: Tier, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if (fault, tier.name) in (("landlock", "bubblewrap"), ("root", "landlock")) or (fault == "user" and not user()):
        pytest.skip("this tier has no such thing")
    if fault == "environment":
        monkeypatch.setattr(cell, "ENVIRONMENT", os.environ)
    with pytest.raises(Unavailable):
        examine(Faulty(tier, fault), user())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_the_same_holds_for_another_user(tmp_path_factory: pytest.TempPathFactory) -> None:
    python = reachable()
    if python is None:
        pytest.skip("no Python that another user can reach")
    house = Path("/tmp") / f"rolecall-test-{os.getpid()}"
    try:
        for part in ("bot/__init__.py", "bot/types.py", "connectors/__init__.py"):
            (house / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / part, house / part)
        for part in ("bot/ports", "connectors/sandbox", "tests/connectors/sandbox"):
            shutil.copytree(ROOT / part, house / part, ignore=shutil.ignore_patterns("__pycache__"))
        attacks = ["attacks"] if "ROLECALL_TEST_ATTACKS" in os.environ else []
        done = subprocess.run(
            [
                python.executable,
                "-B",
                "-m",
                "tests.connectors.sandbox.matrix",
                python.executable,
                python.stdlib,
                *attacks,
            ],
            cwd=house,
            env={"PATH": os.defpath},
            user=OTHER,
            group=OTHER,
            extra_groups=[],
            capture_output=True,
            text=True,
            timeout=300,
        )
    finally:
        shutil.rmtree(house)
    assert done.returncode == 0, done.stderr
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    for report in reports:
        assert report.get("faults", {}) == {}, report
    held = {report["tier"] for report in reports if "languages" in report}
    assert held, reports


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_is_well_formed(machine: seccomp.Machine) -> None:
    for writing, processes in ((True, True), (True, False), (False, False)):
        code = seccomp.program(machine, writing=writing, processes=processes)
        assert len(code) % 8 == 0
        assert len(code) // 8 < 4096
    numbers = [
        table[name][machine]
        for table in (ALWAYS, WRITING, PROCESSES, CHECKED)
        for name in table
        if machine in table[name]
    ]
    assert len(numbers) == len(set(numbers)), "a number stands for two calls"


def test_a_machine_without_a_filter_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    for tried in (Bubblewrap(this_interpreter()), Landlock(this_interpreter())):
        with pytest.raises(Unavailable, match="only for x86_64 and aarch64"):
            tried.check()
