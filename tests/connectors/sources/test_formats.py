"""Every kind of file gives its text in reading order, with headings, pages and whole table rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path

import pytest

from bot.errors import UnreadableDocument
from bot.types import Section
from connectors.sources.cells import shown
from connectors.sources.child import LimitedParser
from connectors.sources.pages import whole_rows
from tests.connectors.sources import made

AIRLINE = Path(__file__).parents[3] / "examples/airline/documents"


@pytest.fixture(scope="module")
def parser() -> Iterator[LimitedParser]:
    parser = LimitedParser()
    yield parser
    parser.close()


def read(parser: LimitedParser, path: Path, content: str | bytes) -> tuple[str, list[Section]]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    file = parser.parse(path)
    return file.title, list(file.sections)


def test_markdown(parser: LimitedParser, tmp_path: Path) -> None:
    text = (
        "# Travel\nBook *early*.\n\n## Meals\n- 40 dollars a day\n- no receipts\n\n|City|Rate|\n|--|--|\n|Osaka|55|\n"
    )
    title, sections = read(parser, tmp_path / "travel.md", text)
    assert title == "Travel"
    assert sections == [
        Section("Book early.", ("Travel",)),
        Section("- 40 dollars a day\n- no receipts\nCity | Rate\nOsaka | 55", ("Travel", "Meals")),
    ]


def test_front_matter_is_not_text_but_names_the_title(parser: LimitedParser, tmp_path: Path) -> None:
    title, sections = read(parser, tmp_path / "a.md", '---\ntitle: "Uniforms"\nowner: x\n---\nWear blue.\n')
    assert (title, sections) == ("Uniforms", [Section("Wear blue.")])


def test_headings_of_plain_text(parser: LimitedParser, tmp_path: Path) -> None:
    text = "Site guide\n\nEdition 2.\n\nPARKING\nLot P4.\n\n【食堂】\n10時から営業する。\nUSE THE RAMP\n\nEUR 5.\nPaid."
    title, sections = read(parser, tmp_path / "guide.txt", text)
    assert title == "Site guide"
    assert sections == [
        Section("Site guide\n\nEdition 2.", ("Site guide",)),
        Section("Lot P4.", ("Site guide", "PARKING")),
        Section("10時から営業する。\nUSE THE RAMP\n\nEUR 5.\nPaid.", ("Site guide", "食堂")),
    ]


def test_html_without_scripts_and_navigation(parser: LimitedParser, tmp_path: Path) -> None:
    text = """<html><head><title>Safety notice</title><script>var secret = 1</script></head><body><nav>Home</nav>
    <h1>Safety</h1><p>Wear a <b>vest</b>.</p><table><tr><th>Zone</th><th>Speed</th></tr><tr><td>Ramp</td><td>15</td></tr>
    </table><footer>Imprint</footer></body></html>"""
    title, sections = read(parser, tmp_path / "a.html", text)
    assert title == "Safety notice"
    assert sections == [Section("Wear a vest.\nZone | Speed\nRamp | 15", ("Safety",))]


def test_html_cells_that_cover_others_keep_figures_below_their_names(parser: LimitedParser, tmp_path: Path) -> None:
    text = """<table><tr><th colspan=4>Results</th></tr>
    <tr><th>Segment</th><th colspan="2">2025</th><th>Total</th></tr>
    <tr><td rowspan=2>Cargo</td><td>1.1</td><td>2.2</td><td>3.3</td></tr><tr><td>4.4</td><td>5.5</td><td>9.9</td></tr></table>"""
    _, sections = read(parser, tmp_path / "a.html", text)
    rows = "Segment | 2025 | 2025 | Total\nCargo | 1.1 | 2.2 | 3.3\nCargo | 4.4 | 5.5 | 9.9"
    assert sections == [Section(f"Results\n{rows}")]


def test_docx(parser: LimitedParser, tmp_path: Path) -> None:
    made.docx_file(tmp_path / "a.docx")
    file = parser.parse(tmp_path / "a.docx")
    assert file.title == "Parental leave"
    assert file.sections == (
        Section("Each parent may take 20 weeks.", ("Entitlement",)),
        Section(
            "- eight weeks before\nSegment | 2025 2024 | 2025 2024\nCargo | 142.7 | 131.2", ("Entitlement", "Notice")
        ),
    )


def test_pptx_slides_are_pages(parser: LimitedParser, tmp_path: Path) -> None:
    made.pptx_file(tmp_path / "town-hall.pptx")
    file = parser.parse(tmp_path / "town-hall.pptx")
    table = "Segment | 2025 | 2024\nCargo | 142.7 | 131.2\nPassengers | 1,196.3 | 1,098.4"
    assert file.title == "Results"
    assert file.sections == (
        Section("Cargo grew.\n\nThank the crews.", ("Results",), 1),
        Section(table, ("Results",), 1, table=True),
        Section("Outlook", ("Outlook",), 2),
    )


def test_xlsx_as_people_see_it(parser: LimitedParser, tmp_path: Path) -> None:
    made.xlsx_file(tmp_path / "cost-centres.xlsx")
    file = parser.parse(tmp_path / "cost-centres.xlsx")
    assert file.title == "Cost centres"
    assert file.sections == (
        Section(
            "Centre | Budget | Change | Code\nLine maintenance | 1,234,567.89 | 8.8% | 0042",
            ("Costs", "Cost centres 2025"),
            table=True,
        ),
        Section("Month | Tonnes\nMay | 12", ("Costs", "Table 2"), table=True),
        Section("far away", ("Notes",), table=True),
    )


def test_pdf_pages_and_rows(parser: LimitedParser, tmp_path: Path) -> None:
    made.pdf_file(tmp_path / "report.pdf")
    file = parser.parse(tmp_path / "report.pdf")
    assert file.title == "Annual report"
    assert [section.page for section in file.sections] == [1, 2]
    lines = file.sections[1].text.splitlines()
    assert lines[0] == "Part 2"
    assert lines[1].startswith(
        "Net revenue rose to 1,482.6 million dollars, because more people flew and each of them paid"
    )
    assert lines[2:] == ["Segment | 2025 | 2024", "Cargo | 142.7 | 131.2", "Passengers | 1,196.3 | 1,098.4"]


def test_pdf_columns_are_read_one_after_the_other(parser: LimitedParser, tmp_path: Path) -> None:
    made.two_column_pdf(tmp_path / "two.pdf")
    sections = parser.parse(tmp_path / "two.pdf").sections
    assert len(sections) == 3
    text = " ".join(" ".join(section.text.split()) for section in sections)
    told = "tells of the fleet and of the network in so many words that it wraps over some lines. It ends here."
    prose = " ".join(f"Paragraph {number} {told}" for number in range(90))
    assert text.replace("CONFIDENTIAL ", "").replace("Ternfield Airways | Annual report | 1 ", "") == prose
    assert text.count("CONFIDENTIAL") == text.count("Ternfield Airways") == 1


@pytest.mark.parametrize(
    ("document", "rows"),
    [
        (
            "filings/annual-report-2025.pdf",
            [
                "Name | Office | Salary (EUR thousand) | Bonus (EUR thousand) | Total (EUR thousand)",
                "Leonie Harcastle | Chief Operating Officer | 455 | 251 | 706",
                "Region | Airports | Flights | Passengers (million) | Load factor",
            ],
        ),
        (
            "maintenance/ata-29-hydraulic-power.pdf",
            [
                "Place | Limit with the system under pressure | Action above the limit",
                "Pump shaft seal | 2 drops per minute | Replace pump within 50 hours",
            ],
        ),
        (
            "filings/ja/shareholder-letter-2025.pdf",
            ["項目（百万ユーロ） | 2025年度 | 2024年度", "純収益 | 1,482.6 | 1,371.4"],
        ),
    ],
)
def test_pdf_rows_whose_cells_are_wrapped_or_close_together(
    parser: LimitedParser, document: str, rows: list[str]
) -> None:
    lines = "\n".join(section.text for section in parser.parse(AIRLINE / document).sections).splitlines()
    assert [row for row in rows if row not in lines] == []


def test_rows_that_stand_close_are_told_from_the_rest_of_a_cell() -> None:
    tight = [
        "Fuel              397.6     412.8",
        "                  338.2     306.1",
        "Region            2025      2024",
    ]
    assert whole_rows(tight) == tight
    assert whole_rows(["Region            2025      2024", "                  audited   audited"]) == [
        "Region   2025 audited   2024 audited"
    ]
    assert whole_rows(["Fuel              397.6     412.8", "More was burned than before."])[1:] == [
        "More was burned than before."
    ]


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("Vendor;Amount\nKansai Jet; 6,412.50 \n", "Vendor | Amount\nKansai Jet | 6,412.50"),
        ('a,b\n"x, y",2\n', "a | b\nx, y | 2"),
        ("a\tb\n1\t2\n", "a | b\n1 | 2"),
    ],
)
def test_csv(parser: LimitedParser, tmp_path: Path, content: str, rows: str) -> None:
    assert read(parser, tmp_path / "vendor_ledger.csv", content) == ("Vendor ledger", [Section(rows, table=True)])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp932", "euc_jp", "iso2022_jp"])
def test_japanese_encodings(parser: LimitedParser, tmp_path: Path, encoding: str) -> None:
    text = "出張規程。日当は三千円とする。カナも読める。"
    assert read(parser, tmp_path / "規程.txt", text.encode(encoding))[1][0].text == text


@pytest.mark.parametrize(
    "text", ["Zürich, résumé, naïve cafés, señor.", "Preis: 5 € für das Menü.", "déjeuner à réseau."]
)
def test_western_encodings(parser: LimitedParser, tmp_path: Path, text: str) -> None:
    assert read(parser, tmp_path / "a.txt", text.encode("cp1252"))[1][0].text == text


def test_a_page_says_its_encoding(parser: LimitedParser, tmp_path: Path) -> None:
    page = '<meta charset="koi8-r"><p>Привет, мир</p>'
    assert read(parser, tmp_path / "a.html", page.encode("koi8-r"))[1][0].text == "Привет, мир"


def test_what_no_database_takes_is_left_out(parser: LimitedParser, tmp_path: Path) -> None:
    assert read(parser, tmp_path / "a.md", "one\x01two &#xD800; three\x0b")[1][0].text.startswith("onetwo")


@pytest.mark.parametrize(
    ("name", "title"), [("line_maintenance-2025.csv", "Line maintenance 2025"), ("SOP-7.csv", "SOP 7")]
)
def test_without_a_title_the_name_is_one(parser: LimitedParser, tmp_path: Path, name: str, title: str) -> None:
    assert read(parser, tmp_path / name, "a,b\n1,2\n")[0] == title


def test_what_programs_write_as_title_is_none(parser: LimitedParser, tmp_path: Path) -> None:
    page = "<title>Microsoft Word - draft_final3.docx</title><h1>Code of conduct</h1><p>Be kind.</p>"
    assert read(parser, tmp_path / "a.html", page)[0] == "Code of conduct"


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (-1234, "#,##0_);(#,##0)", "(1,234)"),
        (0, '#,##0;-#,##0;"-"', "-"),
        (1234567, "[$¥-411]#,##0", "¥1,234,567"),
        (1234567, '"$"#,##0,"k"', "$1,235k"),
        (1.5, "General", "1.5"),
        (100231, "General", "100231"),
        (0.1 + 0.2, "General", "0.3"),
        (1.0, "0.##", "1"),
        (0.5, "# ?/?", "0.5"),
        (12345, "0.00E+00", "1.23E+04"),
        (3, '0 "kg"', "3 kg"),
        (True, "General", "TRUE"),
        (datetime(2025, 4, 1), "yyyy-mm-dd", "2025-04-01"),
        (datetime(2025, 4, 1), "mmm-yy", "2025-04"),
        (date(2025, 4, 1), '[$-411]yyyy"年"m"月"d"日"', "2025-04-01"),
        (datetime(2025, 4, 1, 8, 30), "yyyy-mm-dd h:mm", "2025-04-01 08:30"),
        (time(8, 30), "h:mm", "08:30"),
        (None, "0", ""),
    ],
)
def test_number_formats(value: object, form: str, text: str) -> None:
    assert shown(value, form) == text


@pytest.mark.parametrize("name", ["photo.png", "archive.zip", "README", "old.doc"])
def test_other_kinds_are_named(parser: LimitedParser, tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableDocument, match=r"this kind is not read; known: \.csv, \.docx"):
        read(parser, tmp_path / name, "x")


def test_a_foot_that_repeats_the_title_and_counts_pages_is_left_out(parser: LimitedParser) -> None:
    manual = parser.parse(AIRLINE / "maintenance/ja/hydraulic-pump-replacement.pdf")
    assert len(manual.sections) == 2
    assert "".join(section.text for section in manual.sections).count("油圧ポンプ交換手順書") == 1
    assert not any(section.text.rstrip().endswith(("1", "2")) for section in manual.sections)


def test_japanese_counters_meet_their_numbers(parser: LimitedParser) -> None:
    letter = "".join(
        section.text for section in parser.parse(AIRLINE / "filings/ja/shareholder-letter-2025.pdf").sections
    )
    assert "1億2,790万ユーロ" in letter
    assert "2025年度の業績" in letter
