"""The table of what each chat platform does, made from the dialogs that all of them pass and the differences that are theirs.

python -m tests.chat.platforms > docs/platforms.md
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from tests.chat.dialogs import DIALOGS

LACKS = {
    "unmentioned": "the bot is given only messages that mention it",
    "foreigners": "people of other organisations cannot write to it",
}
"""What a stage may lack, in words."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that the platforms do not do alike, and why that is the platform's doing."""

    what: str
    slack: str
    teams: str
    why: str


DIFFERENCES = [
    Difference(
        "follow-ups in a thread",
        "`reply: threads` answers them without a mention",
        "need a mention, or resource-specific consent in the manifest",
        "Teams delivers only mentions to a bot",
    ),
    Difference(
        "a growing answer",
        "streamed everywhere, `chat.update` where streams are not to be had",
        "streamed in personal chats for up to two minutes; elsewhere one message that is edited, with three dots in group chats",
        "Teams has streams in personal chats alone",
    ),
    Difference(
        "stopping",
        "a stop button; the message then says so",
        "the stop button of a personal chat's stream; Teams marks the message itself. None elsewhere",
        "Teams has the button on streams alone, and tells the bot when it next sends something (within 4 seconds)",
    ),
    Difference(
        "answers for the asker alone",
        "the direct conversation with Rolecall",
        "the personal chat, if the app is installed for them; else one sentence in the room",
        "Teams has no message that one member of a room sees",
    ),
    Difference(
        "sources",
        "links below the answer",
        "citations in the text (20 at most, more are listed); in a personal chat a card too",
        "each platform's own form",
    ),
    Difference(
        "headings and tables",
        "blocks of their own",
        "bold lines, and tables in a block of fixed width",
        "Teams' text has neither",
    ),
    Difference(
        "one message holds",
        "about 9 KB of a stream",
        "24 KB of text, of the 100 KB that Teams takes with everything in it",
        "each platform's limits",
    ),
    Difference(
        "made by AI, and how sensitive",
        "nothing of that kind",
        "the label, and the mark of `sensitivity` in roles.yaml",
        "Slack has no such mark",
    ),
    Difference(
        "files out",
        "uploaded into the thread",
        "personal chat: by consent, into the reader's OneDrive; rooms: pictures up to 30 KB, else a word where to ask",
        "a Teams bot may put files nowhere else",
    ),
    Difference(
        "pictures pasted into a question",
        "read like other files, if their kind is read",
        "named as not read",
        "they are no files in Teams",
    ),
    Difference(
        "what was said in a thread before",
        "read from Slack for requests about it",
        "only what the bot was told; Summarize on a message takes that message",
        "a Teams bot may not read a chat without much wider permissions",
    ),
    Difference(
        "a deleted question that comes back",
        "cannot be brought back",
        "is asked anew, once",
        "Slack has no undo of a deletion",
    ),
    Difference(
        "finding a message again after a crash",
        "by the metadata of the message",
        "by a row written right after posting; a crash in between leaves one message too many",
        "Teams cannot be asked for a message",
    ),
    Difference(
        "channels shared with other organisations",
        "hear nothing from documents",
        "the same, and so do shared channels with nobody else in them",
        "a Teams bot is not told for certain who reads a shared channel",
    ),
    Difference(
        "home page",
        "App Home: what one may read and use",
        "the welcome in the personal chat says it, and `What can you do?`",
        "a bot's chat in Teams has no page of its own",
    ),
]

_HEAD = """# What each chat platform does

Made by `python -m tests.chat.platforms > docs/platforms.md`; a test keeps it so.

Rolecall behaves alike in Slack and in Teams. These dialogs run against both, over HTTP, at every test:
"""


def page() -> str:
    """The whole page."""
    dialogs = [f"| {_sentence(dialog.__name__)} | yes | yes |" for dialog in DIALOGS]
    others = [f"| {one.what} | {one.slack} | {one.teams} | {one.why} |" for one in DIFFERENCES]
    lines = [
        _HEAD,
        "| dialog | Slack | Teams |",
        "|---|---|---|",
        *dialogs,
        "",
        "What is not alike is so because the platform wants it so:",
        "",
        "| what | Slack | Teams | why |",
        "|---|---|---|---|",
        *others,
    ]
    return "\n".join(lines) + "\n"


def _sentence(name: str) -> str:
    return name.replace("_", " ").capitalize()


if __name__ == "__main__":
    sys.stdout.write(page())
