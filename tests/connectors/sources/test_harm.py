"""Bombs and damaged files are refused within ten seconds, by a reason, and the next file is read as if nothing had been."""

from __future__ import annotations

import os
import resource
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.errors import UnreadableDocument
from bot.knowledge.chunking import passages
from bot.types import Document
from connectors.sources.child import LimitedParser
from tests.connectors.sources import made
from tests.effort import processor_seconds

MB = 1 << 20
LAUGHS = b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><w>&b;</w>'
OUTSIDE = b'<?xml version="1.0"?>' + b" " * 5000 + b'<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]><w>&x;</w>'


@pytest.fixture(scope="module")
def parser() -> Iterator[LimitedParser]:
    parser = LimitedParser()
    yield parser
    parser.close()


def with_part(name: str, content: bytes, base: Callable[[Path], None] = made.docx_file) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        base(path)
        made.changed(path, {name: content})

    return make


def content(raw: bytes | Callable[[], bytes]) -> Callable[[Path], None]:
    return lambda path: void(path.write_bytes(raw() if callable(raw) else raw))


def void(_: object) -> None:
    return None


def nested_flate() -> bytes:
    packed = bytes(200 * MB)
    for _ in range(3):
        packed = zlib.compress(packed, 9)
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>"
    filters = b"<< /Length %d /Filter [/FlateDecode /FlateDecode /FlateDecode] >>\nstream\n" % len(packed)
    pages = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    return made.raw_pdf([b"<< /Type /Catalog /Pages 2 0 R >>", pages, page, filters + packed + b"\nendstream"])


def million_pages(claimed: int = 1_000_000, there: int = 1_000_000) -> bytes:
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>"
    pages = b"<< /Type /Pages /Count %d /Kids [" % claimed + b"3 0 R " * there + b"] >>"
    return made.raw_pdf([b"<< /Type /Catalog /Pages 2 0 R >>", pages, page])


def slow_page() -> bytes:
    drawing = zlib.compress(b"BT /F1 9 Tf 9 9 Td (x) Tj ET\n" * 1_000_000)
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>"
    drawn = b"<< /Length %d /Filter /FlateDecode >>\nstream\n" % len(drawing) + drawing + b"\nendstream"
    pages = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    return made.raw_pdf([b"<< /Type /Catalog /Pages 2 0 R >>", pages, page, drawn])


def endless_pages() -> bytes:
    pages = b"<< /Type /Pages /Count 3 /Kids [2 0 R 2 0 R 2 0 R] >>"
    return made.raw_pdf([b"<< /Type /Catalog /Pages 2 0 R >>", pages])


def encrypted(path: Path) -> None:
    from pypdf import PdfReader, PdfWriter

    made.pdf_file(path)
    writer = PdfWriter(clone_from=PdfReader(path))
    writer.encrypt("password", algorithm="RC4-128")
    writer.write(path)


def truncated(make: Callable[[Path], None]) -> Callable[[Path], None]:
    def cut(path: Path) -> None:
        make(path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])

    return cut


def big(path: Path) -> None:
    path.touch()
    os.truncate(path, 51 * MB)


HARM: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "zip bomb": ("a.docx", with_part("word/media/x.bin", bytes(150 * MB)), "from nothing: a bomb"),
    "xml bomb": ("a.xlsx", with_part("xl/x.xml", b"<a>" + bytes(40 * MB), made.xlsx_file), "from nothing: a bomb"),
    "many parts": (
        "a.pptx",
        lambda path: made.package(path, {f"p{i}.xml": b"<a/>" for i in range(10_001)}),
        "10,001 parts",
    ),
    "entities": ("a.docx", with_part("word/document.xml", LAUGHS), "declares a document type"),
    "late entities": ("a.docx", with_part("word/document.xml", OUTSIDE), "declares a document type"),
    "wide entities": (
        "a.docx",
        with_part("word/document.xml", LAUGHS.decode().encode("utf-16")),
        "declares a document",
    ),
    "outside part": ("a.xlsx", with_part("../../etc/cron.d/x", b"*", made.xlsx_file), "holds a part outside itself"),
    "nested flate": ("a.pdf", content(nested_flate), "."),
    "a million pages": ("a.pdf", content(million_pages), "is not a PDF that can be read"),
    "many pages": ("a.pdf", content(lambda: million_pages(claimed=1_000_000, there=2)), "has 1,000,000 pages"),
    "endless pages": ("a.pdf", content(endless_pages), "."),
    "encrypted": ("a.pdf", encrypted, "is encrypted; remove the password"),
    "old office": (
        "a.xlsx",
        content(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)),
        "is encrypted, or in the format",
    ),
    "empty": ("a.md", content(b""), "is empty"),
    "blank": ("a.pdf", content(bytes(5000)), "is empty"),
    "garbage": ("a.pdf", content(lambda: os.urandom(100_000)), "is not a PDF that can be read"),
    "garbage text": ("a.txt", content(lambda: os.urandom(100_000)), "is not text"),
    "garbage package": ("a.pptx", content(lambda: os.urandom(100_000)), "is damaged"),
    "truncated": ("a.docx", truncated(made.docx_file), "is damaged"),
    "truncated pdf": ("a.pdf", truncated(made.pdf_file), "."),
    "big": ("a.txt", big, "has more than 50 MB"),
    "huge table": ("a.csv", content(lambda: b"a,b\n" + b"12345678,12345678\n" * 700_000), "10,000,000 characters"),
    "long cell": ("a.csv", content(lambda: b'a,"' + b"x" * 30 * MB), "is damaged"),
    "deep page": ("a.html", content(lambda: b"<div>" * 50_000 + b"x"), "."),
    "deep markdown": ("a.md", content(lambda: b"> " * 300_000 + b"x"), "."),
}


