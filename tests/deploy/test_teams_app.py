"""The app package for Teams: filled in, complete, and with icons of the sizes that Teams wants."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest

ROOT = Path(__file__).parents[2]
APP = "a1b2c3d4-0000-4000-8000-000000000001"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": [
        "$schema",
        "manifestVersion",
        "version",
        "id",
        "developer",
        "name",
        "description",
        "icons",
        "accentColor",
        "bots",
    ],
    "properties": {
        "manifestVersion": {"const": "1.22"},
        "id": {"const": APP},
        "name": {"properties": {"short": {"maxLength": 30}, "full": {"maxLength": 100}}},
        "description": {"properties": {"short": {"maxLength": 80}, "full": {"maxLength": 4000}}},
        "developer": {
            "required": ["name", "websiteUrl", "privacyUrl", "termsOfUseUrl"],
            "properties": {"name": {"maxLength": 32}, "websiteUrl": {"pattern": "^https://"}},
        },
        "accentColor": {"pattern": "^#[0-9A-Fa-f]{6}$"},
        "bots": {
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "properties": {
                    "botId": {"const": APP},
                    "supportsFiles": {"const": True},
                    "scopes": {"contains": {"const": "personal"}, "minItems": 3},
                    "commandLists": {
                        "items": {
                            "properties": {
                                "commands": {
                                    "maxItems": 10,
                                    "items": {
                                        "required": ["title", "description"],
                                        "properties": {"title": {"maxLength": 32}, "description": {"maxLength": 128}},
                                    },
                                }
                            }
                        }
                    },
                }
            },
        },
        "composeExtensions": {
            "items": {
                "properties": {
                    "botId": {"const": APP},
                    "commands": {
                        "items": {
                            "properties": {
                                "id": {"enum": ["summarize", "translate", "explain"]},
                                "title": {"maxLength": 32},
                                "context": {"const": ["message"]},
                                "fetchTask": {"const": True},
                            }
                        }
                    },
                }
            }
        },
    },
}


def build(out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "deploy/teams-app/build.py", "--out", str(out), *more]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_the_package_is_filled_in_and_complete(tmp_path: Path) -> None:
    out = tmp_path / "rolecall.zip"
    done = build(out, "--app-id", APP, "--host", "chat.example.com", "--name", 'Ask "Acme"')
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(out) as package:
        assert sorted(package.namelist()) == ["color.png", "manifest.json", "outline.png"]
        manifest = json.loads(package.read("manifest.json"))
        sizes = {name: struct.unpack(">II", package.read(f"{name}.png")[16:24]) for name in ("color", "outline")}
    jsonschema.validate(manifest, SCHEMA)
    assert "{{" not in json.dumps(manifest)
    assert manifest["name"]["short"] == 'Ask "Acme"'
    assert manifest["validDomains"] == ["chat.example.com"]
    assert sizes == {"color": (192, 192), "outline": (32, 32)}


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (["--app-id", "my-app", "--host", "chat.example.com"], "--app-id"),
        (["--app-id", APP, "--host", "https://chat.example.com/"], "--host"),
        (["--app-id", APP, "--host", "chat.example.com", "--version", "1"], "--version"),
        (["--app-id", APP, "--host", "chat.example.com", "--name", "x" * 31], "--name"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, given: list[str], word: str) -> None:
    done = build(tmp_path / "rolecall.zip", *given)
    assert done.returncode == 2
    assert word in done.stderr
    assert not (tmp_path / "rolecall.zip").exists()
