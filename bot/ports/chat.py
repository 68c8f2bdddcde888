"""A chat platform, and what is shown in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from bot.types import Attachment, Citation, Principal, Room


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is read: a room and a thread in it, or there by one person alone (`only`)."""

    room: Room
    thread: str = ""
    only: Principal | None = None


PostKind = Literal["status", "piece", "answer", "notice"]


@dataclass(frozen=True, slots=True)
class Post:
    """The whole of one visible message, as it is to stand now. Its text has passed the gate.

    `status` says what Rolecall is doing; `piece` is an answer that is still growing; `answer` is final and bears the
    answer's `id`; a `notice` is anything else: busy, an apology, a refusal.
    """

    kind: PostKind
    text: str
    sources: Sequence[Citation] = ()
    id: str = ""


class ChatDoor(Protocol):
    """A chat platform seen from the middle. It shows and finds posts; it decides nothing.

    Every method raises DoorUnavailable if the platform did not take the call, Undeliverable if it never will.
    """

    async def post(self, place: Place, post: Post, key: str) -> str:
        """Show a new message that carries `key` where the platform keeps it; returns the platform's id for it."""

    async def edit(self, place: Place, posted: str, post: Post) -> str:
        """Replace a message of ours. The same call twice changes nothing more.

        Returns the id to know it by from now on: a platform that needs several messages for a long text names them all.
        """

    async def find(self, place: Place, key: str) -> str | None:
        """The id of our earliest message that carries `key`, if there is one."""

    async def remove(self, place: Place, posted: str) -> None:
        """Take a message of ours away; no error if it is gone."""

    async def attach(self, place: Place, file: Attachment, key: str) -> None:
        """Show a file of ours; its message carries `key` where the platform keeps it."""
