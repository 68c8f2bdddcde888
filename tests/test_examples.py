"""The example airline: enough documents, one story told by all of them, and nothing that points into the void."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from pypdf import PdfReader

from bot.access.policy import parse_policy
from bot.language import language
from bot.settings import read_settings
from connectors.directory_file import FileDirectory
from connectors.sources.files import FilesSource
from connectors.sources.parsers import Parsed, parse

AIRLINE = Path(__file__).parents[1] / "examples" / "airline"
DOCUMENTS = AIRLINE / "documents"
PATHS = {f"airline/{path.relative_to(DOCUMENTS).as_posix()}": path for path in DOCUMENTS.rglob("*") if path.is_file()}
POLICY = parse_policy((AIRLINE / "roles.yaml").read_text(encoding="utf-8"))
DIRECTORY = FileDirectory(AIRLINE / "directory.yaml")
TOUR: list[dict[str, Any]] = yaml.safe_load((AIRLINE / "tour.yaml").read_text(encoding="utf-8"))["steps"]
QUESTIONS = [json.loads(line) for line in (AIRLINE / "questions.jsonl").read_text(encoding="utf-8").splitlines()]


@cache
def parsed(document: str) -> Parsed:
    return parse(PATHS[document].name, PATHS[document].read_bytes())


def text_of(document: str, page: int | None = None) -> str:
    return "\n".join(
        "\n".join([*section.heading, section.text])
        for section in parsed(document).sections
        if page is None or section.page == page
    )


@cache
def labels() -> dict[str, frozenset[str]]:
    [settings] = read_settings(AIRLINE / "rolecall.yaml").sources
    source = FilesSource(settings, AIRLINE)
    return {listed.id: listed.labels for listed in source.list()}


async def visible_to(alias: str) -> set[str]:
    person = await DIRECTORY.person(alias)
    assert person is not None, alias
    held = POLICY.grant(person).labels
    return {document for document, carried in labels().items() if carried & held}


def test_there_are_documents_of_all_kinds() -> None:
    kinds = Counter(path.suffix for path in PATHS.values())
    assert len(PATHS) >= 28
    assert set(kinds) == {".pdf", ".docx", ".pptx", ".xlsx", ".csv", ".md", ".html", ".txt"}


def test_a_fifth_is_japanese() -> None:
    japanese = [document for document in PATHS if language(text_of(document)) == "ja"]
    assert 0.18 <= len(japanese) / len(PATHS) <= 0.3
    assert all("/ja/" in document for document in japanese)
    assert len(japanese) == sum("/ja/" in document for document in PATHS)


def test_each_label_has_documents_and_each_document_one_label() -> None:
    assert labels().keys() == PATHS.keys()
    counts = Counter(label for carried in labels().values() for label in carried)
    assert set(counts) == set(POLICY.labels)
    assert min(counts.values()) >= 4
    assert all(len(carried) == 1 for carried in labels().values())


def test_making_the_documents_again_changes_no_byte(tmp_path: Path) -> None:
    subprocess.run([sys.executable, AIRLINE / "make.py", tmp_path], check=True, capture_output=True, timeout=60)
    made = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(made) >= 20
    for path in made:
        assert path.read_bytes() == (DOCUMENTS / path.relative_to(tmp_path)).read_bytes(), path.name


@pytest.mark.parametrize(
    ("document", "page", "figure"),
    [
        ("filings/annual-report-2025.pdf", 3, "1,482.6"),
        ("filings/annual-report-2025.pdf", 7, "EUR 1,482.6 million"),
        ("filings/annual-report-2025.pdf", 8, "1,482.6"),
        ("filings/annual-report-2025.pdf", 10, "1,482.6"),
        ("filings/annual-report-2025.pdf", 12, "EUR 150 million"),
        ("filings/ja/shareholder-letter-2025.pdf", 1, "14億8,260万ユーロ"),
        ("maintenance/ata-29-hydraulic-power.pdf", 2, "34 newton metres"),
        ("maintenance/ja/hydraulic-pump-replacement.pdf", 2, "34 N·m"),
        ("maintenance/mel-lanner-90.pdf", 5, "35 per cent"),
    ],
)
def test_a_figure_stands_on_its_page(document: str, page: int, figure: str) -> None:
    reader = PdfReader(DOCUMENTS / document)
    assert figure in " ".join(reader.pages[page - 1].extract_text().split())


def test_the_annual_report_is_a_long_one() -> None:
    assert len(PdfReader(DOCUMENTS / "filings/annual-report-2025.pdf").pages) >= 12


def test_its_contents_name_the_right_pages() -> None:
    report = "airline/filings/annual-report-2025.pdf"
    rows = [row.split(" | ") for row in text_of(report, 2).splitlines() if row.count(" | ") == 1 and row[-1].isdigit()]
    assert len(rows) == 16
    for title, page in rows:
        assert title.split(" and ")[0] in text_of(report, int(page))


def test_only_finance_reads_the_exact_revenue() -> None:
    telling = {document for document in PATHS if "1,482.6" in text_of(document)}
    assert len(telling) >= 3
    assert all(labels()[document] == {"filings"} for document in telling)
    assert "EUR 1.48 billion" in text_of("airline/company/press-release-results-2025.md")


def test_cost_centres_add_up_to_the_income_statement() -> None:
    with (DOCUMENTS / "sap/cost-centres-2025.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    sums: Counter[str] = Counter()
    for row in rows:
        sums[row["Report line"]] += int(row["Actual"].replace(",", ""))
    statement = text_of("airline/filings/annual-report-2025.pdf", 10)
    book = text_of("airline/sap/cost-centres-2025.xlsx")
    for line, thousands in sums.items():
        assert f"{line} | ({thousands / 1000:.1f})" in statement
        assert f"| {thousands:,} |" in book
    assert sum(sums.values()) == 1_354_700


@pytest.mark.parametrize("step", TOUR, ids=lambda step: step["title"])
async def test_the_tour_knows_its_people_rooms_and_documents(step: dict[str, Any]) -> None:
    asked = step.get("explain", step)
    assert asked.get("as", asked.get("who")) in DIRECTORY.people()
    assert asked.get("in", "all-hands") in DIRECTORY.rooms()
    assert asked.get("document", next(iter(PATHS))) in PATHS
    assert ("ask" in step) != ("explain" in step)
    assert step["lesson"]


def test_there_are_questions_in_both_languages_and_some_without_an_answer() -> None:
    languages = Counter(language(row["question"]) for row in QUESTIONS)
    assert len(QUESTIONS) >= 60
    assert 0.3 <= languages["ja"] / len(QUESTIONS) <= 0.4
    assert sum(row["document"] is None for row in QUESTIONS) >= 10
    assert len({(row["question"], row["as"]) for row in QUESTIONS}) == len(QUESTIONS)


@pytest.mark.parametrize("row", QUESTIONS, ids=lambda row: f"{row['as']}: {row['question']}")
async def test_a_question_fits_the_documents_and_who_asks(row: dict[str, Any]) -> None:
    visible = await visible_to(row["as"])
    if row["document"] is None:
        assert not row["answers"]
        holding = {document for document in PATHS if any(answer in text_of(document) for answer in row["hidden"])}
        assert holding
        assert not holding & visible
        return
    assert row["document"] in visible
    text = " ".join(text_of(row["document"], row.get("page")).split())
    assert any(answer in text for answer in row["answers"])
