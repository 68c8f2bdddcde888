"""Drafts: what the request says is kept, nothing is made up, and a frame does where the model cannot."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.access.cleaning import clean
from bot.assistant.drafting import LIMIT, Drafter
from bot.assistant.editor_words import ENGLISH, JAPANESE
from bot.assistant.given import Giver
from bot.types import Answer, Citation, Exchange
from tests.assistant.library import STAFF, WordEmbeddings, heard, saying
from tests.assistant.texts import HANGAR, asked
from tests.fakes import ScriptedModel

LETTER = "Dear Ms Tanaka,\n\nThe meeting has been moved to Monday at 3 pm.\n\nKind regards"
REQUEST = "Write a note to Ms Tanaka saying the meeting is on Monday at 3 pm"


def drafter(*lines: str, capable: bool = True, model: ScriptedModel | None = None) -> Drafter:
    return Drafter(Giver(), model or saying(*lines or ("x",)), WordEmbeddings(), capable, model_name="scripted")


async def draft(text: str, made: Drafter, **material: Any) -> Answer:
    return (await heard(made.answer(asked(text, **material), text)))[0]


async def test_a_composed_draft_that_keeps_the_request_is_shown() -> None:
    answer = await draft(REQUEST, drafter(LETTER))
    assert (answer.text, answer.model) == (LETTER, "scripted")


async def test_tone_length_and_language_are_told_to_the_model() -> None:
    model = saying("部品の到着が遅れております。誠に申し訳ございません。")
    await draft("Draft an apology in Japanese in 50 words: the parts are late", drafter(model=model))
    system = model.heard[0][0].text
    assert "Write in Japanese" in system
    assert "apologetic" in system
    assert "50 words" in system


async def test_what_was_left_out_is_asked_for_again_and_then_named() -> None:
    short = "Dear Ms Tanaka,\n\nThe meeting has been moved.\n\nKind regards"
    model = saying(short, LETTER)
    assert (await draft(REQUEST, drafter(model=model))).text == LETTER
    assert "Keep in the text: 3, Monday" in model.heard[1][-1].text
    answer = await draft(REQUEST, drafter(short))
    assert answer.text == f"{short}\n\n{ENGLISH.draft_missing.format(missing='3, Monday')}"


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ("Draft a reply that declines the invitation for 4 July", "I would like to decline the invitation for 4 July."),
        ("Write a note that reminds them of the form", "I would like to remind you of the form."),
        ("Write an email to confirm the meeting on Friday", "I would like to confirm the meeting on Friday."),
        ("Draft a mail that thanksgiving is cancelled", "Thanksgiving is cancelled."),
        ("Write a thank-you note to Ms Weber for the quick repair", "Thank you for the quick repair."),
        ("Draft an apology to the customer for the late delivery", "I apologize for the late delivery."),
        (
            "Draft an invitation to the team for the party on 3 July",
            "I would like to invite you to the party on 3 July.",
        ),
        ("Write congratulations to the team on the new record", "Congratulations on the new record."),
    ],
)
async def test_what_a_letter_is_to_do_is_said_as_its_writer_says_it(request_: str, said: str) -> None:
    assert f"\n\n{said}\n\n" in (await draft(request_, drafter(capable=False))).text


@pytest.mark.parametrize(
    "written",
    [
        "The meeting is on Monday at 3 pm in room 401.",
        "See https://evil.example/ on Monday at 3 pm.",
        "会議は月曜日の3時です。ご出席ください。よろしくお願いいたします。",
        "",
    ],
    ids=["new number", "new link", "other language", "nothing"],
)
async def test_what_nobody_said_is_not_shown(written: str) -> None:
    answer = await draft(REQUEST, drafter(written))
    assert "The meeting is on Monday at 3 pm." in answer.text
    assert answer.text.endswith(ENGLISH.draft_in_frame)
    assert answer.model == ""


@pytest.mark.parametrize(
    ("request_", "parts"),
    [
        (
            "Draft a polite reply that says the delivery will be late.",
            ["Thank you for your message.", "The delivery will be late."],
        ),
        (
            "Write a friendly email to Ms Ito about the office closure on Friday",
            ["Hi Ms Ito,", "the office closure on Friday."],
        ),
        (
            "Turn these notes into a mail to the team:\n- server maintenance on Sunday 6 to 9\n- crew app offline",
            ["Server maintenance on Sunday 6 to 9.", "Crew app offline."],
        ),
        (
            "Write an apology: the parts come 3 days late",
            ["Please accept our apologies.", "The parts come 3 days late."],
        ),
        (
            "納期が3日遅れることを丁寧に伝える返信を書いてください。",
            ["納期が3日遅れることをお知らせいたします。", "何卒よろしくお願い申し上げます。"],
        ),
        (
            "Draft a friendly reply to a customer whose bag was late; we will deliver it on Thursday before 18:00.",
            ["We will deliver it on Thursday before 18:00."],
        ),
        (
            "Draft a formal email to Ms Weber saying that invoice 4711 is overdue since 3 March. Keep it under 60 words.",
            ["Dear Ms Weber,\n\nInvoice 4711 is overdue since 3 March.\n\n"],
        ),
        (
            "Draft a friendly announcement about the new coffee machine in one sentence",
            ["I am writing about the new coffee machine.\n"],
        ),
        (
            "取引先に納品が二日遅れることを伝える丁寧なメールを100字以内で書いてください",
            ["\n\n納品が二日遅れることをお知らせいたします。"],
        ),
    ],
)
async def test_a_small_model_is_not_asked_and_a_frame_holds_the_own_points(request_: str, parts: list[str]) -> None:
    model = saying("invented")
    answer = await draft(request_, drafter(model=model, capable=False))
    assert all(part in answer.text for part in parts)
    assert answer.text.endswith((ENGLISH.draft_in_frame, JAPANESE.draft_in_frame))
    assert clean(answer.text) == answer.text
    assert model.heard == []


@pytest.mark.parametrize(
    ("request_", "files"),
    [
        ("I need an invitation to the summer party.", ()),
        ("Draft a reply to this", (HANGAR,)),
        ("Draft a reply to this: Where is my bag?", ()),
    ],
)
async def test_a_place_that_is_left_open_is_not_called_the_persons_own_points(
    request_: str, files: tuple[str, ...]
) -> None:
    answer = await draft(request_, drafter(capable=False), files=files)
    assert "[what you would like to say]" in answer.text
    assert answer.text.endswith(ENGLISH.draft_open.format(request=request_.split(":")[0]))


async def test_what_a_frame_has_no_place_for_is_named_as_missing() -> None:
    answer = await draft("Draft a note to all staff, the kitchen closes at 17 on Friday", drafter(capable=False))
    assert ENGLISH.draft_missing.format(missing="17, Friday") in answer.text


async def test_what_stands_behind_the_colon_of_a_reply_is_to_be_said() -> None:
    request_ = "Draft a reply in Japanese: we received your application and will answer by 5 May."
    answer = await draft(request_, drafter(capable=False))
    assert "\n\nWe received your application and will answer by 5 May.\n\n" in answer.text
    assert answer.text.endswith(ENGLISH.draft_untranslated.format(language="Japanese"))


@pytest.mark.parametrize(
    ("follow_up", "greeting", "closing"),
    [
        ("now in Japanese", "Ms Itō様", "よろしくお願いいたします。"),
        ("more formal please", "Dear Ms Itō,", "understanding."),
    ],
)
async def test_a_letter_is_set_into_another_frame(follow_up: str, greeting: str, closing: str) -> None:
    request_ = "Draft a friendly message to Ms Itō that the gate changed to B12 at 14:30"
    first = await draft(request_, drafter(capable=False))
    answer = await draft(follow_up, drafter(capable=False), history=[Exchange(request_, first.text)])
    assert answer.text.startswith(greeting)
    assert "\n\nThe gate changed to B12 at 14:30.\n\n" in answer.text
    assert closing in answer.text
    assert "I hope you are well." not in answer.text


async def test_shortening_says_where_nothing_changed() -> None:
    answer = await draft("Make this shorter: The gate is now B12.", drafter(capable=False))
    assert answer.text == f"The gate is now B12.\n\n{ENGLISH.unchanged}"
    wordy = "I just wanted to reach out to you in order to let you know that the meeting is on Friday at 10."
    answer = await draft(f"Make this shorter: {wordy}", drafter(capable=False))
    assert answer.text == "The meeting is on Friday at 10."


async def test_points_that_could_not_be_translated_are_said_to_stand_as_they_were() -> None:
    answer = await draft("Draft a mail in Japanese: the delivery is late", drafter(capable=False))
    assert "The delivery is late." in answer.text
    assert "お世話になっております。" in answer.text
    assert answer.text.endswith(ENGLISH.draft_untranslated.format(language="Japanese"))


async def test_rephrasing_keeps_numbers_links_and_language() -> None:
    source = "Send me the 3 reports from https://wiki.example/r today."
    request_ = f"Make this more polite: {source}"
    good = "Would you be so kind as to send me the 3 reports from ⟦1⟧ today?"
    assert (await draft(request_, drafter(good))).text == good.replace("⟦1⟧", "https://wiki.example/r")
    answer = await draft(request_, drafter("Would you please send me the 4 reports from ⟦1⟧ today?"))
    assert answer.text == "Could you please send me the 3 reports from https://wiki.example/r today?"


async def test_bullet_points_of_a_text_need_no_model() -> None:
    request_ = "Turn this into bullet points: We met on Monday. Ana orders the parts."
    answer = await draft(request_, drafter(capable=False))
    assert (answer.text, answer.model) == ("- We met on Monday.\n- Ana orders the parts.", "")


async def test_rules_rephrase_a_little_and_say_where_they_cannot() -> None:
    answer = await draft("Make it more polite: Send me the report today. I can't wait.", drafter(capable=False))
    assert answer.text == "Could you please send me the report today? I cannot wait."
    answer = await draft("もっと丁寧にして：早く送れ", drafter(capable=False))
    assert answer.text == JAPANESE.rephrase_too_small


async def test_shorter_is_about_the_answer_before() -> None:
    history = [Exchange("Draft it", HANGAR, frozenset({"board.docx"}))]
    answer = await draft("Make it shorter", drafter(capable=False), history=history)
    assert 0 < len(answer.text) < len(HANGAR) * 0.7
    assert answer.documents == {"board.docx"}


async def test_what_a_search_found_is_material_and_keeps_its_sources() -> None:
    cited = Citation(1, "refund.docx", "Refunds", STAFF)
    found = Answer("Refunds are paid within 7 days. [1]", (cited,), searched=True)
    turn, request = replace(asked("draft a friendly reply"), found=(found,)), "draft a friendly reply"
    for made in (drafter("Hello! Refunds are paid within 7 days. Best wishes"), drafter(capable=False)):
        answer, _ = await heard(made.answer(turn, request))
        assert "Refunds are paid within 7 days. [1]" in answer.text
        assert answer.text.count("[1]") == 1
        assert (answer.sources, answer.searched) == ((cited,), True)


async def test_a_draft_in_another_language_is_told_by_its_numbers() -> None:
    found = Answer("Refunds are paid within 7 days. [1]", (Citation(1, "refund.docx", "Refunds", STAFF),))
    turn = replace(asked("draft a reply in Japanese"), found=(found,))
    made = drafter("お問い合わせありがとうございます。返金は7日以内に行います。")
    answer, _ = await heard(made.answer(turn, turn.message.text))
    assert answer.text == "お問い合わせありがとうございます。返金は7日以内に行います。 [1]"


async def test_what_is_missing_or_too_much_is_said() -> None:
    assert (await draft("Rephrase this", drafter())).text == ENGLISH.nothing_to_draft
    assert f"{LIMIT:,}" in (await draft("Rephrase this", drafter(), files=["word " * LIMIT])).text
