"""`retention` in the running service: what is older than so many days goes, what is younger stays."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.ports import Opinion, Quota, Remembered
from bot.service import open_service
from bot.types import Answer, Exchange, Message
from connectors.chat.teams.store import Kept, TeamsStore
from connectors.database import open_database
from connectors.inbox import SqlInbox
from connectors.journal import SqlJournal
from connectors.messages import INBOX
from tests.conftest import share, write_company
from tests.delivery.house import ALL, FIONA

DAY = 86_400.0
PLACES = ("inbox", "exchanges", "opinions", "teams")
KEPT = {place: ["young"] for place in PLACES}
SETTINGS = """retention: 30
model: {provider: openai, name: none, url: 'http://127.0.0.1:9/v1'}
doors:
  webhook: {secret: {file: secret}, url: 'http://127.0.0.1:9/'}
  teams: {tenant: 0d0c2f6e-5b1a-4c3d-9e8f-001122334455, development: true}
serve: {port: 0}
"""


async def test_the_service_deletes_what_is_older_than_so_many_days(tmp_path: Path, derived: Path) -> None:
    config = write_company(tmp_path)
    share(derived, tmp_path / ".rolecall")
    (tmp_path / "secret").write_text("s3cret", encoding="utf-8")
    config.write_text(config.read_text(encoding="utf-8") + SETTINGS, encoding="utf-8")
    now = time.time()
    async with open_database(f"sqlite+aiosqlite:///{tmp_path / '.rolecall' / 'rolecall.db'}") as engine:
        for name, days in (("old", 31), ("young", 29)):
            at = now - days * DAY
            await _answered(SqlInbox(engine), SqlJournal(engine), TeamsStore(engine, lambda at=at: at), name, at)
        async with open_service(config):
            async with asyncio.timeout(60.0):
                while any("old" in one for one in (await _left(engine)).values()):  # noqa: ASYNC110 - it knows nothing of us
                    await asyncio.sleep(0.01)
            assert await _left(engine) == KEPT


async def _answered(inbox: SqlInbox, journal: SqlJournal, teams: TeamsStore, name: str, at: float) -> None:
    """A question that was asked, answered, remembered and found good at a time, with a file that waits in Teams."""
    await inbox.add(name, Message(name, FIONA, ALL, f"the {name} one", thread=name), Quota(), at)
    claim = await inbox.claim("w", at, 60.0)
    assert claim is not None
    remembered = Remembered("c", Exchange(f"the {name} one", "yes"), at, answer=name)
    assert await inbox.answered(claim, Answer("yes", id=name), (), [remembered])
    assert await inbox.finish(claim)
    await journal.opine(Opinion(name, FIONA.ref, True, at, f"the {name} one"))
    await teams.lay_by(name, Kept("c", f"the {name} one", b""))


async def _left(engine: AsyncEngine) -> dict[str, list[str]]:
    async with engine.connect() as connection:
        bodies = [str(row.body) for row in await connection.execute(sa.select(INBOX).where(INBOX.c.body != ""))]
    journal = SqlJournal(engine)
    said = {
        "inbox": bodies,
        "exchanges": [one.question for one in await journal.recall("c", "", 9)],
        "opinions": [one.reason for one in await journal.opinions(9)],
        "teams": [kept.name for name in ("old", "young") if (kept := await TeamsStore(engine).laid_by(name, "c"))],
    }
    return {
        place: [name for name in ("old", "young") if f"the {name} one" in repr(texts)] for place, texts in said.items()
    }
