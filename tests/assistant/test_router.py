"""The router on requests that it never learnt from, and how it is kept: measured with the embedded embedding."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from langchain_core.embeddings import Embeddings
from langchain_core.tools import BaseTool
from langchain_core.tools import tool as made

from bot.assistant.concepts import concepts
from bot.assistant.features import act, asking, kinds
from bot.assistant.followups import completed
from bot.assistant.planner import SURE
from bot.assistant.router import EXAMPLES, Router, open_router
from bot.assistant.small_talk import TOOLS
from bot.assistant.supervisor import Supervisor
from bot.language import language
from bot.settings import EmbeddingSettings
from bot.types import Answer, Exchange, Plan
from connectors.models.embeddings import load_embeddings
from tests.assistant.library import heard, saying, turn

HELD_OUT: dict[str, list[str]] = yaml.safe_load(Path(__file__).with_name("routes.yaml").read_text(encoding="utf-8"))
LEARNT: dict[str, list[str]] = yaml.safe_load(EXAMPLES.read_text(encoding="utf-8"))


class Lengths(Embeddings):
    """An embedding that knows only how long a text is: enough to train with, and quick."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[1.0, len(text) / 200] for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


@pytest.fixture(scope="module")
def embeddings() -> Embeddings:
    return load_embeddings(EmbeddingSettings())


