"""The analyst on lists, files and threads: what it finds, how right it is, and what it will not do."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from langchain_core.embeddings import Embeddings
from langchain_core.messages import AIMessage
from langchain_core.messages.tool import tool_call
from PIL import Image

from bot.assistant import moods
from bot.assistant.analyst import CHARACTERS, MESSAGES, Analyst
from bot.assistant.labels import count_of, labels_of
from bot.assistant.tables import harmless
from bot.language import language
from bot.settings import EmbeddingSettings
from bot.types import Answer, Done, Excerpt, Exchange, Reply, Room, Section, Status, Turn, Upload
from connectors.models.embeddings import load_embeddings
from tests.assistant.library import WordEmbeddings, turn
from tests.fakes import ScriptedModel

MOODS: dict[str, list[str]] = yaml.safe_load(Path(__file__).with_name("moods.yaml").read_text(encoding="utf-8"))
TOPICS: dict[str, list[str]] = yaml.safe_load(Path(__file__).with_name("topics.yaml").read_text(encoding="utf-8"))
TICKETS = """- My card was charged twice for the hotel
- The app crashes when I open it
- I was billed the wrong amount | see invoice
- Thank you for the great trip, the crew was lovely
- =HYPERLINK("http://evil.example") the invoice is wrong
- The screen of the app stays black"""


class Thread:
    """A place that remembers what was said in it."""

    def __init__(self, *said: str):
        self.said = said
        self.asked: list[tuple[Room, str]] = []

    async def excerpts(self, room: Room, thread: str, limit: int = 200) -> Sequence[Excerpt] | None:
        self.asked.append((room, thread))
        return [Excerpt("Ana", text) for text in self.said] if self.said else None


@pytest.fixture(scope="module")
def embeddings() -> Embeddings:
    return load_embeddings(EmbeddingSettings())


@pytest.fixture
def analyst(embeddings: Embeddings) -> Analyst:
    return Analyst(ScriptedModel(), embeddings)


async def heard(replies: AsyncIterator[Reply]) -> tuple[Answer, list[Reply]]:
    events = [reply async for reply in replies]
    assert isinstance(events[-1], Done)
    return events[-1].answer, events[:-1]


async def felt(analyst: Analyst, asked: Turn) -> Answer:
    return (await heard(analyst.sentiment(asked, asked.message.text)))[0]


async def sorted_by(analyst: Analyst, asked: Turn) -> Answer:
    return (await heard(analyst.classify(asked, asked.message.text)))[0]


def with_uploads(asked: Turn, *uploads: Upload) -> Turn:
    return replace(asked, uploads=uploads)


def rows_of(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def test_five_of_six_moods_are_read_right(embeddings: Embeddings) -> None:
    rows = [(wanted, text) for wanted, texts in MOODS.items() for text in texts]
    told = moods.scores([text for _, text in rows], lambda texts: np.array(embeddings.embed_documents(texts)))
    for tongue in ("en", "ja"):
        right = [
            moods.mood(value) == wanted
            for (wanted, text), value in zip(rows, told, strict=True)
            if language(text) == tongue
        ]
        assert len(right) >= 30
        assert np.mean(right) >= 0.82, tongue


async def test_one_message_gets_one_mood(analyst: Analyst) -> None:
    told = await felt(analyst, turn('Is this positive or negative: "We love the new app!"'))
    assert told.text.startswith("**Positive**")
    assert told.files == ()
    assert (
        await felt(analyst, turn("このメールの感情は？\n二時間も待たされました。\nとても残念です。"))
    ).text.startswith("**否定的**")


async def test_a_list_gets_a_mood_each_a_sum_and_a_picture(analyst: Analyst) -> None:
    told = await felt(analyst, turn(f"How do these people feel?\n{TICKETS}\n- Fine\n- Great work, thanks!"))
    assert told.text.startswith("8 messages: ")
    assert told.text.count("\n| ") == 10
    assert "| 4 | Thank you for the great trip, the crew was lovely | positive |" in told.text
    (chart,) = told.files
    assert Image.open(io.BytesIO(chart.content)).size == (640, 240)


async def test_given_labels_and_a_csv_that_no_spreadsheet_executes(analyst: Analyst) -> None:
    told = await sorted_by(analyst, turn(f"Sort these into billing, technical problem and praise, as CSV:\n{TICKETS}"))
    assert told.text.startswith("6 messages under 3 labels: billing 3, technical problem 2, praise 1.")
    (file,) = told.files
    rows = rows_of(file.content)
    assert [row[2].removesuffix(" ?") for row in rows[1:]] == [
        "billing", "technical problem", "billing", "praise", "billing", "technical problem",
    ]  # fmt: skip
    assert rows[5][1].startswith("'=HYPERLINK")


async def labelled(analyst: Analyst, labels: Sequence[str], texts: Sequence[str]) -> list[str]:
    """The label of each text, with its mark if it has one."""
    into = f"{', '.join(labels[:-1])} and {labels[-1]}"
    listed = "\n".join(f"- {text}" for text in texts)
    told = await sorted_by(analyst, turn(f"Sort these into {into}, as CSV:\n{listed}"))
    return [row[-1] for row in rows_of(told.files[0].content)[1:]]


async def test_what_fits_no_label_is_marked_and_what_is_right_is_seldom(analyst: Analyst) -> None:
    wanted = [(label, text) for label, texts in TOPICS.items() for text in texts]
    found = await labelled(analyst, list(TOPICS), [text for _, text in wanted])
    right = [one for one, (label, _) in zip(found, wanted, strict=True) if one.removesuffix(" ?") == label]
    assert len(right) >= 0.75 * len(wanted)
    assert sum(one.endswith("?") for one in right) <= 0.25 * len(right)
    alien: list[str] = []
    for label, texts in TOPICS.items():
        alien += await labelled(analyst, [other for other in TOPICS if other != label], texts)
    assert sum(one.endswith("?") for one in alien) >= 0.7 * len(alien)


async def test_a_message_that_is_near_no_label_bears_a_question_mark(analyst: Analyst) -> None:
    asked = turn("Sort these into baggage and refund:\n- The food was cold\n- My suitcase did not arrive in Lisbon")
    told = await sorted_by(analyst, asked)
    assert re.search(r"\| The food was cold \| \w+ \? \|", told.text)
    assert "| My suitcase did not arrive in Lisbon | baggage |" in told.text
    assert "“?” marks a close call, or a message that is not near its label." in told.text


async def test_one_is_counted_as_one(analyst: Analyst) -> None:
    one = await sorted_by(analyst, turn("Sort these into baggage and refund:\n- My suitcase did not arrive"))
    assert one.text.startswith("1 message under 2 labels: baggage 1, refund 0.")
    theme = await sorted_by(analyst, turn("Which themes come up here?\n- My suitcase did not arrive in Lisbon"))
    assert theme.text.startswith("1 message falls into 1 theme:")


async def test_how_often_a_mood_is_right_is_said_of_our_own_messages(analyst: Analyst) -> None:
    assert "five in six were right on our own test messages" in (await felt(analyst, turn("Mood?\n- Fine\n- Bad"))).text
    assert (
        "当方の確認用メッセージでは6件のうち5件ほど"
        in (await felt(analyst, turn("このメールの感情は？\n二時間も待たされました。\nとても残念です。"))).text
    )


async def test_without_labels_there_are_named_themes(analyst: Analyst) -> None:
    told = await sorted_by(analyst, turn(f"Which themes come up here?\n{TICKETS}"))
    assert "fall into" in told.text
    assert "invoice" in told.text
    assert told.files == ()
    three = await sorted_by(analyst, turn(f"Group these into 3 groups, as CSV\n{TICKETS}"))
    assert "fall into 3 themes" in three.text
    assert len({row[2] for row in rows_of(three.files[0].content)[1:]}) == 3


async def test_a_message_that_shares_nothing_with_any_label_is_put_under_none(analyst: Analyst) -> None:
    asked = turn("次の声を手荷物、遅延、食事に分類して：\n・手荷物が届かない\n・二時間の遅延\n・スープがぬるい")
    answer = await sorted_by(analyst, asked)
    assert "手荷物 1, 遅延 1, 食事 0, 判定できず 1" in answer.text
    assert "| スープがぬるい | 判定できず |" in answer.text


async def test_japanese_is_compared_by_characters_and_that_is_said(analyst: Analyst) -> None:
    told = await sorted_by(
        analyst,
        turn(
            "この問い合わせを請求、技術、その他に分けて\n・請求書の金額が違います\n・技術的な質問です\n・食堂は何時までですか"
        ),
    )
    assert "請求 1, 技術 1, その他 1" in told.text
    assert "文字の重なり" in told.text


@pytest.mark.parametrize("said", ["=1+1", "+1 234", "@SUM(A1)", "-2+3", "\t=1", " =1", "＝1", "\u200b=1", "\n=1"])
def test_formulas_are_defused(said: str) -> None:
    assert harmless(said) == f"'{said}"


@pytest.mark.parametrize("said", ["-0.25", "+1.00", "12", "a=b", ""])
def test_figures_and_words_are_left_alone(said: str) -> None:
    assert harmless(said) == said


async def test_the_telling_column_of_an_upload_is_read(analyst: Analyst) -> None:
    rows = "id | date | comment | stars\n"
    rows += "1 | 2026-01-02 | Wonderful crew, thank you | 5\n2 | 2026-01-03 | Rude staff and a terrible meal | 1"
    upload = Upload("reviews.xlsx", (Section(rows, table=True),))
    told = await felt(analyst, with_uploads(turn("What is the mood of these reviews?"), upload))
    assert "| 1 | Wonderful crew, thank you | positive |" in told.text
    assert "| 2 | Rude staff and a terrible meal | negative |" in told.text


async def test_a_thread_is_read_in_its_very_place(embeddings: Embeddings) -> None:
    place = Thread("This is awful, it broke again", "I hate this", "Terrible news")
    asked = turn("What is the mood in this thread?")
    told = await felt(Analyst(ScriptedModel(), embeddings, place), asked)
    assert told.text.startswith("3 messages: 0 positive, 0 neutral, 3 negative.")
    assert "| 1 | Ana | This is awful" in told.text
    assert place.asked == [(asked.message.room, asked.message.thread)]


async def test_excerpts_are_read_before_the_thread(embeddings: Embeddings) -> None:
    asked = turn("How does this sound?")
    asked = replace(asked, message=replace(asked.message, excerpts=(Excerpt("Bo", "I am so happy, thank you!"),)))
    assert (await felt(Analyst(ScriptedModel(), embeddings, Thread("x")), asked)).text.startswith("**Positive**")


async def test_a_follow_up_works_on_the_same_messages(analyst: Analyst) -> None:
    asked = turn("And as CSV, please?")
    asked = replace(
        asked, history=(Exchange(f"Sort these into billing, technical problem and praise:\n{TICKETS}", "..."),)
    )
    assert [file.name for file in (await sorted_by(analyst, asked)).files] == ["labels.csv"]


async def test_a_follow_up_goes_back_to_the_last_messages_and_asks_something_new_of_them(analyst: Analyst) -> None:
    asked = turn("and sort them into billing, technical problem and praise")
    history = (Exchange(f"How do these people feel?\n{TICKETS}", "..."), Exchange("as CSV, please", "..."))
    answer = await sorted_by(analyst, replace(asked, history=history))
    assert "under 3 labels" in answer.text


async def test_never_again_is_no_praise(embeddings: Embeddings) -> None:
    told = await felt(Analyst(ScriptedModel(), embeddings), turn("これはどう感じますか：「二度と乗りません」"))
    assert "否定的" in told.text


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ("sentiment", "Which messages do you mean?"),
        ("What is the mood in this thread?", "cannot read this conversation"),
        ("感情を分析して", "どのメッセージ"),
        ("Mood?\n" + "- fine\n" * (MESSAGES + 1), "at most 2,000"),
        ("Mood?\n" + f"- {'fine ' * 60_000}\n" * 2, "at most 500,000"),
    ],
)
async def test_what_cannot_be_done_is_said_politely(request_: str, words: str) -> None:
    assert CHARACTERS == 500_000
    assert words in (await felt(Analyst(ScriptedModel(), WordEmbeddings()), turn(request_))).text


async def test_long_work_shows_how_far_it_is_and_can_be_stopped() -> None:
    asked = turn("Sort these into red and blue:\n" + "- the red one\n- a blue one\n" * 200)
    answer, events = await heard(Analyst(ScriptedModel(), WordEmbeddings()).classify(asked, ""))
    told = [event.text for event in events if isinstance(event, Status)]
    assert len(told) > 5
    assert told[0] == "Reading the messages: 64 of 400"
    assert "first 30 rows of 400" in answer.text
    assert [file.name for file in answer.files] == ["labels.csv"]
    stopped = Analyst(ScriptedModel(), WordEmbeddings()).classify(asked, "")
    assert isinstance(await anext(stopped), Status)
    await stopped.aclose()  # type: ignore[attr-defined]


def judging(*choices: str) -> AIMessage:
    return AIMessage("", tool_calls=[tool_call(name="judge", args={"choices": list(choices)}, id="1")])


@pytest.mark.parametrize(
    ("said", "signed"),
    [
        (judging("red", "blue"), True),
        (judging("red"), False),
        (judging("red", "green"), False),
        (AIMessage("I will not."), False),
    ],
)
async def test_a_capable_model_chooses_among_the_labels_and_nothing_else(said: AIMessage, signed: bool) -> None:
    analyst = Analyst(ScriptedModel(script=[said]), WordEmbeddings(), capable=True, model_name="big")
    told = await sorted_by(analyst, turn("Sort these into red and blue:\n- a red thing\n- a blue thing"))
    assert "red 1, blue 1" in told.text
    assert told.model == ("big" if signed else "")


@pytest.mark.parametrize(
    ("said", "labels"),
    [
        ("Sort these tickets into billing, technical and other:", ["billing", "technical", "other"]),
        ("bug, feature or question?", ["bug", "feature", "question"]),
        ("Is it a complaint or a question?", ["complaint", "question"]),
        ("Categories: hotel, flight, visa. Assign one to each.", ["hotel", "flight", "visa"]),
        ("Label each message: urgent / not urgent", ["urgent", "not urgent"]),
        ("これを苦情と要望と質問に分類してください", ["苦情", "要望", "質問"]),
        ("ラベルは「請求」「技術」", ["請求", "技術"]),
        ("苦情か質問か判定して", ["苦情", "質問"]),
        ("group these by theme", []),
        ("Cluster this feedback, please", []),
        ("テーマごとにまとめて", []),
        ("Sort these into 3 groups", []),
    ],
)
def test_labels_in_a_request(said: str, labels: list[str]) -> None:
    assert labels_of(said) == labels


@pytest.mark.parametrize(
    ("said", "count"), [("into 3 groups", 3), ("four themes", 4), ("3つのグループに", 3), ("by theme", None)]
)
def test_numbers_of_groups_in_a_request(said: str, count: int | None) -> None:
    assert count_of(said) == count
