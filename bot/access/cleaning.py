"""Makes text inert: no link to an unlisted host, no image, no mention, no invisible character survives.

A chat server that fetches the preview of a link leaks whatever the link carries, and a mention rings people who were not
asked. What a model or a document wrote therefore reaches a room as plain words. Patterns are matched on the NFKC form,
so that full-width or stylised spellings count, but only the matched stretch of the original is replaced: ordinary
Japanese punctuation stays as it was written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection
from urllib.parse import urlsplit

REMOVED_LINK = "[link removed]"
REMOVED_MENTION = "[mention removed]"

_TLDS = (
    "com|net|org|io|ai|dev|app|info|biz|co|me|xyz|site|online|shop|store|tech|cloud|page|link|click|top|ru|cn|de|fr|uk|us|jp|"
    "kr|in|eu|nl|se|no|ch|at|be|it|es|pl|br|au|ca|tv|cc|ws|gg|ly|sh|to|gov|edu|mil|int|zip|mov|example|test|onion"
)
_IMAGE = r"!\[[^\]]*\]\s*(?:\([^)]*\)|\[[^\]]*\])"
_INLINE = r"\[(?:[^\[\]]|\[[^\[\]]*\])*\]\s*\(\s*[^)]*\)"  # an image may stand in a link's text
_REFERENCE = r"(?m:^[ ]{0,3}\[(?!\d+\]:?\s)[^\]]+\]:\s*\S+.*$)"
_SLACK_LINK = r"<[a-z][a-z0-9+.-]*:[^>]*>"
_SCHEME = r"\b(?:[a-z][a-z0-9+.-]*:[\\/]+|mailto:|data:|javascript:|tel:|slack:|file:)[^\s<>\"']*"
_WWW = r"\bwww\.[^\s<>\"']+"
_EMAIL = r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b"
_DOMAIN = rf"(?<![\w@.])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:{_TLDS})\b(?![.-]?\w)(?:[:/?#][^\s<>\"']*)?"
_ADDRESS = r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?/[^\s<>\"']*"
_LINK = re.compile("|".join((_IMAGE, _INLINE, _REFERENCE, _SLACK_LINK, _SCHEME, _WWW, _EMAIL, _DOMAIN, _ADDRESS)), re.I)
_MENTION = re.compile(
    r"<[!@#][^>]*>|<at\b[^>]*>.*?</at>|(?<![\w.])@(?:channel|here|everyone|all|group|[UWS][A-Z0-9]{6,})\b", re.I | re.S
)
_FENCED = re.compile(r"(^```[\w+-]*\n(?:(?!^```).*\n)*^```[ ]*$)", re.M)
_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+", re.ASCII)
_HTML = re.compile(r"</?(?:a|img|script|iframe|svg|object|embed|link|meta|base|form|video|audio|style)\b[^>]*>", re.I)


def clean(text: str, hosts: Collection[str] = ()) -> str:
    """The text without anything a chat client would follow, fetch or ring; plain https links to `hosts` stay.

    In a block of code a bare name such as ``logging.info`` stays too: no client makes a link of it there.
    """
    text = _visible(text)
    text = _replace(text, _HTML, lambda _: "")
    text = _replace(text, _MENTION, lambda _: REMOVED_MENTION)
    pieces = _FENCED.split(text)
    return "".join(
        _replace(piece, _LINK, lambda found, code=place % 2 == 1: _kept(found, hosts, code))  # type: ignore[misc]
        for place, piece in enumerate(pieces)
    )


def _kept(found: str, hosts: Collection[str], code: bool) -> str:
    inert = code and _NAME.fullmatch(found)
    return found if inert or _allowed(found, hosts) else REMOVED_LINK


def _visible(text: str) -> str:
    """Without format characters (zero width, bidirectional, tags), variation selectors and controls."""
    return "".join(c for c in text if c in "\n\t" or not _hidden(c))


def _hidden(char: str) -> bool:
    return (
        unicodedata.category(char) in {"Cf", "Cc", "Co", "Cn"} or "\ufe00" <= char <= "\ufe0f" or char >= "\U000e0100"
    )


def _replace(text: str, pattern: re.Pattern[str], by: Callable[[str], str]) -> str:
    folded, origin = _fold(text)
    pieces: list[str] = []
    end = 0
    for match in pattern.finditer(folded):
        start, stop = origin[match.start()], origin[match.end() - 1] + 1
        if start < end:
            continue
        pieces += [text[end:start], by(text[start:stop])]
        end = stop
    return "".join([*pieces, text[end:]])


def _fold(text: str) -> tuple[str, list[int]]:
    """The NFKC form, and for each of its characters the place in `text` it came from."""
    folded: list[str] = []
    origin: list[int] = []
    for place, char in enumerate(text):
        normal = "." if char in "。｡" and _between_latin(text, place) else unicodedata.normalize("NFKC", char)
        folded.append(normal)
        origin += [place] * len(normal)
    return "".join(folded), origin


def _between_latin(text: str, place: int) -> bool:
    """Whether an ideographic full stop stands inside a Latin word, where browsers read it as a dot."""
    around = text[place - 1 : place] + text[place + 1 : place + 2]
    return len(around) == 2 and all(unicodedata.normalize("NFKC", c).isascii() and c.isalnum() for c in around)


def _allowed(link: str, hosts: Collection[str]) -> bool:
    """Only `https://host/path` exactly: no user, port, query, fragment or backslash, nothing percent-encoded."""
    if not hosts or not re.fullmatch(r"https://[A-Za-z0-9.-]+(?:/[\w./~-]*)?", link, re.ASCII):
        return False
    return urlsplit(link).hostname in hosts
