"""What `rolecall doctor` finds on a company that has everything: each part answers over its own wire, and then each one fails."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from bot.commands.doctor import Finding, examine
from bot.ports import AuditEntry
from connectors.chat.slack.scopes import SCOPES
from connectors.database import open_database
from connectors.journal import SqlJournal
from connectors.qdrant.edge import held
from tests.chat.fakeslack import server
from tests.chat.fakeslack.state import BOT_TOKEN
from tests.chat.fakeslack.state import SECRET as SIGNING
from tests.conftest import Ran, share, write_company
from tests.connectors.databases import database_url
from tests.connectors.qdrant.wire import StandIn, standing_in
from tests.delivery.soak.company import SECRET
from tests.delivery.soak.peer import Peer

Run = Callable[..., Ran]
KEYS = {
    "qdrant": "reads",
    "model": "the model's",
    "audit": "the audit's",
    "webhook": SECRET,
    "slack": BOT_TOKEN,
    "signing": SIGNING,
}
MORE = """
database: '{database}'
index: {{engine: server, url: '{qdrant}', key: {{file: keys/qdrant}}}}
model: {{provider: openai, name: stood-in, url: 'http://127.0.0.1:{model}/v1', key: {{file: keys/model}}}}
audit: {{key: {{file: keys/audit}}}}
monitoring: {{traces: 'http://127.0.0.1:{model}/'}}
doors:
  webhook: {{secret: {{file: keys/webhook}}, url: '{chat}'}}
  slack: {{token: {{file: keys/slack}}, signing_secret: {{file: keys/signing}}, api: '{slack}'}}
"""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The company's settings, and who answers it."""

    config: Path
    qdrant: StandIn
    slack: server.FakeSlack

    def key(self, name: str, value: str) -> None:
        """Put a secret where the settings say."""
        path = self.config.parent / "keys" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(value, encoding="utf-8")


