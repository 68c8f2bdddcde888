"""A Slack workspace in memory: people, channels, messages, and who can see which of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

TEAM = "T0HOME"
BOT_USER, BOT, BOT_TOKEN, APP = "U0BOT", "B0BOT", "xoxb-rolecall", "A0ROLECALL"
APP_TOKEN, SECRET = "xapp-rolecall", "8f742231b10e8888abcd99aaabbb85a5"


class SlackError(Exception):
    """What the Web API answers with ``ok: false``; `retry_after` makes it a 429."""

    def __init__(self, error: str, retry_after: int = 0, **more: Any):
        super().__init__(error)
        self.error = error
        self.retry_after = retry_after
        self.more = more


@dataclass
class Said:
    """One message as the workspace keeps it, each form that it had, and whether it still stands."""

    ts: str
    channel: str
    user: str
    text: str = ""
    blocks: list[dict[str, Any]] = field(default_factory=list)
    thread: str = ""
    bot: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)
    files: list[dict[str, Any]] = field(default_factory=list)
    forms: list[str] = field(default_factory=list)
    deleted: bool = False
    streaming: bool = False
    born: float = 0.0
    streamed: str = ""
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    only: str = ""

    @property
    def shown(self) -> str:
        """The text that a person reads: what the Markdown blocks hold, or the plain text."""
        return "\n\n".join(block["text"] for block in self.blocks if block["type"] == "markdown") or self.text

    def json(self, metadata: bool) -> dict[str, Any]:
        """As a history shows it."""
        found: dict[str, Any] = {"type": "message", "ts": self.ts, "user": self.user, "text": self.text}
        found |= {"blocks": self.blocks, "team": TEAM}
        found |= {"thread_ts": self.thread} if self.thread else {}
        found |= {"bot_id": BOT, "app_id": APP} if self.bot else {}
        found |= {"files": self.files} if self.files else {}
        return found | ({"metadata": self.metadata} if metadata and self.metadata else {})


@dataclass
class Workspace:
    """Everything in one team. `now` gives seconds; a stream's life is counted by it."""

    now: Callable[[], float]
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    channels: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    messages: list[Said] = field(default_factory=list)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    sessions: list[dict[str, Any]] = field(default_factory=list)
    prompts: list[dict[str, Any]] = field(default_factory=list)
    homes: dict[str, dict[str, Any]] = field(default_factory=dict)
    modals: list[dict[str, Any]] = field(default_factory=list)
    _numbers: Any = field(default_factory=lambda: count(1))

    def number(self) -> int:
        """One that was not used yet."""
        return int(next(self._numbers))

    def ts(self) -> str:
        """The time of a new message: what Slack knows it by."""
        return f"1700000000.{self.number():06d}"

    def person(self, user: str, **info: Any) -> None:
        """Somebody, with their direct conversation with the app."""
        known = {"id": user, "team_id": TEAM, "name": user.lower(), "deleted": False, "is_bot": False}
        self.people[user] = known | {"is_restricted": False, "is_ultra_restricted": False} | info
        self.channel(self.direct(user), [user, BOT_USER], is_im=True)

    def channel(self, name: str, members: list[str], **info: Any) -> None:
        """A channel and who is in it."""
        self.channels[name] = {"id": name, "members": members, "is_private": False, **info}

    @staticmethod
    def direct(user: str) -> str:
        """The direct conversation of a person with the app."""
        return "D" + user[1:]

    def say(self, user: str, channel: str, text: str, thread: str = "", **more: Any) -> Said:
        """A person's message."""
        said = Said(self.ts(), channel, user, text, thread=thread, **more)
        self.messages.append(said)
        return said

    def find(self, channel: str, ts: str) -> Said:
        """A message that stands. Raises message_not_found."""
        for said in self.messages:
            if (said.channel, said.ts) == (channel, ts) and not said.deleted:
                return said
        raise SlackError("message_not_found")

    def thread(self, channel: str, ts: str) -> list[Said]:
        """A thread's messages that everybody there sees."""
        return [one for one in self.standing(channel) if ts in (one.ts, one.thread) and not one.only]

    def standing(self, channel: str) -> list[Said]:
        """Everything that stands in a channel, oldest first."""
        return [one for one in self.messages if one.channel == channel and not one.deleted]

    def visible(self, user: str) -> list[Said]:
        """What one person sees of the app's messages, anywhere."""
        return [
            one
            for one in self.messages
            if one.bot and not one.deleted and user in self.channels[one.channel]["members"] and one.only in ("", user)
        ]
