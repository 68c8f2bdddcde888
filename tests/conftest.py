"""A small company that most tests ask: synced once, through the command line, with the real parts."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.__main__ import main

ROLES = """
version: 1
tenants: {slack: [T0HOME]}
labels: [company, filings, maintenance]
roles:
  everyone: {applies_to: members, read: [company], tools: [search_documents]}
  finance: {members: [slack-group:S0FIN], read: [filings]}
  operations: {members: [slack-group:S0OPS], read: [maintenance]}
rooms:
  slack:T0HOME/C0FIN: {ceiling: [filings, company]}
tests:
  - {as: slack-user:T0HOME/U0FIONA, can_read: [filings], cannot_read: [maintenance]}
"""
DIRECTORY = """
people:
  fiona: {id: slack-user:T0HOME/U0FIONA, groups: [slack-group:S0FIN]}
  oskar: {id: slack-user:T0HOME/U0OSKAR, groups: [slack-group:S0OPS]}
  gus: {id: slack-user:T0HOME/U0GUS, kind: guest}
  gone: {id: slack-user:T0HOME/U0GONE, active: false, groups: [slack-group:S0FIN]}
rooms:
  all-hands: {id: slack:T0HOME/C0ALL, kind: public, members: [fiona, oskar]}
  finance: {id: slack:T0HOME/C0FIN, kind: private, members: [fiona]}
  unlisted: {id: slack:T0HOME/C0DEN, kind: private, members: [fiona]}
  visitors: {id: slack:T0HOME/C0VIS, kind: private, members: [fiona, gus]}
"""
SETTINGS = """
version: 1
directory: directory.yaml
sources:
  - name: acme
    path: documents
    url: https://docs.acme.example/files
    labels: {"filings/**": [filings], "maintenance/**": [maintenance], "company/**": [company]}
"""
DOCUMENTS = {
    "company/press.md": "# Press release\n\nNet revenue of Acme Ferries was about 90 million dollars in 2025.\n",
    "company/canteen.md": "# Canteen\n\nThe canteen opens at 6:30 and closes at 15:00.\n",
    "filings/report.md": (
        "# Annual report\n\n## Revenue\n\nNet revenue of Acme Ferries was 91.4 million dollars in 2025.\n\n"
        "## Leases\n\nLease liabilities at the end of 2025 were 12.7 million dollars.\n"
    ),
    "maintenance/engine.md": "# Engine manual\n\nTorque the mounting bolts of the brake to 122 newton metres.\n",
    "maintenance/pump-ja.md": "# ポンプ点検要領\n\n冷却水ポンプのクランプの締め付けトルクは7.3ニュートンメートルとする。\n",
}


HEAVY = (
    *("test_docs", "test_kills", "test_ask", "test_chat", "test_faults", "test_sync"),
    *("test_noninterference", "test_chat_matrix", "test_edge", "test_material"),
)
"""Files with few tests that take long. Begun first, they do not leave one worker alone at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; with --no-loadscope-reorder they are handed out in this order."""
    items.sort(key=lambda item: HEAVY.index(item.path.stem) if item.path.stem in HEAVY else len(HEAVY))


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object that was printed."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """The JSON objects that were printed, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]


def write_company(folder: Path) -> Path:
    """The small company's files below a folder; returns its rolecall.yaml."""
    for name, text in DOCUMENTS.items():
        path = folder / "documents" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "roles.yaml").write_text(ROLES, encoding="utf-8")
    (folder / "directory.yaml").write_text(DIRECTORY, encoding="utf-8")
    config = folder / "rolecall.yaml"
    config.write_text(SETTINGS, encoding="utf-8")
    return config


@pytest.fixture
def rolecall(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Runs one command as a person would type it."""

    def run(*arguments: str | Path) -> Ran:
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Ran(int(left.value.code or 0), printed.out, printed.err)

    return run


@pytest.fixture(scope="session")
def derived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What takes long to derive and is the same for every company and worker: weights, router."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "derived"
    for name in ("models", "router"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return folder


def share(derived: Path, data: Path) -> None:
    """Let a company's data folder use what is derived already."""
    data.mkdir(parents=True)
    for one in derived.iterdir():
        (data / one.name).symlink_to(one)


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory, derived: Path) -> Path:
    """The rolecall.yaml of the small company, synced."""
    config = write_company(tmp_path_factory.mktemp("company"))
    share(derived, config.parent / ".rolecall")
    with pytest.raises(SystemExit) as left:
        main(["--config", str(config), "sync", "--json"])
    assert not left.value.code
    return config
