"""Which dotted names are names of hosts, as chat clients read them: `evil.live/x` and `evil.club`, not `report.md`.

With something behind it (a path, a query, a port) a name is a link whatever it ends in. A bare one is a link if it ends
in a top-level domain: those of the root zone are in tlds.txt. In code, which no client searches for links, only the
domains that are known to everybody count.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

NAME = r"(?P<name>(?<![\w-])(?<![\w-]\.)(?:[\\/]{2})?[\w-]++(?:\\?\.[\w-]++)++)"
LATIN_NAME = r"(?P<latin>(?<![a-z0-9_-])(?<![a-z0-9_-]\.)(?:[\\/]{2}|@)?[a-z0-9_-]++(?:\\?\.[a-z0-9_-]++)++)"
"""A name inside of text that is written without spaces, such as Japanese."""

_BEHIND = re.compile(r"\.?(?P<port>:\d{1,5}\b)?(?P<asks>[/\\]|[?#][\w%&=])?")
_REST = re.compile(r"[^\s<>\"']*")
_COMMON = frozenset(
    "com net org io ai dev app info biz co me xyz site online shop store tech cloud page link click top ru cn de fr uk us jp "
    "kr in eu nl se no ch at be it es pl br au ca tv cc ws gg ly sh to gov edu mil int zip mov example test onion".split()
)
_FILES = frozenset("md py rs".split())
"""Top-level domains that are mostly the ends of file names."""
_ENDINGS = frozenset(
    "js jsx ts tsx mjs cjs json jsonl yaml yml toml ini cfg conf env lock txt csv tsv xml html htm css scss pdf doc docx "
    "xls xlsx ppt pptx odt ods png jpg jpeg gif svg webp go java kt swift rb php lua sql cpp hpp cs gz tar bz2 xz "
    "ipynb log tex bib wav mp3 mp4".split()
)
"""Other ends of file names."""
_OPENERS = frozenset("am as do here how is my new next now one so today".split())
"""Top-level domains with which a sentence may begin right behind the full stop of the one before."""
_LATIN_END = re.compile(r"[a-z]{2,}|xn--[a-z0-9-]+")
_IDENTIFIERS = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+", re.ASCII)


def end_of_link(text: str, start: int, stop: int, code: bool) -> int | None:
    """Where the link ends that the name between two places of a text begins; None if it is no host's name."""
    name = text[start:stop].lstrip("/\\@").replace("\\", "").strip("_-")
    labels = name.split(".")
    behind = _BEHIND.match(text, stop)
    port, asks = behind and behind["port"], behind and behind["asks"]
    listed = labels[-1].lower() in (_COMMON if code else top_level())
    if code:
        found = listed and bool(port or asks or not _IDENTIFIERS.fullmatch(name))
    elif asks:
        found = listed or _unlisted(labels)
    elif port:
        found = labels[-1].lower() not in _FILES | _ENDINGS and (listed or _unlisted(labels))
    else:
        found = (listed or labels[-1].lower().startswith("xn--")) and not _plain(labels)
    if not found:
        return None
    return _REST.match(text, stop).end() if port or asks else stop  # type: ignore[union-attr]  # matches everywhere


@cache
def top_level() -> frozenset[str]:
    """The top-level domains of the root zone, and three that are reserved or outside of it."""
    return frozenset(files("bot.access").joinpath("tlds.txt").read_text(encoding="utf-8").split())


def _unlisted(labels: list[str]) -> bool:
    """Whether a name that is followed by a path may be one of a host, though its end is not in the list."""
    end = labels[-1].lower()
    return bool(_LATIN_END.fullmatch(end)) and end not in _ENDINGS and any(c.isalpha() for c in labels[-2])


def _plain(labels: list[str]) -> bool:
    """Whether a bare name that ends like a host's is a file's, a heading's number or the end of a sentence."""
    first, end = labels[-2:]
    if "_" in first:  # no host that can be registered has one there
        return True
    if len(labels) > 2:
        return False
    if end.lower() in _FILES:
        return True
    if not end[0].isupper():
        return False
    if not first.isascii():
        return first.lower() == first.upper()  # Japanese, and then a word that begins a sentence
    if not end[1:].islower():
        return False
    return (end.lower() in _OPENERS and first.islower()) or first.isdigit() or (len(first) == 1 and first.isupper())
