"""Turns that carry material, for the editor's tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.types import Excerpt, Exchange, Room, Section, Turn, Upload
from tests.assistant.library import turn

HANGAR = """The board met on Tuesday and discussed the new hangar in Nagoya.
The costs of the hangar have risen by 12 percent since the spring.
The supplier of the steel has asked for 3 million euros more.
Ms Ito proposed to build the hangar in two stages instead.
The weather was fine and the coffee was good.
The decision on the hangar and its costs was put off until 14 June."""
MIA, TOM = "Mia", "Tom"
CHAT = (
    Excerpt(MIA, "The supplier moved the delivery of the pump to Thursday."),
    Excerpt(TOM, "Then the repair of the pump slips to the weekend."),
    Excerpt(MIA, "We could borrow a pump from Nagoya for the repair."),
    Excerpt(TOM, "I will ask Nagoya about the pump today."),
)
PLACE = Room("slack", "T0HOME", "C1", "private")


def asked(
    text: str,
    *,
    thread: str = "",
    room: Room | None = None,
    history: Sequence[Exchange] = (),
    excerpts: Sequence[Excerpt] = (),
    files: Sequence[str] = (),
    tools: Sequence[str] = ("search_documents",),
) -> Turn:
    """A turn of somebody from the staff, with what came beside it."""
    one = turn(text)
    message = replace(one.message, thread=thread, room=room or one.message.room, excerpts=tuple(excerpts))
    uploads = tuple(Upload(f"{number}.txt", (Section(content),)) for number, content in enumerate(files))
    access = replace(one.access, tools=frozenset(tools))
    return replace(one, message=message, history=tuple(history), uploads=uploads, access=access)
