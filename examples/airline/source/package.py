"""Office files with the same bytes each time: fixed times inside, nothing compressed, so that no zlib can differ."""

from __future__ import annotations

import re
import zipfile
from datetime import datetime
from io import BytesIO
from pathlib import Path

_STAMP = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(</dcterms:\2>)")


def write_package(packed: BytesIO, path: Path, made: datetime) -> None:
    """Write a DOCX, PPTX or XLSX to `path` with `made` as the time of everything in it."""
    stamp = made.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    with zipfile.ZipFile(packed) as given, zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as made_of:
        for member in given.infolist():
            if (
                member.filename == "docProps/thumbnail.jpeg"
            ):  # a picture of the library's template, not of this document
                continue
            content = given.read(member)
            if member.filename == "docProps/core.xml":
                content = _STAMP.sub(rb"\g<1>" + stamp + rb"\g<3>", content)
            if member.filename == "_rels/.rels":
                content = re.sub(rb"<Relationship [^>]*thumbnail[^>]*/>", b"", content)
            entry = zipfile.ZipInfo(member.filename, made.timetuple()[:6])
            entry.external_attr = 0o644 << 16
            entry.create_system = 3  # the same on every system
            made_of.writestr(entry, content)
