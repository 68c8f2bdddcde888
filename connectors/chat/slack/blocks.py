"""What a post looks like in Slack: Markdown, the sources as links, the thumbs; and plain text for notifications."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import Any

from bot.language import language
from bot.ports import Post
from bot.types import Citation
from connectors.chat.slack.phrases import phrases

Block = dict[str, Any]

FEEDBACK = "rolecall_feedback"
"""The action of the thumbs; their values are ``good:ANSWER`` and ``bad:ANSWER``."""
NOTICE_LIMIT = 3_000
"""Characters of the text that notifications and screen readers get."""
_IN_A_ROW = 10
_MARKS = re.compile(r"\*\*|__|^#{1,6} |^```.*$", re.M)


def body(text: str, below: Sequence[Block] = (), above: Sequence[Block] = ()) -> list[Block]:
    """The blocks of a message whose text is Markdown."""
    return [*above, *([{"type": "markdown", "text": text}] if text.strip() else []), *below]


def below(post: Post) -> list[Block]:
    """What stands under a final answer: its sources, and the thumbs. Nothing under anything else."""
    if post.kind != "answer":
        return []
    return [*_sources(post.sources, post.text), *([_thumbs(post)] if post.id else [])]


def lead(room: str, text: str) -> list[Block]:
    """The line above an answer that only the asker sees: where they asked."""
    say = phrases(language(text))
    line = say.asked_in.format(room=f"<#{room}>") if room[:1] in "CG" else say.asked_here
    return [{"type": "context", "elements": [{"type": "mrkdwn", "text": line}]}]


def status(text: str) -> str:
    """Status, as it stands until the answer does."""
    return f"_{text} …_"


def plain(text: str) -> str:
    """The text for notifications: without marks, and nothing in it rings or leads anywhere."""
    shown = escape(_MARKS.sub("", text).strip())
    return shown if len(shown) <= NOTICE_LIMIT else shown[: NOTICE_LIMIT - 2] + " …"


def escape(text: str) -> str:
    """Slack's own signs made harmless: https://docs.slack.dev/messaging/formatting-message-text#escaping."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _sources(sources: Sequence[Citation], text: str) -> list[Block]:
    page = phrases(language(text)).page
    lines = iter([{"type": "mrkdwn", "text": _source(one, page)} for one in sources])
    rows: list[Block] = []
    while row := list(islice(lines, _IN_A_ROW)):
        rows.append({"type": "context", "elements": row})
    return rows


def _source(source: Citation, page: str) -> str:
    title = escape(source.title).replace("|", "/")
    shown = f"<{source.url}|{title}>" if source.url else title
    return f"[{source.number}] {shown}" + (f" · {page.format(page=source.page)}" if source.page else "")


def _thumbs(post: Post) -> Block:
    say = phrases(language(post.text))

    def button(text: str, value: str) -> Block:
        return {"text": {"type": "plain_text", "text": text}, "accessibility_label": text, "value": value}

    thumbs = {
        "type": "feedback_buttons",
        "action_id": FEEDBACK,
        "positive_button": button(say.good, f"good:{post.id}"),
        "negative_button": button(say.bad, f"bad:{post.id}"),
    }
    return {"type": "context_actions", "elements": [thumbs]}
