"""Letters without a model: a person's own points in a polite frame, and the few changes of style that rules can make.

Nothing is added that somebody could hold the sender to; what is not known is left open in square brackets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.assistant.grounding import MARKER
from bot.assistant.wishes import Tone, without_form
from bot.language import Language

_DEEDS = (
    "accept|acknowledge|announce|apologi[sz]e|cancel|confirm|congratulate|decline|invite|offer|postpone|promise|propose|recommend"
    "|refuse|reject|remind|request|suggest|thank|warn|welcome|withdraw"
)
_POINT = re.compile(
    r"\b(?:that says|which says|saying|says|that explains|explaining|and say|tell (?:them|him|her)|to say|back|inform\w* \w+)"
    r"(?: that)? (?P<says>.+)$"
    rf"|\b(?:that|which|to) (?P<does>(?:{_DEEDS})(?:e?s)? .+)$"
    r"|\b(?:thank[- ]?you|thanks)\b[^.]{0,80}? (?P<thanks>for .+)$|\bapolog(?:y|ies)\b[^.]{0,80}? (?P<sorry>for .+)$"
    r"|\binvitations?\b[^.]{0,80}? for (?P<invites>.+)$|\bcongratulations?\b[^.]{0,80}? (?P<joy>(?:on|for) .+)$"
    r"|\b(?:that|because) (?P<that>.+)$"
    r"|\b(?:asking|to ask) (?P<asks>.+)$"
    r"|; ?(?P<then>.+)$"
    r"|\b(?:about|regarding|concerning|on(?= (?:the|our|your|how|why|an?)\b)) (?P<about>.+)$",
    re.I | re.S,
)
_POINT_JA = re.compile(
    r"^(?P<says>.+?)(?:こと|旨)を\S{0,8}?(?:伝え|知らせ|説明|報告)"
    r"|^(?P<quotes>.+?)と\S{0,4}?(?:伝え|返事|返信|書い)"
    r"|^(?P<asks>.+?)を(?:聞く|尋ねる|お願いする|依頼する)"
    r"|^(?P<about>.+?)(?:を\S{0,6}?(?:伝え|知らせ|説明|報告)|について|に関する|へ?の(?:お知らせ|案内|お礼|お詫び|督促))"
)
_TO = re.compile(
    r"\bto (?P<name>(?:Mr|Ms|Mrs|Dr|Prof)\.? [A-Z][\w'-]+|(?!English|Japanese|German|French|Spanish)[A-Z][a-z]+(?: [A-Z][a-z]+)?)"
    r"|(?P<whom>[\w\u3040-\u9fff]{1,12}?)(?:様|さん)(?:への|に|宛)"
)
_TO_JA = re.compile(
    r"^\S{0,8}?(?:取引先|顧客|お?客様?|部長|課長|社長|上司|同僚|チーム|全員|社員|皆|担当者?|先方|部下|乗客|先生|会社|様|さん|部|課|社)"
    r"(?:の皆様|各位|たち)?(?:に(?:対して)?|へ|宛に?)、?(?=\S+?[がはを])"
)
"""Whom a Japanese request is for, before what it says."""
_REPLY = re.compile(r"\b(?:reply|answer|respond|response|write back)\b|返信|返事|回答", re.I)
_TAIL = re.compile(
    r"[,;]? (?:please|but be (?:nice|kind|polite)|in (?:english|japanese)|in a \w+ (?:tone|way))[.!]?$", re.I
)
_WHOM = re.compile(r"^(?:them|him|her)\b", re.I)
_LISTED = re.compile(r"^\s*(?:[-*•・]|\d{1,2}[.)])\s*")
_SHORT_FORMS = (
    (r"\bcan't\b", "cannot"),
    (r"\bwon't\b", "will not"),
    (r"n't\b", " not"),
    (r"\bI'm\b", "I am"),
    (r"'re\b", " are"),
    (r"'ll\b", " will"),
    (r"'ve\b", " have"),
    (r"\basap\b", "as soon as possible"),
    (r"\bur\b", "your"),
    (r"\bpls\b", "please"),
    (r"\b(?:hey|hi) (?=\w)", "Dear "),
    (r"\bthx\b|\bthanks\b", "thank you"),
)
_EMPTY = (
    (
        r"\b(?:I|we) (?:just |simply |only )?(?:(?:want|wish|would like|'d like)(?:ed)? to|(?:am|are) writing to)"
        r"(?: (?:reach out|get in touch|write)(?: (?:to|with) you)?(?: in order)? to)?"
        r" (?:let you know|inform you|tell you|say)(?: that)?,? ",
        "",
    ),
    (r"\bplease (?:note|be advised|be informed) that ", ""),
    (r"\bas you (?:may |might )?(?:already )?know,? ", ""),
    (r"\bit should be noted that ", ""),
    (r"\bin order to\b", "to"),
    (r"\bdue to the fact that\b", "because"),
    (r"\bat this point in time\b", "now"),
    (r"\bin the event that\b", "if"),
)
_ORDER = re.compile(
    r"(?:(?<=[.!?] )|^)(?:please )?(?P<verb>send|give|tell|call|check|fix|bring|reply|answer|confirm|let|finish|deliver|return"
    r"|update|review|explain|stop|pay)\b(?P<rest>[^.!?]{0,500})[.!]",
    re.I | re.M,
)


BLANKS = ("[what you would like to say]", "[お伝えしたい内容]")
"""What stands where a request does not say what is to be said."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around the points of a letter. `greeting` has the place `{name}`; `about` has `{what}`."""

    nobody: str
    greeting: str
    reply: str
    opening: str
    about: str
    asks: str
    blank: str
    closing: str


