"""What deploy/ holds fits what it is for: each file is checked by the tool or schema of the engine that will read it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from compose_spec import ComposeSpecification

from bot.access.policy import read_policy
from bot.settings import read_settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
CONFIGS = [DEPLOY / "compose/config", KUBERNETES]
README = (DEPLOY / "README.md").read_text(encoding="utf-8")
RESOURCES = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())["resources"]


def resource(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((KUBERNETES / name).read_text())
    return found


def pods() -> list[dict[str, Any]]:
    return [
        resource("deployment.yaml")["spec"]["template"]["spec"],
        resource("sync.yaml")["spec"]["jobTemplate"]["spec"]["template"]["spec"],
    ]


def test_the_container_file_has_no_known_mistake() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([linter, DEPLOY / "Containerfile"], capture_output=True, text=True, check=False)
    assert done.stdout == ""
    assert done.returncode == 0


def test_the_image_runs_as_nobody_in_particular_and_knows_the_entry_point() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    assert "USER 10001:10001" in text
    entry = json.loads(re.findall(r"^ENTRYPOINT (.*)$", text, re.M)[-1])
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert entry[0] in scripts
    command = json.loads(re.findall(r"^CMD (.*)$", text, re.M)[-1])
    done = subprocess.run(
        [Path(sys.executable).with_name(entry[0]), *command, "--help"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_the_package_carries_every_file_that_it_reads() -> None:
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    tracked = subprocess.run(
        ["git", "ls-files", "bot", "tools", "connectors"], cwd=ROOT, capture_output=True, text=True
    )
    if tracked.returncode:
        pytest.skip("not a git checkout")
    for name in tracked.stdout.split():
        package, _, rest = name.partition("/")
        if not name.endswith(".py"):
            assert any(fnmatch(rest, pattern) for pattern in patterns.get(package, ())), name


def test_compose_is_what_compose_understands() -> None:
    compose = yaml.safe_load((DEPLOY / "compose/compose.yaml").read_text())
    plain = {key: value for key, value in compose.items() if not key.startswith("x-")}
    ComposeSpecification.model_validate(plain)
    bot, sync = compose["services"]["bot"], compose["services"]["sync"]
    assert "qdrant_read_key" in str(bot["secrets"])
    assert "qdrant_write_key" not in str(bot["secrets"])
    assert "qdrant_write_key" in str(sync["secrets"])
    assert all(service["read_only"] for service in (bot, sync))
    for service in compose["services"].values():
        for secret in service.get("secrets", ()):
            assert (secret["source"] if isinstance(secret, dict) else secret) in compose["secrets"]


@pytest.mark.parametrize("name", RESOURCES)
def test_kubernetes_would_take_each_resource(name: str) -> None:
    kubernetes_validate.validate(resource(name), kubernetes_validate.latest_version(), strict=True)


def test_every_resource_is_in_the_kustomization() -> None:
    files = {path.name for path in KUBERNETES.glob("*.yaml")} - {"kustomization.yaml", "rolecall.yaml", "roles.yaml"}
    assert files == set(RESOURCES)


def test_pods_are_restricted_and_take_secrets_by_reference() -> None:
    for pod in pods():
        assert pod["securityContext"]["runAsNonRoot"]
        assert not pod["automountServiceAccountToken"]
        for container in pod["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"]
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert all("valueFrom" in entry for entry in container["env"])
            mounted = {mount["name"] for mount in container["volumeMounts"]}
            assert mounted == {volume["name"] for volume in pod["volumes"]}
    bot, sync = map(str, pods())
    assert "rolecall-qdrant-read" in bot
    assert "rolecall-qdrant-write" not in bot
    assert "rolecall-qdrant-write" in sync


def test_the_network_policy_is_about_every_pod() -> None:
    policy = resource("network.yaml")["spec"]
    templates = [
        resource("deployment.yaml")["spec"]["template"],
        resource("sync.yaml")["spec"]["jobTemplate"]["spec"]["template"],
    ]
    for template in templates:
        assert policy["podSelector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    assert policy["policyTypes"] == ["Ingress", "Egress"]


def test_sync_holds_no_secret_of_a_chat() -> None:
    compose = yaml.safe_load((DEPLOY / "compose/compose.yaml").read_text())["services"]["sync"]
    assert "slack" not in str(compose["secrets"])
    volumes = {volume["name"]: volume for volume in pods()[1]["volumes"]}
    held = [source["secret"]["name"] for source in volumes["secrets"]["projected"]["sources"]]
    assert held == ["rolecall-qdrant-write"]


def test_a_sync_by_the_clock_fails_for_what_failed_and_not_for_a_file_that_cannot_be_read() -> None:
    job = resource("sync.yaml")["spec"]["jobTemplate"]["spec"]
    unit = (DEPLOY / "systemd/rolecall-sync.service").read_text()
    compose = yaml.safe_load((DEPLOY / "compose/compose.yaml").read_text())["services"]["sync"]
    (started,) = re.findall(r"^ExecStart=(.*)$", unit, re.M)
    for words in (job["template"]["spec"]["containers"][0]["args"], compose["command"], started.split()):
        assert words[words.index("sync") :][1] == "--allow-unread"
    assert "SuccessExitStatus" not in unit
    assert job["backoffLimit"] == 0
    rules = yaml.safe_load((DEPLOY / "monitoring/alerts.yaml").read_text())["groups"][0]["rules"]
    assert {"RolecallFilesUnread", "RolecallSyncIsOld"} <= {rule["alert"] for rule in rules}


def test_a_replica_stays_while_another_one_goes() -> None:
    deployment, scaler = resource("deployment.yaml")["spec"], resource("autoscaling.yaml")["spec"]
    assert scaler["minReplicas"] >= 2
    assert "replicas" not in deployment, "each `kubectl apply` would put the number back"
    assert deployment["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert deployment["template"]["spec"]["terminationGracePeriodSeconds"] > 30
    assert resource("disruption.yaml")["spec"]["minAvailable"] >= 1


@pytest.mark.parametrize("folder", CONFIGS)
def test_the_settings_and_the_policy_that_come_along_are_good(folder: Path) -> None:
    read_settings(folder / "rolecall.yaml")
    read_policy(folder / "roles.yaml")


def test_both_ways_to_many_containers_come_with_the_same_settings_but_for_the_hosts() -> None:
    compose, kubernetes = ((folder / "rolecall.yaml").read_text() for folder in CONFIGS)
    assert compose == re.sub(r"(?<=[@/])(postgres|qdrant|vllm)\.data", r"\1", kubernetes)
    assert len({(folder / "roles.yaml").read_text() for folder in CONFIGS}) == 1


def test_every_secret_that_the_settings_name_is_mounted_for_the_bot_and_only_that_of_the_index_for_sync() -> None:
    named = set(re.findall(r"file: /run/secrets/(\w+)", (KUBERNETES / "rolecall.yaml").read_text()))
    compose = yaml.safe_load((DEPLOY / "compose/compose.yaml").read_text())["services"]
    assert (mounted_by_compose(compose["bot"]), mounted_by_compose(compose["sync"])) == (named, {"qdrant_key"})
    bot, sync = pods()
    assert (mounted_by_kubernetes(bot), mounted_by_kubernetes(sync)) == (named, {"qdrant_key"})


def mounted_by_compose(service: dict[str, Any]) -> set[str]:
    return {one["target"] if isinstance(one, dict) else one for one in service["secrets"]}


def mounted_by_kubernetes(pod: dict[str, Any]) -> set[str]:
    """The files below /run/secrets; of a Secret that is mounted whole, the keys that the page tells an admin to make."""
    (volume,) = [one for one in pod["volumes"] if one["name"] == "secrets"]
    found = set[str]()
    for source in (one["secret"] for one in volume["projected"]["sources"]):
        keys = re.search(rf"`{source['name']}` \(keys? ([^)]+)\)", README)
        assert keys, f"{source['name']} is not described"
        found |= {one["path"] for one in source.get("items", ())} or set(re.findall(r"`(\w+)`", keys[1]))
    return found


def test_every_variable_of_compose_is_described() -> None:
    used = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose/compose.yaml").read_text()))
    assert {name for name in used if f"`{name}`" not in README} == set()


def test_what_looks_after_the_process_asks_where_it_listens() -> None:
    settings = read_settings(KUBERNETES / "rolecall.yaml")
    (port,) = pods()[0]["containers"][0]["ports"]
    image = (DEPLOY / "Containerfile").read_text()
    assert settings.serve.port == port["containerPort"] == int(re.findall(r"^EXPOSE (\d+)$", image, re.M)[0])
    assert f"http://127.0.0.1:{settings.serve.port}/healthz" in image
    published = yaml.safe_load((DEPLOY / "compose/compose.yaml").read_text())["services"]["bot"]["ports"]
    assert published == [f"127.0.0.1:{settings.serve.port}:{settings.serve.port}"]


def test_each_unit_of_systemd_reads_secrets_of_its_own() -> None:
    files = {
        unit: re.findall(r"^EnvironmentFile=-(\S+)$", (DEPLOY / "systemd" / unit).read_text(), re.M)
        for unit in ("rolecall.service", "rolecall-sync.service")
    }
    (bot,), (sync,) = files.values()
    assert bot != sync
    assert f"`{bot}`" in README
    assert f"`{sync}`" in README


@pytest.mark.parametrize("unit", sorted(path.name for path in (DEPLOY / "systemd").iterdir()))
def test_systemd_would_take_each_unit(unit: str, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not here")
    for path in (DEPLOY / "systemd").iterdir():
        text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", path.read_text(), flags=re.M)
        (tmp_path / path.name).write_text(re.sub(r"^Documentation=.*\n", "", text, flags=re.M))
    done = subprocess.run([analyze, "verify", tmp_path / unit], capture_output=True, text=True, check=False)
    assert "Unknown" not in done.stderr
    assert "ignoring" not in done.stderr
