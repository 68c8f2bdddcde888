"""Makes text inert: no link to an unlisted host, no image, no mention, no invisible character survives.

A chat server that fetches the preview of a link leaks whatever the link carries, and a mention rings people who were not
asked. What a model or a document wrote therefore reaches a room as plain words. Patterns are matched on the NFKC form,
so that full-width or stylised spellings count, but only the matched stretch of the original is replaced: ordinary
Japanese punctuation stays as it was written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from urllib.parse import urlsplit

from bot.access.hostnames import LATIN_NAME, NAME, end_of_link

REMOVED_LINK = "[link removed]"
REMOVED_MENTION = "[mention removed]"

# Repetitions that may be tried from many places have a limit, so that no text takes time by the square of its length;
# what is longer loses its target all the same, by the pattern for targets.
_IMAGE = r"!\[[^\]]{0,999}\]\s{0,99}(?:\([^)]{0,999}\)|\[[^\]]{0,999}\])"
_INLINE = r"\[(?:[^\[\]]|\[[^\[\]]*\])*+\]\s{0,99}\([^)]{0,999}\)"  # an image may stand in a link's text
_TARGET = r"(?<=\])\([^)\s]{0,999}\)?"
_REFERENCE = (
    r"(?m:^[ ]{0,3}\[(?!\d+\]:?\s)[^\]]{1,999}\]:\s{0,99}\S+.*$"
    # a number is a source of ours, unless what follows is one address, with or without a title
    r"|^[ ]{0,3}\[\d+\]:\s{0,99}(?=\S*[/\\:#?%@<]|\S*\.\w)\S+(?:\s{1,99}(?:\"[^\"\n]*\"|'[^'\n]*'|\([^)\n]*\)))?[ \t]*$)"
)
_SLACK_LINK = r"<[a-z][a-z0-9+.-]*+:(?!\s)[^<>]*+>"  # no client makes one of `<T: Clone>`
_SCHEME = (
    r"(?<![a-z])(?:[a-z][a-z0-9+.-]{0,30}:[\\/]+"
    r"|(?:mailto|data|javascript|vbscript|tel|sms|sip|callto|slack|file):(?=\S))[^\s<>\"']*"
)
_WWW = r"(?<![a-z0-9])www\.[^\s<>\"']+"
_EMAIL = r"(?<![\w.+-])[\w.+-]++@[\w-]+(?:\.[\w-]+)+\b(?:[/?#@][^\s<>\"']+)?"
_ADDRESS = r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?[/?#][^\s<>\"']*"
_MARKUP = (_IMAGE, _INLINE, _TARGET, _REFERENCE, _SLACK_LINK, _SCHEME, _WWW, _EMAIL, _ADDRESS)
_LINK = re.compile("|".join((*_MARKUP, LATIN_NAME)), re.I)
_FOREIGN = re.compile(NAME, re.I)
_MENTION = re.compile(
    r"<[!@#][^<>]*+>|<at\b[^<>]*+>.{0,99}?</at>|</?at\b[^<>]*+>"
    r"|(?<![\w.])@(?:channel|here|everyone|all|group|[UWS][A-Z0-9]{6,})\b",
    re.I | re.S,
)
_CALLED = re.compile(r"(?:\[(?:[^\[\]!]|\[[^\[\]!]*\])*+\])?\s*\(((?::(?=\s|$)|[^:/\\@?#%&])*)\)?")
"""What looks like a link in code and is none: a call of what stands in brackets, as in ``handlers[name](event)``."""
_FENCED = re.compile(r"(^```[\w+-]*\n(?:(?!^```).*\n)*^```[ ]*$)", re.M)
_SPAN = re.compile(r"`[^`\n]+`")
_TAGS = "a|img|script|iframe|svg|object|embed|link|meta|base|form|video|audio|style"
_FETCHES = r"src|srcset|href|background|poster|data|action|formaction|style|ping|cite|longdesc|profile|manifest|on\w+"
_HTML = re.compile(
    rf"</?(?:{_TAGS})\b[^<>]*+>"
    rf"|<[a-z](?=[^<>]*+>)[^<>]*?[\s/\"'](?:\w+:)?(?:{_FETCHES})\s*=[^<>]*+>"
    rf"|</?(?:{_TAGS})\b[^>]{{0,999}}>",
    re.I,
)


def clean(text: str, hosts: Collection[str] = ()) -> str:
    """The text without anything a chat client would follow, fetch or ring.

    Plain https links to `hosts`, and bare mail addresses at them, stay.

    In a block or span of code a bare name such as ``logging.info`` and a call such as ``handlers[name](event)`` stay too:
    no client makes a link of them there.
    """
    text = _visible(text)
    text = _replace(text, _HTML, "")
    text = _replace(text, _MENTION, REMOVED_MENTION)
    pieces = _FENCED.split(text)
    return "".join(_without_links(piece, hosts, place % 2 == 1) for place, piece in enumerate(pieces))


def _without_links(text: str, hosts: Collection[str], fenced: bool) -> str:
    text = _replace(text, _LINK, REMOVED_LINK, hosts, fenced)
    return text if fenced or text.isascii() else _replace(text, _FOREIGN, REMOVED_LINK)


def _visible(text: str) -> str:
    """Without format characters (zero width, bidirectional, tags), variation selectors and controls."""
    return "".join(c for c in text if c in "\n\t" or not _hidden(c))


def _hidden(char: str) -> bool:
    return (
        unicodedata.category(char) in {"Cf", "Cc", "Co", "Cn"} or "\ufe00" <= char <= "\ufe0f" or char >= "\U000e0100"
    )


def _replace(text: str, pattern: re.Pattern[str], by: str, hosts: Collection[str] = (), fenced: bool = False) -> str:
    """Replace what a pattern finds in the NFKC form; a name only if it is a host's."""
    folded, origin = _fold(text)
    code = b"\1" * len(folded) if fenced else _spans(folded)
    pieces: list[str] = []
    end = place = 0
    while match := pattern.search(folded, place):
        place = match.end()
        if match.lastgroup:
            stop = end_of_link(folded, match.start(), place, bool(code[match.start()]))
            typed = text[origin[match.start()] : origin[place - 1] + 1]
            if stop is None or (match.lastgroup == "name" and ("." not in typed or typed.isascii())):
                continue  # a full-width stop ends a Japanese sentence; a name in Latin letters was judged before
            place = stop
        elif code[match.start()] and (call := _CALLED.fullmatch(match[0])) and _replace(call[1], _LINK, "") == call[1]:
            place = match.start() + 1  # what stands inside is looked at by itself
            continue
        first, last = origin[match.start()], origin[place - 1] + 1
        if first < end:
            continue
        found = text[first:last]
        pieces += [text[end:first], found if _allowed(found, hosts) else by]
        end = last
    return "".join([*pieces, text[end:]])


def _spans(text: str) -> bytes:
    """For each character, whether it surely stands in a span of code: where the ticks of any line are odd, none does."""
    inside = bytearray(len(text))
    plain = "``" not in text and "\\`" not in text and all(line.count("`") % 2 == 0 for line in text.splitlines())
    for match in _SPAN.finditer(text) if plain else ():
        around = text[max(0, match.start() - 1) : match.start()] + text[match.end() : match.end() + 1]
        if not re.search(r"\w", around):
            inside[match.start() : match.end()] = b"\1" * len(match[0])
    return bytes(inside)


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
    """Only `name@host`, and `https://host/path`: no user, port, query, fragment or backslash, nothing percent-encoded."""
    if address := re.fullmatch(r"[\w.+-]+@([a-z0-9.-]+)", link, re.ASCII):
        return address[1] in hosts
    if not hosts or not re.fullmatch(r"https://[A-Za-z0-9.-]+(?:/[\w./~-]*)?", link, re.ASCII):
        return False
    return urlsplit(link).hostname in hosts
