"""ask, search, route and doctor as people and programs call them, on the small company."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.assistant.words import ENGLISH, JAPANESE
from tests.conftest import Ran, share

Run = Callable[..., Ran]
LEASES = "How high were the lease liabilities at the end of 2025?"


@pytest.fixture
def ask(rolecall: Run, company: Path) -> Callable[..., Ran]:
    def run(text: str, who: str, *more: str) -> Ran:
        return rolecall("--config", company, "ask", text, "--as", who, "--json", *more)

    return run


def test_an_answer_has_everything_the_contract_names(ask: Run) -> None:
    ran = ask(LEASES, "fiona")
    assert ran.code == 0
    answer = ran.json
    assert set(answer) == {"text", "sources", "files", "tool", "plan", "model", "refused", "id", "ms"}
    assert "12.7 million dollars" in answer["text"]
    assert answer["sources"][0] == {
        "document": "acme/filings/report.md",
        "title": "Annual report",
        "page": None,
        "url": "https://docs.acme.example/files/filings/report.md",
        "labels": ["filings"],
    }
    assert answer["tool"] == "search_documents"
    assert set(answer["plan"]) == {"by", "confidence"}


def test_hidden_and_missing_have_the_same_words(ask: Run) -> None:
    hidden = ask(LEASES, "oskar").json
    missing = ask("What colour is the door of the observatory on Mount Farrow?", "oskar").json
    assert hidden["text"] == missing["text"] == ENGLISH.not_found
    assert hidden["sources"] == missing["sources"] == []
    assert {key: hidden[key] for key in ("tool", "refused", "model")} == {
        key: missing[key] for key in ("tool", "refused", "model")
    }


def test_a_japanese_question_is_answered_in_japanese(ask: Run) -> None:
    assert (
        "7.3ニュートンメートル" in ask("冷却水ポンプのクランプの締め付けトルクはいくつですか？", "oskar").json["text"]
    )
    assert ask("冷却水ポンプのクランプの締め付けトルクはいくつですか？", "fiona").json["text"] == JAPANESE.not_found


def test_a_shared_room_hears_what_all_may_read_and_the_asker_the_rest(ask: Run) -> None:
    question = "What was the net revenue of Acme Ferries in 2025?"
    shared = ask(question, "fiona", "--in", "all-hands").json
    assert "91.4" not in shared["text"]
    assert {source["document"] for source in shared["sources"]} == {"acme/company/press.md"}
    assert "91.4" in shared["private"]["text"]
    assert "private" not in ask(question, "oskar", "--in", "all-hands").json


@pytest.mark.parametrize(("room", "hears"), [("finance", True), ("unlisted", False), ("visitors", False)])
def test_private_rooms_hear_labelled_answers_only_if_listed_and_without_guests(
    ask: Run, room: str, hears: bool
) -> None:
    answer = ask(LEASES, "fiona", "--in", room).json
    assert ("12.7" in answer["text"]) == hears
    assert ("private" in answer) == (not hears)


@pytest.mark.parametrize("who", ["gus", "gone"])
def test_guests_and_people_who_left_are_refused_politely(ask: Run, who: str) -> None:
    answer = ask("When does the canteen open?", who).json
    assert (answer["refused"], answer["text"]) == ("no-access", ENGLISH.no_access)


def test_a_tool_that_is_not_granted_is_named_with_what_there_is_instead(ask: Run) -> None:
    answer = ask("Write a Python function that sorts a list of dates", "fiona").json
    assert answer["refused"] == "not-granted"
    assert "write_code" in answer["text"]


def test_help_names_what_the_person_may_really_read(ask: Run) -> None:
    assert "filings" in ask("What can you do?", "fiona").json["text"]
    assert "filings" not in ask("What can you do?", "oskar").json["text"]


def test_lines_are_answered_in_order_and_a_bad_one_stops_nothing(
    rolecall: Run, company: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [
        json.dumps({"text": LEASES, "as": "fiona"}),
        "When does the canteen open?",
        json.dumps({"text": "x", "who": "fiona"}),
        json.dumps({"text": LEASES, "as": "nobody"}),
        json.dumps({"text": LEASES, "as": "fiona", "in": "all-hands"}),
    ]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines) + "\n"))
    ran = rolecall("--config", company, "ask", "-", "--as", "oskar")
    first, second, unknown, nobody, shared = ran.lines
    assert ran.code == 1
    assert "12.7" in first["text"]
    assert "6:30" in second["text"]
    assert "who" in unknown["error"]
    assert "nobody" in nobody["error"]
    assert "12.7" not in shared["text"]


def test_a_chat_of_programs_is_one_conversation_with_an_object_a_line(
    rolecall: Run, company: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [LEASES, "How much were they?", json.dumps({"text": LEASES, "as": "oskar"})]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines) + "\n"))
    ran = rolecall("--config", company, "chat", "--as", "fiona", "--json")
    assert ran.code == 0
    first, follow_up, anothers = ran.lines
    assert "12.7" in first["text"]
    assert "12.7" in follow_up["text"]
    assert anothers["text"] == ENGLISH.not_found


@pytest.mark.parametrize("command", [("search", "-", "--as", "oskar"), ("ask", "-", "--as", "gus"), ("route", "-")])
def test_half_a_character_and_what_is_no_text_stop_nothing(
    rolecall: Run, company: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    given = [
        b'{"text": "brake \\ud800 torque"}',
        b"caf\xe9 \xff",
        b'{"text": "caf\xe9"}',
        b'{"text": "brake torque", "as": "\\udfff"}',
        b'{"text": ' + b"[" * 100_000,
        b"brake torque",
    ]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\n".join(given)), encoding="ascii"))
    ran = rolecall("--config", company, *command)
    assert ran.code == 1
    told = [line.get("error", "") for line in ran.lines]
    words = ["text: an escape", "not UTF-8 text", "not UTF-8 text", "as: an escape", "not valid JSON"]
    assert [one[: len(word)] for one, word in zip(told[:-1], words, strict=True)] == words
    assert told[-1] == ""
    ran.out.encode("utf-8")


LIABILITIES = "the lease liabilities at the end of 2025"
TORQUE = "冷却水ポンプのクランプの締め付けトルク"
SAME = {
    LEASES: [
        f"find {LIABILITIES}",
        f"Hi, could you please find out how high {LIABILITIES} were?",
        f"I'd like to know {LIABILITIES}, thanks",
        f"search our documents for {LIABILITIES}",
        f"help me look up {LIABILITIES}",
    ],
    f"{TORQUE}はいくつですか？": [
        f"{TORQUE}を探して",
        f"{TORQUE}を調べていただけますか？",
        f"お疲れ様です。{TORQUE}がいくつか調べてほしいです",
        f"{TORQUE}を文書から探しています",
        f"{TORQUE}を知りたい",
    ],
}


def test_asked_to_find_something_it_answers_as_to_the_plain_question(
    rolecall: Run, company: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [text for plain, others in SAME.items() for text in (plain, *others)]
    both = [{"text": text, "as": who} for text, who in zip(lines, ["fiona"] * 6 + ["oskar"] * 6, strict=True)]
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{json.dumps(one)}\n" for one in both)))
    told = rolecall("--config", company, "ask", "-", "--as", "oskar").lines
    for answers in (told[:6], told[6:]):
        plain, *others = [(one["tool"], one["text"], one["sources"]) for one in answers]
        assert plain[2]
        assert others == [plain] * 5


def test_search_shows_passages_without_scores(rolecall: Run, company: Path) -> None:
    ran = rolecall("--config", company, "search", "brake torque", "--as", "oskar", "--limit", "1", "--json")
    (passage,) = ran.json["passages"]
    assert passage["document"] == "acme/maintenance/engine.md"
    assert "score" not in json.dumps(ran.json)
    assert rolecall("--config", company, "search", "brake torque", "--as", "gus", "--json").json == {"passages": []}


def test_route_says_tool_confidence_and_who_chose(rolecall: Run, company: Path) -> None:
    plan = rolecall("--config", company, "route", "translate this into German: good morning", "--json").json
    assert plan["tool"] == "translate"
    assert plan["by"] == "router"
    assert 0 <= plan["confidence"] <= 1


def test_doctor_looks_at_every_part(rolecall: Run, company: Path) -> None:
    ran = rolecall("--config", company, "doctor", "--json")
    assert ran.code == 0, ran.out
    states = {finding["part"]: finding["state"] for finding in ran.json["findings"]}
    assert {"config", "policy", "directory", "disk", "database", "sources", "index", "embeddings", "model"} <= set(
        states
    )
    assert "wrong" not in states.values()
    sandbox = next(finding for finding in ran.json["findings"] if finding["part"] == "sandbox")
    runs = sandbox["text"].startswith(("bubblewrap runs", "landlock runs")) and "python, " in sandbox["text"]
    assert (sandbox["state"], runs) in (("ok", True), ("warning", False)), sandbox


def test_a_broken_part_does_not_hide_the_next_one(rolecall: Run, tmp_path: Path, derived: Path) -> None:
    share(derived, tmp_path / ".rolecall")
    config = tmp_path / "rolecall.yaml"
    config.write_text(
        "version: 1\npolicy: nowhere.yaml\nindex: {engine: server}\nsandbox: {tier: none}\n", encoding="utf-8"
    )
    ran = rolecall("--config", config, "doctor", "--json")
    assert ran.code == 2
    findings = {finding["part"]: finding for finding in ran.json["findings"]}
    states = tuple(findings[part]["state"] for part in ("policy", "index", "embeddings", "sandbox"))
    assert states == ("wrong", "wrong", "ok", "warning")
    assert "switched off" in findings["sandbox"]["text"]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["ask", "x", "--as", "nobody"], ["--as", "nobody", "fiona"]),
        (["ask", "x", "--as", "fiona", "--in", "nowhere"], ["--in", "nowhere", "all-hands"]),
        (["ask", "x"], ["--as"]),
        (["sync", "other"], ["other", "acme"]),
        (["ask", "x", "--as", "fiona", "--file", "/nonexistent"], ["--file", "/nonexistent"]),
    ],
)
def test_the_admins_mistakes_are_one_line_with_the_choices(
    rolecall: Run, company: Path, arguments: list[str], names: list[str]
) -> None:
    ran = rolecall("--config", company, *arguments)
    assert ran.code == 2
    assert ran.out == ""
    assert len(ran.err.strip().splitlines()) == 1
    assert all(name in ran.err for name in names)