_ENGLISH: Mapping[str, Frame] = {
    tone: Frame(
        "[name]",
        greeting,
        "Thank you for your message.",
        opening,
        "I am writing about {what}.",
        "I would like to ask {what}.",
        BLANKS[0],
        closing,
    )
    for tone, greeting, opening, closing in (
        ("plain", "Dear {name},", "", "Thank you.\n\nKind regards,\n[your name]"),
        ("formal", "Dear {name},", "", "Thank you for your understanding.\n\nKind regards,\n[your name]"),
        ("friendly", "Hi {name},", "I hope you are well.", "Many thanks!\n\nBest wishes,\n[your name]"),
        ("firm", "Dear {name},", "", "I look forward to your prompt reply.\n\nKind regards,\n[your name]"),
        (
            "apologetic",
            "Dear {name},",
            "Please accept our apologies.",
            "Thank you for your understanding.\n\nKind regards,\n[your name]",
        ),
    )
}
_JAPANESE: Mapping[str, Frame] = {
    tone: Frame(
        "[宛名]",
        "{name}様",
        "ご連絡いただきありがとうございます。",
        opening,
        "{what}についてご連絡いたします。",
        "{what}を伺いたく、ご連絡いたしました。",
        BLANKS[1],
        closing,
    )
    for tone, opening, closing in (
        ("plain", "お世話になっております。", "よろしくお願いいたします。\n\n[お名前]"),
        ("formal", "いつも大変お世話になっております。", "何卒よろしくお願い申し上げます。\n\n[お名前]"),
        ("friendly", "お疲れ様です。", "よろしくお願いします。\n\n[お名前]"),
        ("firm", "お世話になっております。", "早急にご対応くださいますようお願いいたします。\n\n[お名前]"),
        (
            "apologetic",
            "お世話になっております。\nこのたびはご迷惑をおかけし、誠に申し訳ございません。",
            "何卒ご容赦くださいますようお願い申し上げます。\n\n[お名前]",
        ),
    )
}


_FRAMES = (*_ENGLISH.values(), *_JAPANESE.values())
_GREETING = re.compile(r"(?:(?:Dear|Hi) (?P<name>[^\n,]+),|(?P<ja>[^\n]+?)様)\n\n")


@dataclass(frozen=True, slots=True)
class Written:
    """What a letter in one of the frames says, and to whom."""

    name: str
    points: str


def letter(request: str, notes: str, tone: Tone, written: Language, name: str = "") -> str:
    """A letter that says what the request and the notes say, in their own words, to whom the request or `name` says."""
    frame = (_ENGLISH if written == "en" else _JAPANESE)[tone]
    addressed = _TO.search(request)
    name = (addressed["name"] or addressed["whom"]) if addressed else name or frame.nobody
    opening = [frame.reply] if _REPLY.search(request) else []
    points = _points(notes) or _points_of(request, frame) or [frame.blank]
    body = "\n".join(points) if written == "ja" or len(points) > 2 else " ".join(points)
    opened = (
        " ".join([*filter(None, [frame.opening]), *opening])
        if written == "en"
        else "\n".join([*filter(None, [frame.opening]), *opening])
    )
    return "\n\n".join(filter(None, [frame.greeting.format(name=name), opened, body, frame.closing]))


