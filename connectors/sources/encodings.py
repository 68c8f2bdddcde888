"""Bytes to text: UTF-8 and UTF-16, the encodings of Japanese offices, and those of Western ones."""

from __future__ import annotations

import re

from bot.errors import UnreadableDocument

_DECLARED = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([\w-]{2,40})", re.I)
_JAPANESE = re.compile(r"[\u3040-\u30ff]|[\u3005\u3400-\u9fff]{2}")
"""A kana, or two kanji together: Western bytes read as Shift JIS give lonely kanji."""
_HALF_WIDTH = re.compile(r"[\uff61-\uff9f]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def decode(raw: bytes) -> str:
    """The text of a file that does not say its encoding. Raises UnreadableDocument if it is no text."""
    text = _decoded(raw).replace("\r\n", "\n").replace("\r", "\n")
    if len(_CONTROL.findall(text[:4096])) > 8 + len(text[:4096]) // 50:
        raise UnreadableDocument("is not text")
    return text


def decode_html(raw: bytes) -> str:
    """The text of a page that may say its encoding in its first two kilobytes."""
    declared = _DECLARED.search(raw[:2048])
    if declared:
        try:
            return raw.decode(declared.group(1).decode())
        except (LookupError, UnicodeDecodeError):
            pass  # a wrong declaration: as if there were none
    return decode(raw)


def _decoded(raw: bytes) -> str:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return raw.decode("utf-16", "replace")
    unicode = _as(raw, "iso2022_jp" if b"\x1b$" in raw else "utf-8-sig")
    if unicode:
        return unicode
    japanese = [text for text in (_as(raw, "cp932"), _as(raw, "euc_jp")) if text and _JAPANESE.search(text)]
    if japanese:
        return min(japanese, key=lambda text: len(_HALF_WIDTH.findall(text)))
    return _as(raw, "cp1252") or raw.decode("latin-1")


def _as(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return ""
