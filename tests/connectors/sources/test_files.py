"""The folder: what is listed, with which labels, and which mistakes of the admin are told."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.errors import ConfigError, UnreadableDocument
from bot.ports import Listed
from bot.settings import FilesSource as FilesSettings
from connectors.sources.files import FilesSource

LABELS = {"hr/**": ["hr"], "filings/*.md": ["filings", "finance"], "**/*.md": ["company"]}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in (
        "hr/pay.md",
        "filings/q1.md",
        "filings/old/q0.md",
        "welcome.md",
        "note.txt",
        ".git/config.md",
        "~$lock.md",
    ):
        path = tmp_path / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\nText of {name}.")
    return tmp_path / "docs"


@pytest.fixture
def opened() -> Iterator[list[FilesSource]]:
    made: list[FilesSource] = []
    yield made
    for source in made:
        source.close()


def files(root: Path, labels: Mapping[str, list[str]] = LABELS, url: str | None = None) -> FilesSource:
    settings = FilesSettings(name="handbook", path="docs", labels=dict(labels), url=url)
    return FilesSource(settings, root.parent, {"hr", "filings", "finance", "company"})


def listed(source: FilesSource) -> dict[str, set[str]]:
    return {item.id.removeprefix("handbook/"): set(item.labels) for item in source.list()}


def test_the_first_pattern_that_fits_decides(root: Path) -> None:
    assert listed(files(root)) == {
        "hr/pay.md": {"hr"},
        "filings/q1.md": {"filings", "finance"},
        "filings/old/q0.md": {"company"},
        "welcome.md": {"company"},
        "note.txt": set(),
    }


def test_a_file_that_no_pattern_fits_is_refused(root: Path, opened: list[FilesSource]) -> None:
    opened.append(source := files(root))
    with pytest.raises(UnreadableDocument, match="no label pattern of source handbook fits it, so nobody could see it"):
        source.read(Listed("handbook/note.txt", "", frozenset()))


def test_a_document_has_hash_url_and_time(root: Path, opened: list[FilesSource]) -> None:
    (root / "hr" / "給与 表.md").write_text("# 給与表\n基本給。")
    os.utime(root / "hr" / "給与 表.md", (1_700_000_000, 1_700_000_000))
    opened.append(source := files(root, url="https://wiki.example/hb/"))
    document = source.read(Listed("handbook/hr/給与 表.md", "", frozenset({"hr"})))
    assert (document.id, document.source, document.title) == ("handbook/hr/給与 表.md", "handbook", "給与表")
    assert document.url == "https://wiki.example/hb/hr/%E7%B5%A6%E4%B8%8E%20%E8%A1%A8.md"
    assert document.modified == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert len(document.hash) == 64


def test_the_fingerprint_changes_with_content_time_and_url(root: Path) -> None:
    def prints(url: str | None = None) -> str:
        return next(item.fingerprint for item in files(root, url=url).list() if item.id == "handbook/welcome.md")

    first = prints()
    assert prints() == first
    assert prints("https://moved.example") != first
    os.utime(root / "welcome.md", (1, 1))
    assert prints() != first


def test_links_are_not_there(root: Path, opened: list[FilesSource]) -> None:
    (root.parent / "secret.md").write_text("# Secret")
    (root / "out.md").symlink_to(root.parent / "secret.md")
    (root / "inside.md").symlink_to(root / "hr" / "pay.md")
    (root / "folder").symlink_to(root / "hr")
    os.mkfifo(root / "pipe.md")
    opened.append(source := files(root))
    assert not {"out.md", "inside.md", "folder/pay.md", "pipe.md"} & set(listed(source))
    for name in ("out.md", "inside.md", "folder/pay.md", "../secret.md"):
        with pytest.raises(UnreadableDocument, match="is behind a link, which is not followed"):
            source.read(Listed(f"handbook/{name}", "", frozenset({"company"})))


def test_what_cannot_be_opened_is_told(root: Path, opened: list[FilesSource]) -> None:
    opened.append(source := files(root))
    with pytest.raises(UnreadableDocument, match="cannot be opened: No such file"):
        source.read(Listed("handbook/gone.md", "", frozenset({"company"})))
    (Path(os.fsdecode(bytes(root / "hr") + b"/caf\xe9.md"))).write_text("x")
    item = next(item for item in source.list() if "caf" in item.id)
    assert item.id == r"handbook/hr/caf\udce9.md"
    with pytest.raises(UnreadableDocument, match="its name is not UTF-8 text; rename it"):
        source.read(item)


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ({"**": ["company"], "hr/**": ["hr"]}, "'hr/\\*\\*': never decides, earlier patterns fit all its files"),
        ({"HR/**": ["hr"], "**": ["company"]}, "there is no folder 'HR' in .*nothing was deleted"),
    ],
)
def test_patterns_in_vain_are_mistakes(root: Path, labels: dict[str, list[str]], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        listed(files(root, labels))


def test_a_pattern_may_outlive_its_files(root: Path) -> None:
    (root / "hr" / "pay.md").unlink()
    assert "welcome.md" in listed(files(root))


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (
            {"**": ["filngs"]},
            "sources.handbook.labels: '\\*\\*': 'filngs' is not declared in the policy; known: company, ",
        ),
        ({"**": []}, "names no label, so nobody could see these files"),
    ],
)
def test_undeclared_labels_are_mistakes(root: Path, labels: dict[str, list[str]], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        files(root, labels)


def test_labels_that_name_a_reader_need_no_declaration(root: Path) -> None:
    assert listed(files(root, {"**": ["user:slack-user:T/U1", "group:G"]}))["note.txt"] == {
        "user:slack-user:T/U1",
        "group:G",
    }


def test_a_folder_that_vanished_or_cannot_be_read_deletes_nothing(root: Path) -> None:
    source = files(root)
    root.rename(root.parent / "away")
    with pytest.raises(
        ConfigError, match=r"sources.handbook.path: .*docs: No such file or directory; nothing was deleted"
    ):
        listed(source)


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("*.md", ["welcome.md"]),
        ("**/*.md", ["filings/old/q0.md", "filings/q1.md", "hr/pay.md", "welcome.md"]),
        ("filings/**/q?.md", ["filings/old/q0.md", "filings/q1.md"]),
        ("filings/**", ["filings/old/q0.md", "filings/q1.md"]),
        ("*/*.md", ["filings/q1.md", "hr/pay.md"]),
        ("hr/pay.md", ["hr/pay.md"]),
    ],
)
def test_patterns(root: Path, pattern: str, fits: list[str]) -> None:
    assert sorted(name for name, labels in listed(files(root, {pattern: ["hr"]})).items() if labels) == fits