def read(text: str) -> Written | None:
    """What a letter in one of the frames says; None if the text is no such letter, or a blank one."""
    greeted = _GREETING.match(text)
    if not greeted:
        return None
    around = {paragraph for frame in _FRAMES for paragraph in _around(frame)}
    kept = [one for one in text[greeted.end() :].strip().split("\n\n") if one not in around and one not in BLANKS]
    name = greeted["name"] or greeted["ja"]
    nobody = name in {frame.nobody for frame in _FRAMES}
    return Written("" if nobody else name, "\n\n".join(kept)) if kept else None


def _around(frame: Frame) -> Iterator[str]:
    """The paragraphs that a frame puts around the points."""
    join = " " if frame.greeting.endswith(",") else "\n"
    for opening in ((frame.opening,), (frame.reply,), (frame.opening, frame.reply)):
        yield join.join(filter(None, opening))
    yield from frame.closing.split("\n\n")


def tightened(text: str) -> str:
    """An English text without phrases that say nothing."""
    changed = text
    for long, short in _EMPTY:
        changed = re.sub(long, short, changed, flags=re.I)
    return re.sub(r"(?:(?<=[.!?] )|^)[a-z]", lambda found: found.group().upper(), changed)


def rephrased(text: str, tone: Tone) -> str:
    """An English text with its short forms written out and its orders put as requests; anything else as it was."""
    if tone == "friendly":
        return text
    changed = text
    for short, long in _SHORT_FORMS:
        changed = re.sub(short, long, changed, flags=re.I)
    changed = _ORDER.sub(lambda found: f"Could you please {found['verb'].lower()}{found['rest']}?", changed)
    return re.sub(r"(?:(?<=[.!?] )|^)[a-z]", lambda found: found.group().upper(), changed)


def _points(notes: str) -> list[str]:
    """Notes as sentences, a line each."""
    lines = [_LISTED.sub("", line).strip() for line in notes.splitlines()]
    return [_sentence(line) for line in lines if line]


def _points_of(request: str, frame: Frame) -> list[str]:
    """What a request says is to be said."""
    plain = _TAIL.sub("", without_form(request).rstrip("."))
    english, japanese = _POINT.search(plain), _POINT_JA.search(_TO_JA.sub("", plain))
    if frame.greeting.endswith("様"):
        return _said(japanese, lambda says: f"{says}ことをお知らせいたします。", frame) or _said(
            english, _sentence, frame
        )
    return _said(english, _sentence, frame) or _said(japanese, _sentence, frame)


def _said(found: re.Match[str] | None, says: Callable[[str], str], frame: Frame) -> list[str]:
    if found is None:
        return []
    kind, text = next((kind, text) for kind, text in found.groupdict().items() if text)
    text = text.strip(" .。")
    forms: dict[str, Callable[[str], str]] = {
        "about": lambda what: frame.about.format(what=what),
        "asks": lambda what: frame.asks.format(what=what),
        "says": says,
        "does": _deed,
        "invites": lambda what: _sentence(f"I would like to invite you to {what}"),
        "thanks": lambda what: _sentence(f"Thank you {what}"),
        "sorry": lambda what: _sentence(f"I apologize {what}"),
        "joy": lambda what: _sentence(f"Congratulations {what}"),
    }
    return [forms.get(kind, _sentence)(text)]


def _sentence(text: str) -> str:
    """A point as a sentence: it begins with a capital, and has an end before the marker of its source."""
    said = MARKER.sub("", text)
    ended = said != text or said.endswith((".", "!", "?", "。", "！", "？", ":", "："))
    end = "" if ended else "." if text.isascii() else "。"
    return f"{text[:1].upper()}{text[1:]}{end}"


def _deed(text: str) -> str:
    """What a letter is to do, as its writer says it: "declines the invitation", "reminds them of the form"."""
    verb, _, rest = text.partition(" ")
    base = re.match(rf"(?:{_DEEDS})", verb, re.I)
    return _sentence(f"I would like to {(base[0] if base else verb).lower()} {_WHOM.sub('you', rest, count=1)}")


def says(request: str) -> bool:
    """Whether a request says itself what is to be said."""
    return bool(_points_of(request, _ENGLISH["plain"]))


def is_reply(request: str) -> bool:
    """Whether a request is for an answer to something."""
    return bool(_REPLY.search(request))


def kept_names(request: str) -> Sequence[str]:
    """The people that a request names."""
    return [found["name"] or found["whom"] for found in _TO.finditer(request)]
