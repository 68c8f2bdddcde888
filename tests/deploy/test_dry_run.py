"""The settings that deploy/ brings along, run: sync and the bot, each with its own secrets alone, asked as a cluster asks."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from bot.errors import IndexUnavailable
from bot.service import open_service
from tests.chat.fakeslack import server
from tests.conftest import Ran, share
from tests.connectors.databases import database_url
from tests.connectors.qdrant.wire import StandIn, standing_in
from tests.deploy.test_deploy import KUBERNETES, mounted_by_kubernetes, pods, resource

SECRETS = {"qdrant_key": "", "slack_token": "xoxb-1", "slack_signing_secret": "0" * 32, "audit_key": "a long secret"}
NEVER = 'sources:\n  - {name: never, path: /documents, labels: {"**": [company]}}\n'


@pytest.fixture
def qdrant() -> Iterator[StandIn]:
    with standing_in("writes", "reads") as made:
        yield made


class Container:
    """What a pod finds: the settings as they are shipped, its own secrets, and the company's services under other names."""

    def __init__(self, folder: Path, qdrant: StandIn, slack: server.FakeSlack):
        self.folder = folder
        for name in ("press.md", "finance/loans.md"):
            (folder / "documents" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "documents" / name).write_text(f"# {name}\n\nNet revenue was 90 million dollars.\n", "utf-8")
        elsewhere = {
            "/var/lib/rolecall": str(folder / "state"),
            "postgresql+asyncpg://rolecall@postgres.data/rolecall": database_url("postgresql", folder),
            "http://qdrant.data:6333": qdrant.url,
            "http://vllm.data:8000/v1": "http://127.0.0.1:9/v1",
            "/documents": str(folder / "documents"),
            "/run/secrets": str(folder / "secrets"),
            "host: 0.0.0.0, port: 8080": "host: 127.0.0.1, port: 0",
            "slack: {token": f"slack: {{api: '{slack.url}', token",
        }
        shipped = (KUBERNETES / "rolecall.yaml").read_text(encoding="utf-8")
        for old, new in elsewhere.items():
            assert shipped.count(old) >= 1, old
            shipped = shipped.replace(old, new)
        self.config = folder / "rolecall.yaml"
        self.config.write_text(shipped, encoding="utf-8")
        (folder / "roles.yaml").write_text((KUBERNETES / "roles.yaml").read_text(encoding="utf-8"), encoding="utf-8")

    def mount(self, names: set[str], key: str) -> None:
        """Put the secrets of one pod where the settings look for them, and no other."""
        place = self.folder / "secrets"
        place.mkdir(exist_ok=True)
        for old in place.iterdir():
            old.unlink()
        for name in names:
            (place / name).write_text(key if name == "qdrant_key" else SECRETS[name], encoding="utf-8")


@pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection")  # of qdrant-client; inside a cluster
async def test_sync_and_the_bot_run_with_their_own_secrets_alone_and_answer_the_probes(
    rolecall: Callable[..., Ran], tmp_path: Path, derived: Path, qdrant: StandIn
) -> None:
    share(derived, tmp_path / "state")
    bot, sync = pods()
    async with server.open_slack() as slack, ClientSession() as session:
        container = Container(tmp_path, qdrant, slack)
        container.mount(mounted_by_kubernetes(bot), "reads")
        with pytest.raises(IndexUnavailable, match="rolecall sync"):
            async with open_service(container.config):
                pass
        container.mount(mounted_by_kubernetes(sync), "writes")
        (job,) = sync["containers"]
        synced = await asyncio.to_thread(rolecall, "--config", container.config, *job["args"])
        assert synced.code == 0, synced.err
        assert synced.json["handbook"]["added"] == 2
        container.mount(mounted_by_kubernetes(bot), "reads")
        text = container.config.read_text(encoding="utf-8").replace("sources:\n", NEVER)
        container.config.write_text(text, encoding="utf-8")
        refused = list(qdrant.refused)
        async with open_service(container.config) as service:
            origin = f"http://127.0.0.1:{service.port}"

            async def status(path: str) -> int:
                async with session.get(origin + path) as response:
                    return response.status

            (spec,) = resource("deployment.yaml")["spec"]["template"]["spec"]["containers"]
            startup, alive, ready = (
                spec[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")
            )
            assert [await status(path) for path in (startup, alive, ready)] == [200, 200, 200]
            async with session.get(f"{origin}/metrics") as response:
                metrics = await response.text()
            (scaled,) = resource("autoscaling.yaml")["spec"]["metrics"]
            assert re.search(rf"^{scaled['external']['metric']['name']} 0.0$", metrics, re.M)
            ages = dict(re.findall(r'^rolecall_sync_finished_seconds\{source="(\w+)"\} (\S+)$', metrics, re.M))
            assert float(ages["handbook"]) > 1e9
            assert float(ages["never"]) == 0.0, "a source that was never synced has to be old, not unknown"
            async with session.post(f"{origin}/slack/events", json={"type": "event_callback"}) as response:
                assert response.status == 401
            service.worker.stop()
            assert [await status(path) for path in (alive, ready)] == [200, 503]
        assert qdrant.refused == refused
