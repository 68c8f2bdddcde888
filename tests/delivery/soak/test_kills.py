"""Kill -9 on the real entry point while a chat goes on sending: nothing lost, nothing twice, nothing half, in order."""

import os
import shutil
from pathlib import Path

import pytest

from tests.connectors.databases import database_url
from tests.delivery.soak.loop import kill_loop
from tests.delivery.soak.rolling import rolling_restart

pytestmark = pytest.mark.xdist_group("model")


async def test_sixty_events_with_kills_at_work_and_at_start_and_an_order_to_stop(tmp_path: Path, company: Path) -> None:
    shutil.copytree(company.parent / ".rolecall", tmp_path / ".rolecall", symlinks=True)
    outcome = await kill_loop(tmp_path, events=60, kills=3, booting=2)
    assert outcome.clean, outcome


@pytest.mark.skipif(not os.environ.get("ROLECALL_SOAK"), reason="takes a minute: ROLECALL_SOAK=1, or make soak")
async def test_a_rolling_restart_of_two_replicas_loses_nothing_and_a_new_policy_reaches_both(
    tmp_path: Path, company: Path
) -> None:
    database = database_url("postgresql", tmp_path)
    shutil.copytree(company.parent / ".rolecall", tmp_path / "synced", symlinks=True)
    outcome = await rolling_restart(tmp_path, database, events=60, rounds=1)
    assert outcome.clean, outcome
