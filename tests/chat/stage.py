"""What a chat platform looks like from a chair in front of it: the one face that the conformance dialogs know.

Each platform's fake has a stage. It sends what the real platform would send (signed, over HTTP, to the real doors) and
shows what each person would see. The dialogs in tests/chat/dialogs.py run on every stage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

DIRECT = "direct"
"""The room that is one person's conversation with Rolecall."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One message of Rolecall's as one person sees it now. `only` says that nobody else sees it.

    `forms` are the texts that it had on its way to this one, oldest first; `sources` the titles that stand under it;
    `files` the names of files; `rates` whether it asks for a thumb up or down.
    """

    id: str
    text: str
    only: bool = False
    forms: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    rates: bool = False


class Stage(Protocol):
    """People are fiona (finance), oskar (operations), gus (a guest), eve (of another organisation), rob (a bot).

    Rooms are `direct`, `all-hands` (public), `finance` (private, with a ceiling), `visitors` (private, with gus in it)
    and `partners` (shared with another organisation). In `all-hands` an answer is given to what follows in a thread
    without a mention. What a platform cannot do it says by `lacks`: ``unmentioned`` (it does not deliver such messages),
    ``foreigners`` (nobody of another organisation can write to it).
    """

    platform: str
    lacks: frozenset[str]

    async def say(
        self,
        who: str,
        text: str,
        room: str = DIRECT,
        *,
        mention: bool = True,
        under: str = "",
        files: Sequence[tuple[str, bytes]] = (),
    ) -> str:
        """Somebody writes; `under` is the message whose thread it is in. Returns the message's id.

        It is delivered to Rolecall as the platform would deliver it: twice, where the platform does that.
        """

    async def edit(self, message: str, text: str) -> None:
        """The author changes a message."""

    async def delete(self, message: str) -> None:
        """The author deletes a message."""

    async def stop(self, who: str, message: str) -> None:
        """Somebody presses the stop button under what Rolecall is saying to a message."""

    async def rate(self, who: str, seen: Seen, good: bool, reason: str = "") -> None:
        """Somebody gives a thumb up or down, and maybe says why."""

    async def seen(self, who: str, message: str) -> list[Seen]:
        """What somebody sees of Rolecall's in reply to a message, wherever they see it; oldest first."""

    async def settled(self) -> None:
        """Wait until Rolecall has nothing more to do."""
