"""The Kustomize base as it reaches a cluster: each rendered object is valid, and what refers to another one finds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from tests.deploy.rendering import Object, by_hand, by_tool, pods
from tests.deploy.test_deploy import KUBERNETES, RESOURCES

OVERLAY = """
resources: [../base]
namePrefix: acme-
namespace: chat
images: [{name: rolecall, newName: registry.example/acme/rolecall, newTag: "1.2"}]
configMapGenerator:
  - name: rolecall
    behavior: merge
    files: [roles.yaml]
    options: {disableNameSuffixHash: true}
"""


@pytest.fixture(scope="module", params=[by_tool, by_hand])
def rendered(request: pytest.FixtureRequest) -> list[Object]:
    """The base, by Kustomize and by hand."""
    render: Callable[[Path], list[Object]] = request.param
    return render(KUBERNETES)


def of(rendered: list[Object], kind: str) -> list[Object]:
    return [one for one in rendered if one["kind"] == kind]


def selected(rendered: list[Object], labels: Mapping[str, str]) -> set[str]:
    """The owners of the pods that a selector takes."""
    return {
        one["metadata"]["name"]
        for one in rendered
        for pod in pods(one)
        if labels.items() <= pod["metadata"]["labels"].items()
    }


def test_by_hand_is_what_kustomize_makes() -> None:
    def key(one: Object) -> tuple[str, str]:
        return one["kind"], one["metadata"]["name"]

    assert sorted(by_hand(KUBERNETES), key=key) == sorted(by_tool(KUBERNETES), key=key)


def test_a_cluster_would_take_each_rendered_object(rendered: list[Object]) -> None:
    assert len(rendered) == len(RESOURCES) + 1
    for one in rendered:
        kubernetes_validate.validate(one, kubernetes_validate.latest_version(), strict=True)


def test_everything_is_in_the_one_namespace(rendered: list[Object]) -> None:
    (namespace,) = of(rendered, "Namespace")
    inside = {one["metadata"].get("namespace") for one in rendered if one is not namespace}
    assert inside == {namespace["metadata"]["name"]}
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_each_selector_takes_the_pods_that_it_is_for(rendered: list[Object]) -> None:
    (bot,), (sync,) = of(rendered, "Deployment"), of(rendered, "CronJob")
    name, of_sync = bot["metadata"]["name"], sync["metadata"]["name"]
    (budget,), (service,), (policy,) = (
        of(rendered, kind) for kind in ("PodDisruptionBudget", "Service", "NetworkPolicy")
    )
    assert selected(rendered, bot["spec"]["selector"]["matchLabels"]) == {name}
    assert selected(rendered, budget["spec"]["selector"]["matchLabels"]) == {name}
    assert selected(rendered, service["spec"]["selector"]) == {name}
    assert selected(rendered, policy["spec"]["podSelector"]["matchLabels"]) == {name, of_sync}
    for spread in pods(bot)[0]["spec"]["topologySpreadConstraints"]:
        assert selected(rendered, spread["labelSelector"]["matchLabels"]) == {name}
    (service_port,) = service["spec"]["ports"]
    assert service_port["targetPort"] in {port["name"] for port in pods(bot)[0]["spec"]["containers"][0]["ports"]}


def test_what_is_named_is_there(rendered: list[Object]) -> None:
    check_names(rendered)


def check_names(rendered: list[Object]) -> None:
    """The autoscaler's target, and the account and the config map of each pod, have the names that they are called by."""
    names = {kind: {one["metadata"]["name"] for one in of(rendered, kind)} for kind in ("ServiceAccount", "ConfigMap")}
    (scaler,), (bot,) = of(rendered, "HorizontalPodAutoscaler"), of(rendered, "Deployment")
    assert scaler["spec"]["scaleTargetRef"]["name"] == bot["metadata"]["name"]
    for pod in (pod for one in rendered for pod in pods(one)):
        assert pod["spec"]["serviceAccountName"] in names["ServiceAccount"]
        assert {volume["configMap"]["name"] for volume in pod["spec"]["volumes"] if "configMap" in volume} == names[
            "ConfigMap"
        ]


def test_the_images_have_a_tag(rendered: list[Object]) -> None:
    images = {container["image"] for one in rendered for pod in pods(one) for container in pod["spec"]["containers"]}
    assert images == {"rolecall:latest"}


def test_an_overlay_changes_image_names_namespace_and_policy(tmp_path: Path) -> None:
    (tmp_path / "base").symlink_to(KUBERNETES)
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    (overlay / "kustomization.yaml").write_text(OVERLAY, encoding="utf-8")
    (overlay / "roles.yaml").write_text("version: 1\n", encoding="utf-8")
    rendered = by_tool(overlay)
    check_names(rendered)
    assert {one["metadata"].get("namespace", "chat") for one in rendered} == {"chat"}
    images = {container["image"] for one in rendered for pod in pods(one) for container in pod["spec"]["containers"]}
    assert images == {"registry.example/acme/rolecall:1.2"}
    (config,) = of(rendered, "ConfigMap")
    assert config["metadata"]["name"] == "acme-rolecall"
    assert yaml.safe_load(config["data"]["roles.yaml"]) == {"version": 1}
    assert "sources:" in config["data"]["rolecall.yaml"]