@pytest.fixture(scope="module")
def router(embeddings: Embeddings, derived: Path) -> Router:
    return open_router(embeddings, derived / "router")


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    path = tmp_path / "examples.yaml"
    few = {tool: requests[:40] for tool, requests in LEARNT.items()}
    path.write_text(yaml.safe_dump(few, allow_unicode=True), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def rows(router: Router) -> list[tuple[str, str, Plan]]:
    async def plans() -> list[tuple[str, str, Plan]]:
        return [(tool, text, await router.route(text)) for tool, texts in HELD_OUT.items() for text in texts]

    return asyncio.run(plans())


def right(rows: Sequence[tuple[str, str, Plan]]) -> float:
    return float(np.mean([tool == plan.tool for tool, _, plan in rows]))


def test_requests_that_it_never_saw_go_to_the_right_tool(rows: list[tuple[str, str, Plan]]) -> None:
    english = [row for row in rows if language(row[1]) == "en"]
    japanese = [row for row in rows if language(row[1]) == "ja"]
    questions = [row for row in rows if row[0] == "search_documents"]
    assert (len(english) >= 200, len(japanese) >= 100) == (True, True)
    assert right(english) >= 0.97
    assert right(japanese) >= 0.93
    assert right(questions) >= 0.98


def test_its_confidence_is_the_share_of_right_choices(rows: list[tuple[str, str, Plan]]) -> None:
    sure = [row for row in rows if row[2].confidence >= SURE]
    assert len(sure) >= 0.85 * len(rows)
    assert right(sure) >= 0.95
    assert abs(float(np.mean([plan.confidence for *_, plan in rows])) - right(rows)) < 0.06


@pytest.mark.parametrize(
    "text",
    [
        "auf Deutsch bitte: The gate has changed to B12.",
        "en français s'il vous plaît : The gate has changed to B12.",
        "英語で：本日の便は満席です。",
        "¿Puedes traducir esto al inglés? El vuelo sale a las nueve.",
        "Kannst du das ins Englische übersetzen? Guten Morgen.",
    ],
)
async def test_translation_may_be_asked_for_in_other_languages(router: Router, text: str) -> None:
    assert (await router.route(text)).tool == "translate"


async def test_an_empty_message_is_routed_too(router: Router) -> None:
    assert (await router.route("")).tool in LEARNT
    assert (await router.route("\n ```\n")).tool in LEARNT


async def test_a_pasted_log_does_not_drown_the_request(router: Router) -> None:
    log = "\n".join(f"2024-05-01 02:{minute:02} ERROR worker timeout" for minute in range(60))
    assert (await router.route(f"Summarize this log in two sentences:\n{log}")).tool == "summarize"
    assert (await router.route(f"{log}\nこのログを日本語に翻訳して")).tool == "translate"


def test_there_are_enough_examples_and_none_is_held_out() -> None:
    assert set(LEARNT) == set(HELD_OUT) == {*TOOLS, "chat"}
    for tool, requests in LEARNT.items():
        japanese = [text for text in requests if language(text) == "ja"]
        assert len(requests) >= 40, tool
        assert len(japanese) * 3.5 >= len(requests), tool
    seen = {text.strip().casefold() for requests in LEARNT.values() for text in requests}
    assert not [text for texts in HELD_OUT.values() for text in texts if text.strip().casefold() in seen]


def greet(router: Router) -> Plan:
    return asyncio.run(router.route("Hello"))


def test_it_is_kept_and_trained_again_when_something_changes(examples: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = greet(open_router(Lengths(), cache, examples))
    (stored,) = cache.glob("router-*.npz")
    written = stored.stat().st_mtime_ns
    assert greet(open_router(Lengths(), cache, examples)) == first
    assert stored.stat().st_mtime_ns == written
    examples.write_text(examples.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    open_router(Lengths(), cache, examples)
    assert len(list(cache.glob("router-*.npz"))) == 2


def test_a_damaged_cache_is_made_anew(examples: Path, tmp_path: Path) -> None:
    first = greet(open_router(Lengths(), tmp_path, examples))
    (stored,) = tmp_path.glob("router-*.npz")
    for content in (b"", b"not an archive", stored.read_bytes()[:500], json.dumps({"tools": []}).encode()):
        stored.write_bytes(content)
        assert greet(open_router(Lengths(), tmp_path, examples)) == first
    stored.write_bytes(b"\x80\x04cos\nsystem\n(S'touch /tmp/pwned'\ntR.")
    assert greet(open_router(Lengths(), tmp_path, examples)) == first


def test_a_concept_is_the_same_in_both_languages() -> None:
    assert "translation" in concepts("translate this into japanese")
    assert "translation" in concepts("これを英訳して")
    assert concepts("trust in finance") == concepts("")


def test_what_is_asked_is_told_apart_from_what_is_pasted() -> None:
    text = "Why does this fail?\n```python\nimport summary\n```\nTraceback (most recent call last):\nKeyError: 'x'"
    assert asking(text) == "Why does this fail?"
    assert {"fence", "trace"} <= kinds(text)
    assert kinds("Where is room 4?") == set()


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("could you find the form", "request"),
        ("find the form", "deed"),
        ("where is the form?", "question"),
        ("用紙を探してください", "request"),
        ("用紙はどこですか", "question"),
        ("i lost the form", "statement"),
    ],
)
def test_questions_requests_and_statements(said: str, meant: str) -> None:
    assert act(said) == meant


@pytest.mark.parametrize(
    ("before", "said", "tool"),
    [
        ("Summarize this thread in three sentences.", "shorter", "summarize"),
        ("このスレッドを要約して", "もっと短く", "summarize"),
        ("Draft a reply that declines the offer", "more formal, please", "draft"),
        ("Translate this into French: the gate has changed", "and in German?", "translate"),
        ("Sort these tickets into billing and other", "And as CSV?", "classify"),
        ("How do these reviews feel?", "and this one?", "sentiment"),
        ("What is the per diem for Osaka?", "and for Tokyo?", "search_documents"),
    ],
)
async def test_a_follow_up_goes_where_the_turn_before_it_went(
    router: Router, before: str, said: str, tool: str
) -> None:
    assert (await router.route(completed(said, [Exchange(before, "...")]))).tool == tool


FEEL = "How do these feel?\n- great crew\n- awful food\n- fine"


def noting(name: str) -> BaseTool:
    @made(name, response_format="content_and_artifact", return_direct=True)
    async def run(request: str) -> tuple[str, Answer]:
        """Say which one was called."""
        return name, Answer(name)

    return run


@pytest.mark.parametrize(
    ("before", "said", "wanted"),
    [
        (FEEL, "and sort them into service and catering", "classify"),
        (FEEL, "as CSV, please", "sentiment"),
        ("What is the per diem for Osaka?", "draft a note to my team from that", "draft"),
        ("大阪の日当はいくらですか？", "それを使って部下への案内を書いて", "draft"),
        ("Draft a note to the team that the gate has changed", "shorter", "draft"),
        ("搭乗口が変わったという案内文を書いて", "もっと短く", "draft"),
        ("What is the per diem for Osaka?", "and who approves it?", "search_documents"),
    ],
)
async def test_a_follow_up_that_says_what_to_do_goes_there_and_another_where_the_last_one_went(
    router: Router, before: str, said: str, wanted: str
) -> None:
    supervisor = Supervisor(saying("?"), [noting(name) for name in TOOLS], router)
    asked = turn(said)
    access = replace(asked.access, tools=frozenset(TOOLS))
    answer, _ = await heard(supervisor.answer(replace(asked, access=access, history=(Exchange(before, "..."),))))
    assert answer.plan.tool == wanted
