"""Kill -9 on the real entry point while a chat goes on sending: nothing lost, nothing twice, nothing half, in order."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import share
from tests.connectors.databases import database_url
from tests.connectors.qdrant.wire import standing_in
from tests.delivery.soak.company import SECRET
from tests.delivery.soak.loop import kill_loop
from tests.delivery.soak.peer import Peer
from tests.delivery.soak.process import Forked
from tests.delivery.soak.replicas import NAMES, READS, WRITES, Shared
from tests.delivery.soak.rolling import rolling_restart

pytestmark = pytest.mark.xdist_group("model")


async def test_sixty_events_with_kills_at_work_and_at_start_and_an_order_to_stop(tmp_path: Path, company: Path) -> None:
    shutil.copytree(company.parent / ".rolecall", tmp_path / ".rolecall", symlinks=True)
    outcome = await kill_loop(tmp_path, events=60, kills=3, booting=2)
    assert outcome.clean, outcome


async def test_a_rolling_restart_of_two_replicas_loses_nothing_and_a_new_policy_reaches_both(
    tmp_path: Path, derived: Path
) -> None:
    """Two processes, one PostgreSQL, one Qdrant server that both may only read."""
    database = database_url("postgresql", tmp_path)
    with standing_in(WRITES, READS) as qdrant:
        async with Peer(SECRET).listening() as peer:
            shared = Shared(tmp_path, database, qdrant.url, peer.url)
            for name in ("sync", *NAMES):
                share(derived, tmp_path / name / ".rolecall")
            await Forked(shared.syncing(), tmp_path / "sync.log").sync()
            outcome = await rolling_restart(shared, peer, 40, 1, Forked)
    assert outcome.clean, outcome
    assert qdrant.refused == []
