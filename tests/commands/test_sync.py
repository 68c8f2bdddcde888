"""rolecall sync as an admin runs it: counts, reasons, exit codes, and what it says when it cannot work."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.qdrant.edge import EdgeEngine
from tests.conftest import SETTINGS, Ran

Command = Callable[..., Ran]
QUIET = {"added": 0, "changed": 0, "relabelled": 0, "unchanged": 0, "deleted": 0, "failed": {}}


@pytest.fixture
def config(company: Path, tmp_path: Path) -> Path:
    """A copy of the small company, synced."""
    shutil.copytree(company.parent, tmp_path / "acme", symlinks=True)
    return tmp_path / "acme" / company.name


def test_counts_and_reasons(rolecall: Command, config: Path) -> None:
    documents = config.parent / "documents"
    (documents / "company" / "logo.png").write_bytes(b"\x89PNG")
    (documents / "filings" / "scan.pdf").write_bytes(b"no pdf at all")
    (documents / "stray.md").write_text("# Stray")
    (documents / "company" / "canteen.md").write_text("# Canteen\n\nIt opens at 7:00.\n")
    (documents / "maintenance" / "engine.md").unlink()
    ran = rolecall("--config", config, "sync")
    assert (ran.code, ran.err) == (1, "")
    counts, stray, logo, scan = ran.out.splitlines()
    assert counts == "acme: 0 added, 1 changed, 0 relabelled, 3 unchanged, 1 deleted, 3 failed"
    assert stray == "  acme/stray.md: no label pattern of source acme fits it, so nobody could see it"
    assert logo.startswith("  acme/company/logo.png: .png: this kind is not read; known: .csv, .docx")
    assert scan.startswith("  acme/filings/scan.pdf: is not a PDF that can be read")
    tolerant = rolecall("--config", config, "sync", "--allow-unread", "--json")
    assert (tolerant.code, len(tolerant.json["acme"]["failed"])) == (0, 3)
    found = rolecall("--config", config, "search", "canteen opens", "--as", "oskar", "--json")
    assert "7:00" in found.out
    assert "6:30" not in found.out


def test_json_of_a_run_without_changes(rolecall: Command, config: Path) -> None:
    ran = rolecall("--config", config, "sync", "acme", "--json")
    assert (ran.code, ran.json) == (0, {"acme": QUIET | {"unchanged": 5}})


def test_other_labels_and_sources(rolecall: Command, config: Path) -> None:
    config.write_text(SETTINGS.replace('"filings/**": [filings]', '"filings/**": [company]'))
    ran = rolecall("--config", config, "sync", "--json")
    assert (ran.code, ran.json) == (0, {"acme": QUIET | {"relabelled": 1, "unchanged": 4}})
    config.write_text(SETTINGS.replace("name: acme", "name: ferries"))
    ran = rolecall("--config", config, "sync")
    assert ran.code == 0
    assert "ferries: 5 added" in ran.out
    assert "acme is no longer a source: 5 documents deleted" in ran.out
    assert rolecall("--config", config, "sync", "--json").json == {"ferries": QUIET | {"unchanged": 5}}


def test_an_index_that_was_deleted_is_made_again(rolecall: Command, config: Path) -> None:
    shutil.rmtree(config.parent / ".rolecall" / "index")
    ran = rolecall("--config", config, "sync")
    assert ran.code == 0
    assert "every document is read again" in ran.out
    assert "91.4" in rolecall("--config", config, "search", "net revenue", "--as", "fiona", "--json").out


def test_an_index_held_by_another_process_is_told(rolecall: Command, config: Path) -> None:
    held = EdgeEngine(config.parent / ".rolecall" / "index")
    held.open(384, "embedded")
    ran = rolecall("--config", config, "sync", "--allow-unread")
    held.close()
    assert ran.code == 1
    assert "is held by another rolecall process; stop it" in ran.err


@pytest.mark.parametrize(
    ("settings", "arguments", "told"),
    [
        (SETTINGS, ["handbook"], "'handbook' is not a source; known: acme"),
        (
            SETTINGS.replace("[filings]", "[filngs]"),
            [],
            "'filngs' is not declared in the policy; known: company, filings",
        ),
    ],
)
def test_an_admins_mistake_is_one_line(
    rolecall: Command, config: Path, settings: str, arguments: list[str], told: str
) -> None:
    config.write_text(settings)
    ran = rolecall("--config", config, "sync", *arguments)
    assert ran.code == 2
    assert told in ran.err
    assert ran.err.count("\n") == 1


def test_help_has_an_example(rolecall: Command) -> None:
    assert "Example: rolecall sync handbook" in rolecall("sync", "--help").out


def test_a_company_whose_people_a_platform_knows_needs_no_directory_to_sync(rolecall: Command, config: Path) -> None:
    config.write_text(config.read_text().replace("directory: directory.yaml\n", ""))
    roles = config.with_name("roles.yaml")
    roles.write_text(roles.read_text().replace("U0FIONA, can", "U0FIONA, groups: [slack-group:S0FIN], can"))
    ran = rolecall("--config", config, "sync", "--json")
    assert (ran.code, ran.err) == (0, "")
