"""The scopes that the app asks for, and what each of them is for."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SCOPES: Mapping[str, str] = MappingProxyType(
    {
        "app_mentions:read": "hear that it is mentioned in a channel",
        "assistant:write": "be listed as an agent, suggest prompts, show the status line and the stop button",
        "chat:write": "answer: post, edit, stream and delete its own messages",
        "commands": "`/rolecall` and the entries in a message's menu",
        "im:history": "hear direct messages, and find its own answers again after a crash",
        "im:read": "look at a direct conversation",
        "im:write": "open one, for what only the asker may see",
        "mpim:history": "hear group direct messages, and find its own answers in them",
        "mpim:read": "see who reads a group direct message",
        "channels:history": "follow threads of public channels, their edits and deletions, summarize them, find its answers",
        "channels:read": "see who reads a public channel, and whether it is shared with others",
        "groups:history": "the same in private channels it was invited to",
        "groups:read": "see who reads a private channel it was invited to",
        "users:read": "tell members from guests, strangers, bots and deactivated accounts",
        "usergroups:read": "roles by user group, by the group's id",
        "files:read": "read a file that somebody sends with a question",
        "files:write": "answer with a file",
    }
)
"""Without one of these something stops working. Nothing here reads e-mail addresses, or rooms it was not invited to."""
