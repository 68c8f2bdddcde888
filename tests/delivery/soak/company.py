"""The small company with a webhook door, and enough people and rooms to keep it busy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.conftest import DOCUMENTS, ROLES, SETTINGS

SECRET = "a secret of the tests"
PEOPLE = 25
NEW = "slack-group:S0NEW"
"""The group of nina, who is in no room, and for whom roles.yaml has nothing special yet."""


@dataclass(frozen=True, slots=True)
class Site:
    """A company on disk and the address it serves."""

    config: Path
    port: int

    @property
    def webhook(self) -> str:
        return f"http://127.0.0.1:{self.port}/webhook"


def write(folder: Path, port: int, chat: str, extra: str = "") -> Site:
    """Everything below a folder: documents, roles, people, settings. `extra` is appended to the settings."""
    for name, text in DOCUMENTS.items():
        path = folder / "documents" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "roles.yaml").write_text(ROLES.replace("tests:", "tests_end:").split("tests_end:")[0], encoding="utf-8")
    (folder / "directory.yaml").write_text(_directory(), encoding="utf-8")
    (folder / "secret").write_text(SECRET, encoding="utf-8")
    config = folder / "rolecall.yaml"
    config.write_text(_settings(folder, port, chat) + extra, encoding="utf-8")
    return Site(config, port)


def _settings(folder: Path, port: int, chat: str) -> str:
    doors = f"doors: {{webhook: {{secret: {{file: {folder / 'secret'}}}, url: '{chat}'}}}}\n"
    return SETTINGS + doors + f"serve: {{host: 127.0.0.1, port: {port}}}\n"


def _directory() -> str:
    groups = ("slack-group:S0FIN", "slack-group:S0OPS")
    people = "".join(
        f"  p{number}: {{id: slack-user:T0HOME/U0P{number}, groups: [{groups[number % 2]}]}}\n"
        for number in range(PEOPLE)
    )
    people += f"  nina: {{id: slack-user:T0HOME/U0NINA, groups: [{NEW}]}}\n"
    everybody = ", ".join(f"p{number}" for number in range(PEOPLE))
    rooms = f"  all-hands: {{id: slack:T0HOME/C0ALL, kind: public, members: [{everybody}]}}\n"
    return f"people:\n{people}rooms:\n{rooms}"
