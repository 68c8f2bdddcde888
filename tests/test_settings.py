"""rolecall.yaml is read strictly: each mistake is one line that names file, line, key and choices."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.doorways.webhook import WebhookDoorway
from bot.errors import ConfigError
from bot.settings import AuditSettings, Secret, Settings, WebhookSettings, read_settings
from bot.wiring.parts import audit_keys, database_url, secret_of
from tests.conftest import Ran, write_company


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("version: 2\n", ["version", "1"]),
        ("version: 1\nmodle: {}\n", [":2", "modle", "model"]),
        ("version: 1\nplanner: fast\n", [":2", "planner", "router"]),
        ("version: 1\nindex: {engine: edge, url: 6}\n", [":2", "index.url"]),
        ("version: 1\nmodel: {batch: 0}\n", [":2", "model.batch"]),
        ("version: 1\nversion: 1\n", [":2", "version"]),
        ("version: 1\nsources: [{name: a, path: b}]\n", [":2", "labels"]),
        ("version: 1\nsources: [{name: a/b, path: b, labels: {}}]\n", [":2", "sources[0].name", "'a/b'", "letters"]),
        ("version: 1\nsources:\n  - &a {name: a, path: b, labels: {}}\n", [":3", "anchors"]),
        (
            "version: 1\nsources: [{name: a, path: b, labels: {}}, {name: a, path: c, labels: {}}]\n",
            [":2", "sources", "'a'"],
        ),
        ("version: 1\nsources: [{name: a, path: b, labels: {}, url: intranet}]\n", [":2", "url", "https://"]),
        ("version: 1\nanswers: {hosts: [https://example.com]}\n", [":2", "answers.hosts[0]", "intranet.example.com"]),
        ("", ["empty"]),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, text: str, names: list[str]) -> None:
    path = tmp_path / "rolecall.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        read_settings(path)
    words = str(raised.value)
    assert words.startswith(str(path))
    assert "\n" not in words
    assert all(name in words for name in names), words


def test_a_secret_is_read_from_where_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("from-file\n", encoding="utf-8")
    monkeypatch.setenv("ROLECALL_TEST_KEY", "from-env")
    assert secret_of(Secret(env="ROLECALL_TEST_KEY"), "key") == "from-env"
    assert secret_of(Secret(file=str(tmp_path / "key")), "key") == "from-file"
    assert secret_of(None, "key") is None


@pytest.mark.parametrize(
    "secret", [Secret(), Secret(env="A", file="b"), Secret(env="ROLECALL_UNSET"), Secret(file="/no")]
)
def test_a_secret_that_is_not_there_is_named(secret: Secret) -> None:
    with pytest.raises(ConfigError, match=r"^model\.key"):
        secret_of(secret, "model.key")


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"", "is empty"), (b"\n", "is empty"), (b" \r\n\t", "is empty"), (b"\xff\xfe\x00k", "is not UTF-8 text")],
)
def test_a_file_without_a_secret_in_it_is_named(tmp_path: Path, content: bytes, told: str) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)
    settings = Settings(version=1, audit=AuditSettings(key=Secret(file=str(file))))
    webhook = WebhookSettings(secret=Secret(file=str(file)), url="http://127.0.0.1:9000")
    with pytest.raises(ConfigError, match=rf"^audit\.key: {file}: {told}"):
        audit_keys(settings)
    with pytest.raises(ConfigError, match=rf"^doors\.webhook\.secret: {file}: {told}"):
        WebhookDoorway(None, webhook)  # type: ignore[arg-type]


def test_a_variable_of_nothing_but_spaces_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLECALL_TEST_KEY", " \n")
    with pytest.raises(
        ConfigError, match=r"^model\.key: the environment variable ROLECALL_TEST_KEY is not set, or empty"
    ):
        secret_of(Secret(env="ROLECALL_TEST_KEY"), "model.key")


@pytest.mark.parametrize(
    ("given", "instead", "told"),
    [
        ("[filings]", "[filing]", "sources.acme.labels: 'filings/**': 'filing' is not declared in the policy; known: "),
        ("path: documents", "path: papers", "sources.acme.path: "),
        ("version: 1", "version: 1\nindex: {engine: server}", "index.url: a server needs one"),
        ("version: 1", "version: 1\nindex: {engine: server, url: 'http://x', key: {env: NO_SUCH}}", "index.key: "),
    ],
)
def test_a_mistake_that_is_found_later_is_told_with_its_line_as_well(
    rolecall: Callable[..., Ran], tmp_path: Path, given: str, instead: str, told: str
) -> None:
    config = write_company(tmp_path)
    text = config.read_text(encoding="utf-8").replace(given, instead)
    config.write_text(text, encoding="utf-8")
    ran = rolecall("--config", config, "sync")
    changed = next(number for number, line in enumerate(text.splitlines(), 1) if instead.splitlines()[-1] in line)
    assert ran.code == 2
    assert ran.err.startswith(f"rolecall: {config}:{changed}: {told}")
    assert ran.err.count("\n") == 1


def test_the_file_of_a_secret_is_relative_to_the_settings(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("hidden\n", encoding="utf-8")
    config = tmp_path / "rolecall.yaml"
    config.write_text("version: 1\naudit: {key: {file: key}, old_keys: [{file: /run/old}]}\n", encoding="utf-8")
    audit = read_settings(config).audit
    assert secret_of(audit.key, "audit.key") == "hidden"
    assert audit.old_keys[0].file == "/run/old"


def test_a_password_is_not_written_into_the_database_url(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="PGPASSWORD") as told:
        database_url(Settings(version=1, database="postgresql+asyncpg://rolecall:hunter2@db/rolecall"), tmp_path)
    assert "hunter2" not in str(told.value)
    without = "postgresql+asyncpg://rolecall@db/rolecall"
    assert database_url(Settings(version=1, database=without), tmp_path) == without
