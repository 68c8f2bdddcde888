"""What a request is about: found where it came from, with its provenance, and never taken for a request."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.assistant import words
from bot.assistant.editor_words import ENGLISH
from bot.assistant.given import Given, Giver, parted, topic
from bot.types import Access, Answer, Citation, Excerpt, Exchange, Room
from tests.assistant.library import STAFF, passage
from tests.assistant.texts import CHAT, HANGAR, PLACE, asked
from tests.fakes import FakeIndex, FakeThreads

TRAVEL = passage("Travel by train is the rule up to four hours.", "travel.docx", "Travel policy", 1)
NOT_FOUND = words.ENGLISH.not_found
OTHER = passage("Dinner is paid up to EUR 75.", "expense.docx", "Expense policy")


@pytest.mark.parametrize(
    ("text", "request_", "material"),
    [
        ("Summarize:\nThe gate has changed.\nIt is B7.", "Summarize", "The gate has changed.\nIt is B7."),
        ("The gate has changed.\nIt is B7.\nKey points?", "Key points?", "The gate has changed.\nIt is B7."),
        (
            "Translate this into Japanese: the gate has changed.",
            "Translate this into Japanese",
            "the gate has changed.",
        ),
        ("Into English: 本日の便は満席です。", "Into English", "本日の便は満席です。"),
        (
            "お客様：返金がまだです。\nお詫びの返信を書いてください。",
            "お詫びの返信を書いてください。",
            "お客様：返金がまだです。",
        ),
        ("auf Deutsch bitte: The gate has changed.", "auf Deutsch bitte", "The gate has changed."),
        (
            "en français s'il vous plaît :\nThe gate has changed.",
            "en français s'il vous plaît",
            "The gate has changed.",
        ),
        ("Übersetze das ins Englische: Guten Tag.", "Übersetze das ins Englische", "Guten Tag."),
        ("日本語で: We regret the delay.", "日本語で", "We regret the delay."),
        ("Make this more polite: “Send it now.”", "Make this more polite", "Send it now."),
        ("Summarize the travel policy.", "Summarize the travel policy.", ""),
        ("What happened at 10:30 in this thread?", "What happened at 10:30 in this thread?", ""),
        ("One line.\nAnother line.", "", "One line.\nAnother line."),
    ],
)
def test_a_message_is_parted_into_request_and_material(text: str, request_: str, material: str) -> None:
    assert parted(text) == (request_, material)


def test_a_topic_is_what_is_left_of_a_request() -> None:
    assert topic("Please summarize the travel policy in three bullets.") == "travel policy"
    assert topic("旅費規程を3文で要約してください") == "旅費規程"
    assert topic("in one sentence, please") == topic("三つの要点にまとめて") == ""


async def test_a_chat_that_was_pasted_keeps_who_said_what() -> None:
    text = "Summarize this:\nMia: the delivery moved to Thursday\nTom: then the repair slips"
    given = await Giver().given(asked(text), text)
    assert [(part.author, part.text) for part in given.parts] == [
        ("Mia", "the delivery moved to Thursday"),
        ("Tom", "then the repair slips"),
    ]


async def test_a_model_that_forwards_the_request_alone_loses_no_material() -> None:
    given = await Giver().given(asked(f"Summarize:\n{HANGAR}"), "Summarize the text in one sentence")
    assert (given.request, given.text) == ("Summarize the text in one sentence", HANGAR)


async def test_files_and_excerpts_are_material() -> None:
    text = "Summarize this"
    given = await Giver().given(asked(text, excerpts=CHAT[:1], files=["From a file."]), text)
    assert [(part.author, part.text) for part in given.parts] == [("", "From a file."), ("Mia", CHAT[0].text)]


async def test_a_thread_is_that_very_place_and_no_other() -> None:
    elsewhere = {
        (PLACE, "t2"): [Excerpt("Eve", "Something else.")],
        (Room("slack", "T0HOME", "C2", "private"), "t1"): CHAT,
    }
    threads = FakeThreads({(PLACE, "t1"): CHAT, **elsewhere})
    text = "Summarize this thread"
    given = await Giver(None, threads).given(asked(text, thread="t1", room=PLACE), text)
    assert threads.asked == [(PLACE, "t1")]
    assert [part.text for part in given.parts] == [one.text for one in CHAT]


async def test_answers_in_a_thread_stand_behind_their_question_and_bring_their_documents() -> None:
    said = [CHAT[0], Excerpt("Tom", "@Rolecall how long is leave?"), CHAT[1], Excerpt("Tom", "Summarize this thread")]
    history = [Exchange("how long is leave?", "Leave is 25 days [1].", frozenset({"leave.docx"}))]
    text = "Summarize this thread"
    given = await Giver(None, FakeThreads({(PLACE, "t1"): said})).given(
        asked(text, thread="t1", room=PLACE, history=history), text
    )
    assert [part.text for part in given.parts] == [CHAT[0].text, said[1].text, "Leave is 25 days.", CHAT[1].text]
    assert given.documents == {"leave.docx"}


async def test_a_bare_verb_in_a_thread_is_about_the_thread() -> None:
    given = await Giver(None, FakeThreads({(PLACE, "t1"): CHAT})).given(
        asked("summarize", thread="t1", room=PLACE), "summarize"
    )
    assert [part.text for part in given.parts] == [one.text for one in CHAT]


@pytest.mark.parametrize("readable", [True, False])
async def test_orders_to_the_editor_and_our_notes_are_no_part_of_a_conversation(readable: bool) -> None:
    draft = "Draft a message that the gate is now B12"
    answer = f"Dear [name],\n\nThe gate is now B12.\n\n{ENGLISH.draft_in_frame}"
    history = [Exchange("How long is leave?", "Leave is 25 days."), Exchange(draft, answer)]
    said = [Excerpt("Tom", one.question) for one in history]
    threads = FakeThreads({(PLACE, "t1"): said} if readable else {})
    turn = asked("Summarize this conversation", thread="t1", room=PLACE, history=history)
    given = await Giver(None, threads).given(turn, turn.message.text)
    texts = [part.text for part in given.parts]
    assert texts == ["How long is leave?", "Leave is 25 days.", "The gate is now B12."]


async def test_the_last_message_is_one_message() -> None:
    text = "Translate the last message into German"
    given = await Giver(None, FakeThreads({(PLACE, "t1"): CHAT})).given(asked(text, thread="t1", room=PLACE), text)
    assert [part.text for part in given.parts] == [CHAT[-1].text]


async def test_a_place_that_cannot_be_read_gives_nothing() -> None:
    text = "Summarize this thread"
    given = await Giver(None, FakeThreads()).given(asked(text, thread="t1", room=PLACE), text)
    assert (given.parts, given.in_thread) == ((), True)


@pytest.mark.parametrize("text", ["shorter", "and in German?", "in one sentence please", "もっと短くして"])
async def test_a_follow_up_is_about_the_answer_before_and_keeps_its_documents(text: str) -> None:
    history = [Exchange("How long is leave?", "Leave is 25 days [1].", frozenset({"leave.docx"}))]
    given = await Giver().given(asked(text, history=history), text)
    assert (given.text, given.origin, given.documents) == ("Leave is 25 days.", "earlier", {"leave.docx"})


async def test_a_document_is_found_under_the_access_of_the_turn() -> None:
    index, text = FakeIndex([TRAVEL, OTHER]), "Summarize the travel policy"
    one = asked(text)
    given = await Giver(index).given(one, text, documents=True)
    assert index.asked == [("travel policy", one.access)]
    assert (given.documents, given.searched) == ({"travel.docx"}, True)


async def test_a_title_that_is_said_in_full_is_meant_whatever_is_said_beside_it() -> None:
    conduct = passage("Be honest.", "conduct.docx", "Code of conduct")
    text = "Summarize the code of conduct for a colleague from Norway, in under 60 words"
    given = await Giver(FakeIndex([TRAVEL, conduct])).given(asked(text), text, documents=True)
    assert given.documents == {"conduct.docx"}


@pytest.mark.parametrize("answer", [NOT_FOUND, ENGLISH.nothing_to_summarize, ENGLISH.too_long.format(size=9, limit=8)])
async def test_that_something_was_not_found_is_no_material(answer: str) -> None:
    given = await Giver().given(asked("shorter", history=[Exchange("How long is leave?", answer)]), "shorter")
    assert (given.origin, given.parts) == ("nothing", ())


async def test_what_the_index_has_nearest_is_not_taken_for_what_was_meant() -> None:
    text = "Summarize the moon landing"
    given = await Giver(FakeIndex([TRAVEL])).given(asked(text), text, documents=True)
    assert (given.parts, given.searched) == ((), True)


@pytest.mark.parametrize(
    ("access", "tools"),
    [(Access(), ("search_documents",)), (None, ("summarize",))],
    ids=["reads nothing", "may not search"],
)
async def test_who_may_not_search_gets_no_document(access: Access | None, tools: tuple[str, ...]) -> None:
    index, text = FakeIndex([TRAVEL]), "Summarize the travel policy"
    one = asked(text, tools=tools)
    given = await Giver(index).given(replace(one, access=access or one.access), text, documents=True)
    assert (index.asked, given.parts) == ([], ())


def test_an_answer_becomes_material_with_all_it_rests_on() -> None:
    cited = Citation(1, "leave.docx", "Leave", STAFF)
    answer = Answer("Leave is 25 days. [1]", (cited,), rests_on=frozenset({"other.docx"}), searched=True)
    given = Given.of([answer], "in German")
    assert (given.sources, given.documents, given.searched) == ((cited,), {"leave.docx", "other.docx"}, True)
    assert [(part.text, part.passage and part.passage.document) for part in given.parts] == [
        ("Leave is 25 days.", "leave.docx")
    ]


def test_several_answers_become_one_material_with_sources_numbered_anew() -> None:
    leave, pay = Citation(1, "leave.docx", "Leave", STAFF), Citation(1, "pay.docx", "Pay", STAFF)
    twice = Answer("Pay is monthly. [1] Leave is 25 days. [2]", (pay, replace(leave, number=2)))
    given = Given.of([Answer("Leave is 25 days. [1]", (leave,)), twice], "in German")
    assert given.found
    assert given.found.shown == "Leave is 25 days. [1]\n\nPay is monthly. [2] Leave is 25 days. [1]"
    assert given.sources == (leave, replace(pay, number=2))


def test_a_document_that_was_named_is_material_as_a_whole() -> None:
    cited = Citation(1, TRAVEL.document, TRAVEL.title, STAFF, TRAVEL.page)
    given = Given.of([Answer("Trains first. [1]", (cited,), material=(TRAVEL,))], "in German")
    assert given.found
    assert (given.found.shown, given.found.whole) == ("Trains first. [1]", f"{TRAVEL.text} [1]")
    assert [part.passage for part in given.parts] == [TRAVEL]


async def test_the_answer_before_keeps_its_sources_and_loses_our_notes() -> None:
    cited = Citation(1, "leave.docx", "Leave", STAFF)
    note = ENGLISH.summary_untranslated.format(language="German")
    history = [Exchange("Summarize it", f"Leave is 25 days. [1]\n\n{note}", frozenset({"leave.docx"}), (cited,))]
    given = await Giver().given(asked("shorter", history=history), "shorter")
    assert given.found
    assert (given.origin, given.found.shown, given.sources) == ("earlier", "Leave is 25 days. [1]", (cited,))
    assert given.documents == {"leave.docx"}
    away = Exchange("and in Dutch?", ENGLISH.model_too_small.format(language="Dutch"))
    given = await Giver().given(asked("shorter", history=[*history, away]), "shorter")
    assert given.text == "Leave is 25 days."
