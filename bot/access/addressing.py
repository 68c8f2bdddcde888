"""Whether a message in a room asks Rolecall for anything: what roles.yaml says of the room, and how it was addressed."""

from __future__ import annotations

from bot.access.policy import Policy
from bot.types import Room


def asks(policy: Policy, room: Room, *, mentioned: bool, joined: bool) -> bool:
    """Whether to answer. `joined` says that the message follows in a thread where Rolecall has spoken.

    In a direct message everything is meant for it. Elsewhere `reply` of the room decides; the default is `mentions`.
    """
    if room.kind == "direct":
        return True
    rule = policy.rooms.get(room.ref)
    match rule.reply if rule else "mentions":
        case "never":
            return False
        case "all":
            return True
        case "threads":
            return mentioned or joined
        case _:
            return mentioned
