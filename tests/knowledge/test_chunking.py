"""Sentences and passages: nothing is lost, and nothing that belongs together is cut."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.knowledge.chunking import LIMIT, passages, size
from bot.knowledge.sentences import sentences, spans
from bot.types import Document, Section
from tests.effort import processor_seconds

TEXT = st.text(alphabet="ab A1.。!?\n|\t「」、梅雨-・ \r\u2028", max_size=200)


def document(*sections: Section, **changes: object) -> Document:
    made = Document("handbook/travel.md", "files", "Travel", frozenset({"company"}), "h1", sections)
    return replace(made, **changes)


@given(TEXT)
def test_sentences_joined_are_the_text(text: str) -> None:
    assert "".join(sentences(text)) == text
    ends = [end for _, end in spans(text)]
    assert [start for start, _ in spans(text)] == [0, *ends][: len(ends)]
    assert all(start < end for start, end in spans(text))


@pytest.mark.parametrize(
    "text",
    [
        "Mr. Smith paid $3.5 million to Acme Inc. and left.|He returned.",
        "See Fig. 3 and No. 5.|Was it e.g. the U.S. market?|No.|Yes!",
        "It rose to 1,496.5 in Jan. 2019.|The rest fell... and rose.",
        "John F. Kennedy spoke.|“It works!” he said.|(So it does.)|Fine.",
        "It was sold by Acme Inc.|The price rose.",
        "梅雨は雨季の一種である。|「これは何ですか。」と聞いた。|はい！|次へ。",
        "A320のMELは？|見てください。|はい!|次は3.5トンです。",
        "Scope\n|This chapter applies.|It is short.",
        "- first item\n|- second item\n|* third\n|1. Do this.|Then that.\n|2. Stop.",
        "・整備記録\n|・点検表\n|① 確認する。",
        "This line was wrapped because it is rather long\nand goes on here.|The end.",
        "this line stops too early\nand goes on in lower case.\n\n|New paragraph",
        "apples\n|pears and plums\n|nuts",
        "Year ; 2019 ; 2018\n|Net revenue. Total ; $1,496.5 ; 1,202.9\n|Text after it.",
    ],
)
def test_where_sentences_end(text: str) -> None:
    """A bar stands at each end; a semicolon for the bar between cells."""
    parts = [part.replace(" ; ", " | ") for part in text.split("|")]
    whole = " ".join(parts).replace("\n ", "\n")
    whole = "".join(parts) if any(character > "\u3040" for character in text) else whole
    assert [sentence.strip() for sentence in sentences(whole)] == [part.strip() for part in parts]


@given(TEXT, TEXT)
def test_passages_lose_no_sentence(first: str, second: str) -> None:
    made = passages(document(Section(first * 10, ("A",), 1), Section(second * 10, ("A",), 2)))
    kept = "".join("".join(passage.text.split()) for passage in made)
    assert set("".join(first.split() + second.split())) <= set(kept)
    assert all(passage.text.strip() for passage in made)
    assert len({passage.id for passage in made}) == len(made)


def test_a_passage_is_whole_sentences_up_to_the_limit() -> None:
    text = " ".join(f"Sentence number {i} says that the engine is number {i}." for i in range(100))
    made = passages(document(Section(text)))
    assert " ".join(passage.text.strip() for passage in made) == text
    assert all(passage.text.strip().startswith("Sentence") and passage.text.strip().endswith(".") for passage in made)
    assert all(LIMIT / 2 < size(passage.text) <= LIMIT * 1.2 for passage in made)


def test_a_kanji_is_half_a_word() -> None:
    assert size("梅雨は A320") == 2.5
    made = passages(document(Section("これは整備の記録である。" * 60)))
    assert all(passage.text.endswith("。") and size(passage.text) <= LIMIT * 1.2 for passage in made)
    assert len(made) > 2


def test_each_piece_of_a_table_has_whole_rows_under_the_header() -> None:
    header = " | Years ended | \nItem | 2019 | 2018\n"
    rows = [f"Cost centre {i} | {i},000.5 | {i}.1\n" for i in range(60)]
    made = passages(document(Section("Costs by centre:\n" + header + "".join(rows) + "After the table.")))
    assert made[0].text.startswith("Costs by centre:\n | Years ended | \nItem | 2019 | 2018\nCost centre 0 |")
    for passage in made[1:]:
        assert passage.text.startswith(" | Years ended | \n")
    found = [line for passage in made for line in passage.text.splitlines() if line.startswith("Cost centre")]
    assert found == [row.strip("\n") for row in rows]


def test_the_first_row_and_the_rule_of_a_markdown_table_are_its_header() -> None:
    table = "| Name | Amount |\n|---|---|\n" + "| some name here | 1 |\n" * 60
    made = passages(document(Section(table, table=True)))
    assert len(made) > 1
    assert all(passage.text.startswith("| Name | Amount |\n|---|---|\n| some") for passage in made)


def test_heading_page_and_provenance_go_with_each_passage() -> None:
    day = datetime(2025, 3, 1, tzinfo=UTC)
    sections = (Section("Fly economy.", ("Travel", "Flights"), 3), Section("Take the train.", ("Travel", "Trains"), 4))
    flights, trains = passages(document(*sections, url="https://x.example/t", modified=day))
    assert (flights.heading, flights.page) == (("Travel", "Flights"), 3)
    assert (trains.heading, trains.page) == (("Travel", "Trains"), 4)
    assert flights.document == "handbook/travel.md"
    assert (flights.title, flights.url, flights.modified) == ("Travel", "https://x.example/t", day)
    assert flights.labels == {"company"}


def test_neighbouring_paragraphs_under_one_heading_share_a_passage() -> None:
    made = passages(
        document(Section("Fly economy.", ("A",), 1), Section("Or walk.", ("A",), 1), Section("B.", ("B",), 1))
    )
    assert [passage.text for passage in made] == ["Fly economy.\n\nOr walk.", "B."]


def test_a_sentence_cut_by_a_page_break_stays_with_the_page_where_it_begins() -> None:
    made = passages(document(Section("One. The engine of it was", (), 1), Section("replaced in May. Two.", (), 2)))
    assert [(passage.text, passage.page) for passage in made] == [
        ("One. The engine of it was replaced in May.", 1),
        ("Two.", 2),
    ]


def test_ids_change_with_what_is_stored_and_not_with_labels() -> None:
    made = passages(document(Section("One."), Section("Two.", ("H",))))
    moved = passages(document(Section("One."), Section("Two.", ("H",)), labels=frozenset({"hr"}), hash="h2"))
    edited = passages(document(Section("One."), Section("Three.", ("H",))))
    elsewhere = passages(document(Section("One."), Section("Two.", ("H",)), id="other.md"))
    ids = [[passage.id for passage in version] for version in (made, moved, edited, elsewhere)]
    assert ids[0] == ids[1]
    assert ids[0][0] == ids[2][0]
    assert ids[0][1] != ids[2][1]
    assert not set(ids[0]) & set(ids[3])


def test_the_same_words_twice_are_two_passages() -> None:
    made = passages(document(Section("Stop.", ("A",)), Section("Go.", ("B",)), Section("Stop.", ("A",))))
    assert len({passage.id for passage in made}) == 3


def test_a_sentence_without_end_is_cut_after_all() -> None:
    made = passages(document(Section("word " * 5000)))
    assert len(made) > 3
    assert sum(size(passage.text) for passage in made) == 5000


def test_many_small_sections_under_one_heading_are_put_together_once() -> None:
    with processor_seconds(30):
        made = passages(document(*[Section("x.", ("A",))] * 100_000))
    assert sum(passage.text.count("x.") for passage in made) == 100_000


def test_an_empty_document_has_no_passages() -> None:
    assert passages(document()) == []
    assert passages(document(Section(" \n\n"), Section("", table=True))) == []


@pytest.mark.parametrize(
    "text", ["QmFzZTY0" * 20_000, "`" * 100_000, "-=" * 50_000, "x" * 100_000 + " and a sentence."]
)
def test_a_file_of_few_words_is_cut_all_the_same(text: str) -> None:
    made = passages(document(Section(text)))
    assert all(len(one.text) <= 10_000 for one in made)
    assert "".join(one.text for one in made).replace("\n", "") == text
