"""What a search is for, and which document it names."""

from __future__ import annotations

import pytest

from bot.assistant.seeking import named, sought, subject
from tests.assistant.library import passage

TRAVEL = passage("A flight needs an approval.", "travel.docx", "Travel policy")
EXPENSES = passage("For trips see also the travel policy.", "expenses.md", "Expense policy")
TRIPS = passage("この規程は旅費を定める。", "trips.docx", "国内・海外出張旅費規程")


@pytest.mark.parametrize(
    ("request_", "left"),
    [
        ("find our travel policy", "our travel policy"),
        ("Could you please look up the brake wear limit", "the brake wear limit"),
        ("出張規程を調べて", "出張規程"),
        ("休暇について教えてください", "休暇"),
        ("What is the daily allowance?", "What is the daily allowance?"),
        ("find", "find"),
        ("Hi, could you help me find out what the daily allowance is?", "what the daily allowance is?"),
        ("I'd like to know the brake wear limit, thanks", "the brake wear limit"),
        ("Search our documents for the brake wear limit", "the brake wear limit"),
        ("I'm looking for information on the uniform", "the uniform"),
        ("check whether gifts are allowed", "gifts are allowed"),
        ("Know your customer rules", "Know your customer rules"),
        ("Where do I look up my leave?", "Where do I look up my leave?"),
        ("find the document about leave", "the document about leave"),
        ("お疲れ様です。休暇の日数を調べていただけますか？", "休暇の日数"),
        ("社内文書で休暇の日数がいくつか調べてほしい", "休暇の日数がいくつか"),
        ("休暇に関する情報を探しています", "休暇"),
        ("休暇の日数の確認をお願いします", "休暇の日数"),
        ("休暇の日数を知りたいのですが", "休暇の日数"),
        ("出発前の確認", "出発前の確認"),
        ("離陸前に何を確認しますか", "離陸前に何を確認しますか"),
    ],
)
def test_the_words_that_ask_are_no_part_of_what_is_sought(request_: str, left: str) -> None:
    assert sought(request_) == left


def test_policy_and_the_like_say_nothing_of_what_a_document_is_about() -> None:
    assert subject("find the parental leave policy") == "the parental leave"
    assert subject("What does the leave policy say?") == "What does the leave policy say?"


@pytest.mark.parametrize(
    ("request_", "document"),
    [
        ("find our travel policy", "travel.docx"),
        ("What is our travel policy?", "travel.docx"),
        ("the rules on travel", "travel.docx"),
        ("出張規程を調べて", "trips.docx"),
        ("find our refund policy", None),
        ("find the travel policy on unicorns", None),
        ("What does the travel policy say about hotels?", None),
        ("find", None),
    ],
)
def test_a_document_is_named_by_its_title(request_: str, document: str | None) -> None:
    assert named(request_, [EXPENSES, TRAVEL, TRIPS]) == document
