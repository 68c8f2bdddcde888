"""Translation: what must stay stays, what did not come through is not shown, and a small model says that it cannot."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.assistant import tongues
from bot.assistant.editor_words import ENGLISH, JAPANESE, EditorWords
from bot.assistant.given import Giver
from bot.assistant.protecting import protect, same_numbers
from bot.assistant.translating import LIMIT, Translator
from bot.types import Answer, Citation, Exchange, Status
from tests.assistant.library import STAFF, heard, saying, streamed
from tests.assistant.texts import CHAT, PLACE, asked
from tests.fakes import FakeThreads, ScriptedModel


def translator(
    *lines: str, capable: bool = True, model: ScriptedModel | None = None, threads: FakeThreads | None = None
) -> Translator:
    return Translator(Giver(None, threads), model or saying(*lines or ("x",)), capable, model_name="scripted")


async def translation(text: str, made: Translator, **material: Any) -> Answer:
    return (await heard(made.answer(asked(text, **material), text)))[0]


@pytest.mark.parametrize(
    ("request_", "written"),
    [
        (
            "Translate into German: The gate has changed to number 12 today.",
            "Das Gate hat sich heute auf Nummer 12 geändert.",
        ),
        ("Translate this into Japanese: The gate has changed.", "搭乗口が変更になりました。"),
        ("英語に訳して：搭乗口が12番に変更になりました。", "The gate has changed to number 12."),
        ("Into French: The flight leaves tomorrow at 9.", "Le vol partira demain matin à 9 heures."),
        ("What is 欠航 in English?", "cancellation"),
        ('How do you say "boarding pass" in Spanish?', "tarjeta de embarque"),
        ("「搭乗券」は英語で何と言いますか", "boarding pass"),
    ],
)
async def test_a_translation_that_holds_is_shown(request_: str, written: str) -> None:
    answer = await translation(request_, translator(written))
    assert (answer.text, answer.model) == (written, "scripted")


async def test_code_links_codes_and_markers_never_reach_the_model_and_come_back() -> None:
    source = "Run `sync --all` on A320-NEO, see https://wiki.example/a?b=1 or ask ops@acme.example. [1]"
    model = saying("Führen Sie ⟦1⟧ auf ⟦2⟧ aus, siehe ⟦3⟧, oder fragen Sie ⟦4⟧. ⟦5⟧")
    answer = await translation(f"Translate into German: {source}", translator(model=model))
    sent = model.heard[0][-1].text
    kept = ("`sync --all`", "A320-NEO", "https://wiki.example/a?b=1", "ops@acme.example", "[1]")
    assert not any(one in sent for one in kept)
    assert all(one in answer.text for one in kept)


async def test_a_block_of_code_stands_as_it_was() -> None:
    text = "Translate into German:\nThis program adds all the numbers of a list.\n"
    text += "```python\ntotal = sum(values)  # the total\n```"
    answer = await translation(text, translator("Dieses Programm addiert alle Zahlen einer Liste."))
    assert answer.text.endswith("```python\ntotal = sum(values)  # the total\n```")
    assert answer.text.startswith("Dieses Programm")


@pytest.mark.parametrize(
    "written",
    [
        "",
        "The gate has changed to number 12 today, so please hurry up.",
        "Das Gate hat sich heute auf Nummer 13 geändert, bitte beeilen.",
        "Das Gate hat sich heute geändert, bitte beeilen Sie sich.",
        "搭乗口が12番に変更になりました。",
        "Das Gate ist nun 12. " * 20,
        "Das Gate hat sich auf 12 geändert, siehe https://evil.example/x für mehr.",
        "Das Gate hat sich heute auf Nummer 12 geändert ⟦7⟧ bitte.",
        "- Das Gate hat sich heute auf Nummer 12 geändert.",
    ],
    ids=[
        "nothing",
        "untranslated",
        "other number",
        "no number",
        "other language",
        "endless",
        "link",
        "made-up mark",
        "list",
    ],
)
async def test_a_translation_that_does_not_hold_is_not_shown(written: str) -> None:
    request_ = "Translate into German: The gate has changed to number 12 today, please hurry."
    answer = await translation(request_, translator(written))
    assert answer.text == ENGLISH.translation_failed.format(language="German")
    assert answer.model == ""


async def test_lines_and_lists_are_kept_line_by_line_if_need_be() -> None:
    text = "Translate into German:\n# Rules of the house\n- The door is closed at night.\n- The key is at the desk."
    whole = "Regeln des Hauses und alles andere auf einer Zeile."
    lines = ("# Regeln des Hauses", "- Die Tür ist nachts geschlossen.", "- Der Schlüssel ist am Empfang.")
    answer = await translation(text, translator(whole, *lines))
    assert answer.text.splitlines() == list(lines)


async def test_a_part_that_does_not_hold_stands_as_it_was_and_the_answer_says_so() -> None:
    first, second = "The first hall is closed today for repairs. " * 27, "The second hall opens at 7 in the morning."
    answer, events = await heard(
        translator("Die erste Halle ist heute wegen Reparaturen geschlossen. " * 27, "Unsinn ohne Zahl").answer(
            asked("Translate into German", files=[f"{first}\n{second}\n" + "x"]), "Translate into German"
        )
    )
    assert answer.text.endswith(ENGLISH.left_as_it_was)
    assert second in answer.text
    assert "Die erste Halle" in answer.text
    assert "Part 1 of 2" in [event.text for event in events if isinstance(event, Status)]


async def test_a_small_model_says_so_instead_of_inventing() -> None:
    model = saying("Erfundenes")
    answer = await translation("Translate into German: The gate has changed.", translator(model=model, capable=False))
    assert answer.text == ENGLISH.model_too_small.format(language="German")
    answer = await translation("英語に訳して：本日の便は満席です。", translator(model=model, capable=False))
    assert answer.text == JAPANESE.model_too_small.format(language="英語")
    assert model.heard == []


async def test_what_is_in_the_language_already_needs_no_model() -> None:
    text = "The gate has changed, please go to the second hall."
    answer = await translation(f"Translate into English: {text}", translator(capable=False))
    assert answer.text == f"{ENGLISH.already_in.format(language='English')}\n\n{text}"


@pytest.mark.parametrize("text", ["The gate has changed.", "Your bag is here."])
async def test_a_short_text_in_english_is_told_too(text: str) -> None:
    answer = await translation(f"Translate into English: {text}", translator(capable=False))
    assert answer.text == f"{ENGLISH.already_in.format(language='English')}\n\n{text}"


@pytest.mark.parametrize("text", ["Das Tor ist zu.", "Le vol est complet.", "El vuelo sale a las 9."])
async def test_a_short_text_in_another_language_is_not_taken_for_english(text: str) -> None:
    answer = await translation(f"Translate into English: {text}", translator(capable=False))
    assert answer.text == ENGLISH.model_too_small.format(language="English")


@pytest.mark.parametrize(
    ("request_", "name", "say"),
    [
        ("translate into Klingon: the gate has changed", "Klingon", ENGLISH),
        ("translate this to klingon please: 搭乗口が変わりました", "klingon", ENGLISH),
        ("クリンゴン語に翻訳して：搭乗口が変わりました", "クリンゴン語", JAPANESE),
    ],
)
async def test_a_language_that_is_not_known_is_named(request_: str, name: str, say: EditorWords) -> None:
    answer = await translation(request_, translator("x"))
    known = ", ".join(tongues.called(code, "en" if say is ENGLISH else "ja") for code in tongues.KNOWN)
    assert answer.text == say.unknown_language.format(language=name, known=known)


async def test_and_in_german_is_about_the_answer_before() -> None:
    history = [Exchange("How long is leave?", "Leave is 25 days for all employees [1].", frozenset({"leave.docx"}))]
    answer, events = await heard(
        translator("Der Urlaub beträgt 25 Tage für alle Angestellten.").answer(
            asked("and in German?", history=history), "and in German?"
        )
    )
    assert answer.text == "Der Urlaub beträgt 25 Tage für alle Angestellten."
    assert answer.documents == {"leave.docx"}
    assert streamed(events) == answer.text


async def test_what_a_search_found_keeps_its_sources() -> None:
    cited = Citation(1, "leave.docx", "Leave", STAFF)
    found = Answer("Leave is 25 days for all employees. [1]", (cited,), searched=True)
    turn = replace(asked("translate it into German"), found=(found,))
    made = translator("Der Urlaub beträgt 25 Tage für alle Angestellten. ⟦1⟧")
    answer, _ = await heard(made.answer(turn, turn.message.text))
    assert answer.text == "Der Urlaub beträgt 25 Tage für alle Angestellten. [1]"
    assert (answer.sources, answer.searched) == ((cited,), True)
    answer, _ = await heard(translator(capable=False).answer(turn, turn.message.text))
    assert answer.text.startswith(f"{found.text}\n\n")
    assert "German" in answer.text
    assert (answer.sources, answer.documents) == ((cited,), {"leave.docx"})


async def test_both_languages_if_both_are_asked_for() -> None:
    text = "Make a bilingual version, English and Japanese, of this notice:\nThe gate has changed."
    answer = await translation(text, translator("搭乗口が変更になりました。"))
    assert answer.text == "The gate has changed.\n\n搭乗口が変更になりました。"


async def test_the_last_message_of_the_thread() -> None:
    made = translator(
        "Tom: Ich werde heute in Nagoya nach der Pumpe fragen.", threads=FakeThreads({(PLACE, "t1"): CHAT})
    )
    answer = await translation("Translate the last message into German", made, thread="t1", room=PLACE)
    assert answer.text == "Tom: Ich werde heute in Nagoya nach der Pumpe fragen."


async def test_what_is_missing_is_said() -> None:
    assert (await translation("Translate this into German", translator())).text == ENGLISH.nothing_to_translate
    assert (await translation("Translate this: the gate has changed", translator())).text == ENGLISH.which_language
    assert f"{LIMIT:,}" in (await translation("Into German", translator(), files=["word " * LIMIT])).text


def test_numbers_are_the_same_however_they_are_grouped() -> None:
    assert same_numbers("EUR 1,482.6 in forty minutes", "1.482,6 Euro in 40 Minuten")
    assert not same_numbers("10 days", "11日")
    assert not same_numbers("10 days", "日")


def test_protection_gives_everything_back() -> None:
    text = "Call `x()` at www.a.example, {name} <@U1> ⟦9⟧ /etc/acme/a.conf %s"
    assert protect(text).restored(protect(text).text) == text


def test_what_is_no_language_is_not_taken_for_one() -> None:
    said = ("summarize what happened in Paris", "translate this to another language", "put it in March", "into German")
    assert [tongues.unknown(one) for one in said] == [None] * len(said)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ("from English into German", "de"),
        ("and in Thai, please", "th"),
        ("和訳して", "ja"),
        ("中国語でお願いします", "zh"),
        ("Summarize this English report", None),
        ("auf Deutsch bitte", "de"),
        ("en français s'il vous plaît", "fr"),
        ("Bitte ins Japanische übersetzen", "ja"),
        ("al inglés, por favor", "en"),
        ("한국어로", "ko"),
        ("用中文", "zh"),
        ("Draft a reply to Frans Russo", None),
        ("Verkäufe in Italien", None),
    ],
)
def test_the_language_that_is_wanted(request_: str, code: str | None) -> None:
    assert tongues.wanted(request_) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Les passagers doivent présenter leur passeport.", "fr"),
        ("Die Passagiere müssen ihren Pass vorzeigen.", "de"),
        ("请准备好您的护照，谢谢", "zh"),
        ("パスポートをご用意ください", "ja"),
        ("여권을 준비해 주세요", "ko"),
        ("ok", None),
    ],
)
def test_the_language_of_a_text(text: str, code: str | None) -> None:
    assert tongues.spoken(text) == code
