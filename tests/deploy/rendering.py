"""Renders the Kustomize base: with kubectl or kustomize where one of them is here, and by hand, which knows this base only."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

Object = dict[str, Any]
KNOWN = {"apiVersion", "kind", "namespace", "resources", "configMapGenerator", "images", "labels"}


def by_tool(folder: Path) -> list[Object]:
    """What `kubectl kustomize` makes of a folder. Skips the test where there is no such tool."""
    kubectl, kustomize = shutil.which("kubectl"), shutil.which("kustomize")
    if kubectl is None and kustomize is None:
        pytest.skip("neither kubectl nor kustomize is here")
    command = [kubectl, "kustomize"] if kubectl else [str(kustomize), "build"]
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def by_hand(folder: Path) -> list[Object]:
    """The same for a base without patches: labels on objects, not on selectors and pods; one namespace, images, config maps."""
    base = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
    assert set(base) <= KNOWN, f"rendering by hand does not know {set(base) - KNOWN}"
    found = [yaml.safe_load((folder / name).read_text(encoding="utf-8")) for name in base["resources"]]
    found += [_config_map(folder, one) for one in base["configMapGenerator"]]
    for one in found:
        for label in base["labels"]:
            assert set(label) == {"pairs"}
            one["metadata"].setdefault("labels", {}).update(label["pairs"])
        if one["kind"] != "Namespace":
            one["metadata"]["namespace"] = base["namespace"]
        for container in (container for pod in pods(one) for container in pod["spec"]["containers"]):
            for image in base["images"]:
                if container["image"] == image["name"]:
                    container["image"] = f"{image.get('newName', image['name'])}:{image['newTag']}"
    return found


def _config_map(folder: Path, asked: Object) -> Object:
    assert asked["options"] == {"disableNameSuffixHash": True}
    data = {name: (folder / name).read_text(encoding="utf-8") for name in asked["files"]}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": asked["name"]}, "data": data}


def pods(one: Object) -> list[Object]:
    """The pod template of an object, if it has one."""
    spec = one.get("spec", {})
    if "jobTemplate" in spec:
        spec = spec["jobTemplate"]["spec"]
    return [spec["template"]] if "template" in spec else []
