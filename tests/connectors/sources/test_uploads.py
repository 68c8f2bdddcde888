"""Files that come with messages: fetched by their door, read within limits, and named with the reason if they cannot be."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.errors import DoorUnavailable, UnreadableDocument
from bot.types import Attachment
from connectors.sources.uploads import MAX_PLAIN, MAX_UPLOAD, UploadReader

FILES = {
    "fake:1": b"# Leave\n\nNew employees get 25 days.\n",
    "fake:2": b"Traceback (most recent call last):\nKeyError: 'total'\n",
}


async def fetch(file: Attachment) -> bytes:
    if file.ref == "fake:away":
        raise DoorUnavailable("no answer")
    if file.ref not in FILES:
        raise UnreadableDocument("is gone")
    return FILES[file.ref]


@pytest.fixture
def reader() -> Iterator[UploadReader]:
    made = UploadReader({"fake": fetch})
    yield made
    made.close()


async def test_a_document_is_fetched_and_parsed(reader: UploadReader) -> None:
    upload = await reader.read(Attachment("leave.md", ref="fake:1"))
    assert upload.sections[0].heading == ("Leave",)
    assert "25 days" in upload.text
    assert upload.content == FILES["fake:1"]


async def test_code_and_logs_are_taken_as_they_are(reader: UploadReader) -> None:
    assert "KeyError: 'total'" in (await reader.read(Attachment("run.log", ref="fake:2"))).text
    assert (await reader.read(Attachment("a.py", b"print(1)\n"))).text == "print(1)\n"


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        (Attachment("big.pdf", ref="fake:1", size=MAX_UPLOAD + 1), "has 20.0 MB; at most 20 MB are read"),
        (Attachment("long.log", b"a" * (MAX_PLAIN + 1)), "holds 1,000,001 characters; at most 1,000,000 are read"),
        (Attachment("photo.png", b"\x89PNG\x00\x00"), ".png: this kind is not read; known: plain text, code, .csv"),
        (Attachment("gone.md", ref="fake:3"), "is gone"),
        (Attachment("other.md", ref="other:3"), "cannot be fetched: no such door is open"),
        (Attachment("empty.txt"), "is empty"),
        (Attachment("bad.pdf", b"%PDF-1.7 broken"), "is not a PDF that can be read"),
    ],
    ids=lambda value: value.name if isinstance(value, Attachment) else "",
)
async def test_what_cannot_be_read_is_named_with_the_reason(
    reader: UploadReader, file: Attachment, problem: str
) -> None:
    upload = await reader.read(file)
    assert upload.problem.startswith(problem)
    assert upload.sections == ()


async def test_a_door_that_is_away_is_asked_again_later(reader: UploadReader) -> None:
    with pytest.raises(DoorUnavailable):
        await reader.read(Attachment("leave.md", ref="fake:away"))
