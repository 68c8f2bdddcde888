"""PDF to sections, page by page: running text is joined to paragraphs, rows of a table keep their cells apart."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

from bot.errors import UnreadableDocument
from bot.types import Section
from connectors.sources.pages import GAP, unfolded, whole_rows, without_furniture

MAX_PAGES = 5_000
FULL_WIDTH = 0.3
"""The share of full-width characters from which a page is laid out in columns half as wide: else its cells touch."""
USUAL_WEIGHT = 1.25
"""pypdf's own: the more, the narrower the columns."""
_WIDE = re.compile(r"[\u2e80-\uffef]")
_BULLET = re.compile(r"([●○•▪■◆・*–-]|\(?\d{1,2}(?:\.\d+)*[.)]?|\(?[a-z][.)])\s+(?=\S)")
"""A list sign or number before an item: the gap behind it does not make the line a row."""
SHORT_LINE = 0.6
"""A line under this share of the page's widest one is the last of its paragraph."""
_APART = re.compile(r"(?<=\d) (?=[年月日時分秒週歳人名回台個件本枚度万億兆千円%])")
"""The space that typesetting leaves between a number and its Japanese counter."""
_JAPANESE_END = re.compile(r"[\u3040-\u30ff\u3400-\u9fff、。]$")


def pdf(raw: bytes) -> tuple[str, Iterator[Section]]:
    """The title and the sections, a page each. Raises UnreadableDocument for encrypted files and for too many pages."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(io.BytesIO(raw), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise UnreadableDocument("is encrypted; remove the password first")
        claimed = _claimed(reader)
        count = claimed if claimed > MAX_PAGES else len(reader.pages)
    except (PyPdfError, KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableDocument(f"is not a PDF that can be read: {error}") from error
    if count > MAX_PAGES:
        raise UnreadableDocument(f"has {count:,} pages; at most {MAX_PAGES:,} are read")
    if not count:
        raise UnreadableDocument("is not a PDF that can be read: it has no page")
    return str(reader.metadata.title or "") if reader.metadata else "", _pages(reader)


def _claimed(reader: Any) -> int:
    """How many pages the file says it has: walking a tree of a million takes longer than reading one number."""
    claimed = reader.root_object["/Pages"].get("/Count", 0)
    return claimed if isinstance(claimed, int) else 0


def _pages(reader: Any) -> Iterator[Section]:
    pages = without_furniture([_laid_out(page).splitlines() for page in reader.pages])
    headings = _outline(reader)
    current: tuple[str, ...] = ()
    for number, lines in enumerate(pages, 1):
        current = headings.get(number, current)
        yield Section("\n".join(_blocks(whole_rows(unfolded(lines)))), current, number)


def _laid_out(page: Any) -> str:
    """The text of a page with each word about where it stands on paper. A full-width character is one column, as a digit is."""
    text = str(page.extract_text(extraction_mode="layout", layout_mode_space_vertically=True))
    if len(_WIDE.findall(text)) < FULL_WIDTH * len("".join(text.split())) or not text.strip():
        return text
    return str(
        page.extract_text(
            extraction_mode="layout", layout_mode_space_vertically=True, layout_mode_scale_weight=2 * USUAL_WEIGHT
        )
    )


def _outline(reader: Any) -> dict[int, tuple[str, ...]]:
    """The first bookmark of each page that has one, with those above it."""
    found: dict[int, tuple[str, ...]] = {}

    def walk(entries: list[Any], above: tuple[str, ...]) -> None:
        last = above
        for entry in entries:
            if isinstance(entry, list):
                walk(entry, last)
                continue
            last = (*above, str(entry.title))
            number = reader.get_destination_page_number(entry)
            if number is not None:
                found.setdefault(number + 1, last)

    walk(reader.outline, ())
    return found


def _blocks(page: Iterable[str]) -> Iterator[str]:
    """Paragraphs and table rows of a page in layout form, each on a line.

    A line with wide gaps is a row. A list sign begins a paragraph, and a line much shorter than the widest one ends it.
    """
    lines: list[str] = []
    stripped = [line.strip() for line in page]
    short = SHORT_LINE * max((len(line) for line in stripped if not GAP.search(line)), default=0)
    for raw in [*stripped, ""]:
        bullet = _BULLET.match(raw)
        line = f"{bullet.group(1)} {raw[bullet.end() :]}" if bullet and len(GAP.split(raw)) == 2 else raw
        row = GAP.search(line) is not None
        if lines and (not line or row or bullet or len(lines[-1]) < short or _heads(lines[-1], line, short)):
            yield _joined(lines)
            lines = []
        if row:
            yield " | ".join(GAP.split(line))
        elif line:
            lines.append(line)


def _heads(before: str, line: str, short: float) -> bool:
    """Whether a short line behind a finished sentence may be a heading; if it is not, no sentence is cut."""
    return len(line) < short and before.endswith((".", "!", "?", "。"))


def _joined(lines: list[str]) -> str:
    """Lines of one paragraph: hyphenated words are closed, Japanese lines meet without a space."""
    text = ""
    for line in lines:
        if text.endswith("-") and line[:1].islower():
            text = text[:-1] + line
        elif _JAPANESE_END.search(text):
            text += line
        else:
            text = f"{text} {line}" if text else line
    return _APART.sub("", text)
