"""The tour, typed without a terminal, over the part of the example airline that it speaks of."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from bot.assistant.words import ENGLISH
from tests.conftest import Ran, share

AIRLINE = Path(__file__).parents[2] / "examples" / "airline"
FILES = ("rolecall.yaml", "roles.yaml", "directory.yaml", "tour.yaml")
DOCUMENTS = (
    "company/press-release-results-2025.md",
    "filings/annual-report-2025.pdf",
    "hr/disciplinary-procedure.md",
    "maintenance/ata-29-hydraulic-power.pdf",
    "maintenance/ja/hydraulic-pump-replacement.pdf",
    "sap/posting-guide.md",
)
"""What the tour's answers are found in, and a document for each label: to sync all of the airline's takes too long here."""
FINANCE, OPERATIONS, NOTHING, MANUAL, JAPANESE, SHARED, DENIED, DENIED_THERE = range(8)


@pytest.fixture
def airline(tmp_path: Path, derived: Path) -> Path:
    share(derived, tmp_path / ".rolecall")
    for name in (*FILES, *(f"documents/{one}" for one in DOCUMENTS)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(AIRLINE / name, tmp_path / name)
    return tmp_path / "rolecall.yaml"


def words(text: str) -> str:
    """The words that are shown, without borders and line ends."""
    return " ".join(re.sub(r"[─│╭╮╰╯]", " ", text).split())


def acts(printed: str) -> list[str]:
    """What is shown at each stop of the tour between its question and its lesson."""
    steps = yaml.safe_load((AIRLINE / "tour.yaml").read_text(encoding="utf-8"))["steps"]
    found: list[str] = []
    rest = words(printed)
    for number, step in enumerate(steps, 1):
        rest = rest.partition(f"{number}. {step['title']}")[2]
        shown, lesson, rest = rest.partition(words(step["lesson"]))
        assert lesson, step["title"]
        asked = f"{words(step['ask'])} Rolecall" if "ask" in step else step["title"]
        found.append(shown.partition(asked)[2].strip() or shown.strip())
    assert rest.strip().startswith("Now ask for yourself:")
    return found


def test_the_tour_shows_who_gets_what_and_ends_by_itself(rolecall: Callable[..., Ran], airline: Path) -> None:
    ran = rolecall("--config", airline, "demo")
    assert ran.code == 0, ran.err
    shown = acts(ran.out)
    assert "EUR 150 million" in shown[FINANCE]
    assert re.search(r"Annual report 2025, page \d+ airline/filings/annual-report-2025.pdf", shown[FINANCE])
    assert shown[OPERATIONS] == shown[NOTHING] == ENGLISH.not_found
    assert "airline/maintenance/ata-29-hydraulic-power.pdf" in shown[MANUAL]
    assert "34 N·m" in shown[JAPANESE]

    room, alone = shown[SHARED].split("only Fiona Hart sees this")
    assert "1,482.6" in alone
    assert "1,482.6" not in room
    assert "1.48 billion" in room
    assert "filings/" not in room

    roles = airline.with_name("roles.yaml").read_text(encoding="utf-8").splitlines()
    for act in (DENIED, DENIED_THERE):
        cited = ",".join(re.findall(r"roles\.yaml:(\d[\d,]*\d)", shown[act])).split(",")
        assert "DENIED" in shown[act]
        assert "read: [filings, sap]" in {roles[int(number) - 1].strip() for number in cited}
