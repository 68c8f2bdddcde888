"""Which messages of a room are answered."""

import pytest

from bot.access.addressing import asks
from bot.access.policy import parse_policy
from bot.types import Room, RoomKind

POLICY = parse_policy(
    """
version: 1
tenants: {slack: [T0HOME]}
labels: [company]
roles:
  everyone: {applies_to: members, read: [company]}
rooms:
  slack:T0HOME/C0MENTIONS: {reply: mentions}
  slack:T0HOME/C0THREADS: {reply: threads}
  slack:T0HOME/C0ALL: {reply: all}
  slack:T0HOME/C0NEVER: {reply: never}
"""
)


@pytest.mark.parametrize(
    ("room", "kind", "silent", "followed", "mentioned"),
    [
        ("C0OTHER", "public", False, False, True),
        ("C0MENTIONS", "private", False, False, True),
        ("C0THREADS", "private", False, True, True),
        ("C0ALL", "private", True, True, True),
        ("C0NEVER", "private", False, False, False),
        ("D0", "direct", True, True, True),
    ],
)
def test_a_room_is_answered_as_the_policy_says(
    room: str, kind: RoomKind, silent: bool, followed: bool, mentioned: bool
) -> None:
    place = Room("slack", "T0HOME", room, kind)
    assert asks(POLICY, place, mentioned=False, joined=False) == silent
    assert asks(POLICY, place, mentioned=False, joined=True) == followed
    assert asks(POLICY, place, mentioned=True, joined=False) == mentioned
