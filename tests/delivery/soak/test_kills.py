"""Kill -9 on the real entry point while a chat goes on sending: nothing lost, nothing twice, nothing half, in order."""

import shutil
from pathlib import Path

import pytest

from tests.delivery.soak.loop import kill_loop

pytestmark = pytest.mark.xdist_group("model")


async def test_sixty_events_with_kills_at_work_and_at_start_and_an_order_to_stop(tmp_path: Path, company: Path) -> None:
    shutil.copytree(company.parent / ".rolecall", tmp_path / ".rolecall", symlinks=True)
    outcome = await kill_loop(tmp_path, events=60, kills=3, booting=2)
    assert outcome.clean, outcome