@pytest.mark.parametrize("kind", HARM)
def test_harm_is_refused_in_time(parser: LimitedParser, tmp_path: Path, kind: str) -> None:
    name, make, reason = HARM[kind]
    make(tmp_path / name)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.monotonic()
    with pytest.raises(UnreadableDocument, match=reason):
        parser.parse(tmp_path / name)
    assert time.monotonic() - start < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 1024
    (tmp_path / "next.md").write_text("# Next\nAll is well.")
    assert parser.parse(tmp_path / "next.md").title == "Next"


HARMLESS_TO_PARSE: dict[str, tuple[str, Callable[[], str]]] = {
    "dots": ("a.txt", lambda: "." * 200_000 + "x"),
    "full-width dots": ("a.txt", lambda: "．" * 200_000 + "x"),
    "closing marks": ("a.txt", lambda: ".”" * 100_000 + "x"),
    "one sentence": ("a.txt", lambda: "word " * 100_000),
    "one letter": ("a.txt", lambda: "x" * 500_000),
    "spaces": ("a.txt", lambda: "a" + " " * 500_000 + "x"),
    "rows and prose": ("a.txt", lambda: "a | b\n\nThe end.\n\n" * 5_000),
}
"""Files that no parser minds; cutting them must not take time by the square of their length."""


@pytest.mark.parametrize("kind", HARMLESS_TO_PARSE)
def test_what_is_parsed_is_cut_in_time_as_well(parser: LimitedParser, tmp_path: Path, kind: str) -> None:
    name, make = HARMLESS_TO_PARSE[kind]
    (tmp_path / name).write_text(make(), encoding="utf-8")
    parsed = parser.parse(tmp_path / name)
    with processor_seconds(10):
        assert passages(Document(name, "files", parsed.title, frozenset({"company"}), parsed.hash, parsed.sections))


def test_what_takes_too_long_is_stopped(tmp_path: Path) -> None:
    (tmp_path / "slow.pdf").write_bytes(slow_page())
    (tmp_path / "next.md").write_text("# Next\nAll is well.")
    parser = LimitedParser(seconds=2)
    assert parser.parse(tmp_path / "next.md").title == "Next"
    start = time.monotonic()
    with pytest.raises(UnreadableDocument, match="takes longer than 2 seconds to read"):
        parser.parse(tmp_path / "slow.pdf")
    assert time.monotonic() - start < 3
    assert parser.parse(tmp_path / "next.md").title == "Next"
    parser.close()


def test_the_child_sees_no_environment_and_stays_within_its_limits(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# A\nB")
    others = children()
    os.environ["ROLECALL_TEST_SECRET"] = "canary"
    parser = LimitedParser()
    parser.parse(tmp_path / "a.md")
    del os.environ["ROLECALL_TEST_SECRET"]
    (child,) = children() - others
    assert "canary" not in Path(f"/proc/{child}/environ").read_text()
    limits = Path(f"/proc/{child}/limits").read_text().splitlines()
    assert [line.split()[-2] for line in limits if line.startswith("Max address space")] == [str(1 << 30)]
    assert [line.split()[-2] for line in limits if line.startswith("Max file size")] == ["0"]
    parser.close()
    assert child not in children()


def children() -> set[str]:
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())