@asynccontextmanager
async def _model() -> AsyncIterator[int]:
    """A model server that says yes to whoever has its key, and a collector of traces; gives their port."""

    async def complete(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {KEYS['model']}":
            return web.json_response({"error": {"message": "no"}}, status=401)
        said = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Yes."}}
        return web.json_response(
            {"id": "1", "object": "chat.completion", "created": 1, "model": "stood-in", "choices": [said]}
        )

    async def collect(request: web.Request) -> web.Response:
        return web.Response(status=200 if request.content_type == "application/x-protobuf" else 415)

    app = web.Application()
    app.router.add_post("/v1/chat/completions", complete)
    app.router.add_post("/v1/traces", collect)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@pytest.fixture
def qdrant() -> Iterator[StandIn]:
    with standing_in("writes", "reads") as made:
        yield made


@pytest.fixture
async def surroundings(qdrant: StandIn, tmp_path: Path, derived: Path) -> AsyncIterator[Surroundings]:
    database = database_url("postgresql", tmp_path)
    config = write_company(tmp_path)
    share(derived, tmp_path / ".rolecall")
    async with server.open_slack() as slack, Peer(SECRET).listening() as peer, _model() as model:
        more = MORE.format(database=database, qdrant=qdrant.url, model=model, chat=peer.url, slack=slack.url)
        config.write_text(config.read_text() + more, encoding="utf-8")
        made = Surroundings(config, qdrant, slack)
        slack.scopes = ",".join(SCOPES)
        for name, value in KEYS.items():
            made.key(name, value)
        yield made


async def _doctor(around: Surroundings) -> dict[str, Finding]:
    """What the doctor found, by part; the first of several findings. In this loop: model clients are kept for one loop."""
    return {one.part: one for one in reversed(await examine(around.config))}


WELL = {
    "disk": r"GB free in \S+/\.rolecall$",
    "database": r"PostgreSQL \d+[.\d]*, migration \d{4}: 5 documents",
    "audit": "the chain has a key",
    "index": r"server: \d+ passages, and the key may only read",
    "model": "stood-in answers",
    "slack": "token and scopes",
    "webhook": "takes signed calls",
    "traces": "takes them",
}
ILL = {
    "policy": (r"roles\.yaml:\d+: .*label", "policy check"),
    "database": ('"nowhere" does not exist', "PGPASSWORD"),
    "model": ("refused our key", r"model\.key"),
    "slack": ("invalid_auth", r"docs/slack\.md"),
    "webhook": ("says 401", r"doors\.webhook\.url"),
}


async def test_each_part_is_tried_for_real_and_each_failure_says_what_to_do(
    rolecall: Run, surroundings: Surroundings
) -> None:
    surroundings.key("qdrant", "writes")
    await asyncio.to_thread(rolecall, "--config", surroundings.config, "sync", "--json")
    surroundings.key("qdrant", "reads")
    documents = surroundings.config.parent / "documents"
    documents.rename(documents.with_name("elsewhere"))  # as for a bot beside which another process syncs
    found = await _doctor(surroundings)
    assert (found["sources"].state, "rolecall sync" in found["sources"].advice) == ("warning", True), found["sources"]
    for part, text in WELL.items():
        assert (found[part].state, bool(re.search(text, found[part].text))) == ("ok", True), found[part]
    assert surroundings.qdrant.refused == ["delete"]

    (surroundings.config.parent / "roles.yaml").write_text("version: 1\nlabel: [company]\n", encoding="utf-8")
    text = re.sub(r"@/\w+\?", "@/nowhere?", surroundings.config.read_text())
    surroundings.config.write_text(re.sub(r"(traces: 'http://127.0.0.1):\d+", r"\1:9", text), encoding="utf-8")
    for name in KEYS:
        surroundings.key(name, "writes" if name == "qdrant" else "revoked")
    found = await _doctor(surroundings)
    for part, (text, advice) in ILL.items():
        assert (found[part].state, bool(re.search(text, found[part].text))) == ("wrong", True), found[part]
        assert re.search(advice, found[part].advice), found[part]
    assert (found["traces"].state, "monitoring.traces" in found["traces"].advice) == ("warning", True)
    assert found["index"].state == "warning"
    assert "the key may write" in found["index"].text
    assert "only reads" in found["index"].advice


async def test_beside_a_running_bot_that_has_the_embedded_index_all_is_well(
    rolecall: Run, tmp_path: Path, derived: Path
) -> None:
    config, index = write_company(tmp_path), tmp_path / ".rolecall" / "index"
    share(derived, index.parent)
    index.mkdir()
    (tmp_path / "key").write_text(KEYS["model"], encoding="utf-8")
    async with _model() as port:
        model = f"model: {{provider: openai, name: m, url: 'http://127.0.0.1:{port}/v1', key: {{file: key}}}}\n"
        config.write_text(f"{config.read_text()}{model}sandbox: {{tier: none}}\n", encoding="utf-8")
        with held(index):
            ran = await asyncio.to_thread(rolecall, "--config", config, "doctor", "--json")
    assert ran.code == 0, ran.out
    found = {one["part"]: one for one in ran.json["findings"]}
    assert found["index"]["state"] == "ok"
    assert f"in use (process {os.getpid()}: " in found["index"]["text"]
    assert found["audit"]["state"] == "ok"


async def test_an_audit_that_does_not_end_where_it_should_is_found_and_the_next_step_named(
    rolecall: Run, tmp_path: Path, derived: Path
) -> None:
    config = write_company(tmp_path)
    share(derived, tmp_path / ".rolecall")
    away = "model: {provider: openai, name: m, url: 'http://127.0.0.1:9/v1'}\nsandbox: {tier: none}\n"
    config.write_text(config.read_text() + away, encoding="utf-8")
    async with open_database(f"sqlite+aiosqlite:///{tmp_path / '.rolecall' / 'rolecall.db'}") as engine:
        row = AuditEntry("answered", "a1", "slack-user:T0HOME/U0FIONA", "slack:T0HOME/C0ALL", 1.0)
        await SqlJournal(engine).record([row, row])
        async with engine.begin() as connection:
            await connection.exec_driver_sql("DELETE FROM audit WHERE number = 2")
    ran = await asyncio.to_thread(rolecall, "--config", config, "doctor", "--json")
    found = {one["part"]: one for one in ran.json["findings"]}
    assert (ran.code, found["audit"]["state"]) == (2, "wrong")
    assert found["audit"]["text"] == "the chain ends at row 1, but 2 rows were written"
    assert "rolecall audit verify" in found["audit"]["advice"]
