"""The methods of Slack's Web API that Rolecall uses, with the limits that Slack sets."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.chat.fakeslack.state import APP_TOKEN, BOT, BOT_TOKEN, BOT_USER, TEAM, Said, SlackError, Workspace

STREAM_LIFE = 300.0
STREAM_BYTES = 11_000
STARTS = 20
MARKDOWN = 13_200
Arguments = dict[str, Any]


class Api:
    """Answers a method. `origin` is where this Slack listens; `lacks` are methods that it does not know."""

    def __init__(self, workspace: Workspace, origin: Callable[[], str]):
        self.workspace = workspace
        self.origin = origin
        self.lacks: set[str] = set()
        self._starts: list[float] = []

    def answer(self, method: str, token: str, given: Arguments) -> Arguments:
        """The answer to a call. Raises SlackError."""
        if token != (APP_TOKEN if method == "apps.connections.open" else BOT_TOKEN):
            raise SlackError("invalid_auth")
        known = getattr(self, method.replace(".", "_"), None)
        if known is None or method in self.lacks:
            raise SlackError("unknown_method")
        return {"ok": True, **known(given)}

    def auth_test(self, given: Arguments) -> Arguments:
        return {"team": "Acme", "team_id": TEAM, "user": "rolecall", "user_id": BOT_USER, "bot_id": BOT}

    def apps_connections_open(self, given: Arguments) -> Arguments:
        return {"url": self.origin().replace("http:", "ws:") + "/socket"}

    def chat_postMessage(self, given: Arguments) -> Arguments:
        said = Said(self.workspace.ts(), self._channel(given), BOT_USER, bot=True, thread=given.get("thread_ts", ""))
        if given.get("unfurl_links") is not False or given.get("unfurl_media") is not False:
            raise SlackError("the fake wants no unfurling")
        _write(said, given)
        self.workspace.messages.append(said)
        return {"ts": said.ts, "channel": said.channel}

    def chat_update(self, given: Arguments) -> Arguments:
        said = self._ours(given)
        if said.streaming:
            raise SlackError("streaming_state_conflict")
        _write(said, given)
        return {"ts": said.ts, "channel": said.channel}

    def chat_delete(self, given: Arguments) -> Arguments:
        self._ours(given).deleted = True
        return {}

    def chat_startStream(self, given: Arguments) -> Arguments:
        now = self.workspace.now()
        self._starts = [at for at in self._starts if now - at < 60]
        if len(self._starts) >= STARTS:
            raise SlackError("ratelimited", 30)
        channel = self._channel(given)
        if not given.get("thread_ts"):
            raise SlackError("invalid_arguments")
        if not channel.startswith("D") and not (given.get("recipient_user_id") and given.get("recipient_team_id")):
            raise SlackError("missing_recipient_user_id")
        self._starts.append(now)
        said = Said(self.workspace.ts(), channel, BOT_USER, bot=True, thread=given["thread_ts"])
        said.streaming, said.born = True, now
        self.workspace.messages.append(said)
        self._chunks(said, given)
        return {"ts": said.ts, "channel": channel}

    def chat_appendStream(self, given: Arguments) -> Arguments:
        self._chunks(self._stream(given), given)
        return {}

    def chat_stopStream(self, given: Arguments) -> Arguments:
        said = self._stream(given)
        self._chunks(said, given)
        said.blocks = [*said.blocks, *given.get("blocks", [])]
        said.metadata = given.get("metadata") or {}
        said.streaming = False
        return {"ts": said.ts}

    def assistant_threads_setStatus(self, given: Arguments) -> Arguments:
        self.workspace.statuses.append(given)
        return {}

    def assistant_threads_setSuggestedPrompts(self, given: Arguments) -> Arguments:
        if len(given["prompts"]) > 4:
            raise SlackError("invalid_arguments")
        self.workspace.prompts.append(given)
        return {}

    def agents_sessions_setStatus(self, given: Arguments) -> Arguments:
        if given["status"] not in ("processing", "active", "suspended", "closed"):
            raise SlackError("invalid_arguments")
        self.workspace.sessions.append(given)
        return {}

    def conversations_open(self, given: Arguments) -> Arguments:
        if given["users"] not in self.workspace.people:
            raise SlackError("user_not_found")
        return {"channel": {"id": self.workspace.direct(given["users"])}}

    def conversations_info(self, given: Arguments) -> Arguments:
        return {"channel": self.workspace.channels[self._channel(given)]}

    def conversations_members(self, given: Arguments) -> Arguments:
        members = self.workspace.channels[self._channel(given)]["members"]
        return _page("members", members, given)

    def conversations_replies(self, given: Arguments) -> Arguments:
        found = self.workspace.thread(self._channel(given), given["ts"])
        if not found:
            raise SlackError("thread_not_found")
        return _page("messages", [one.json(bool(given.get("include_all_metadata"))) for one in found], given)

    def conversations_history(self, given: Arguments) -> Arguments:
        found = [one for one in self.workspace.standing(self._channel(given)) if not one.thread and not one.only]
        return _page("messages", [one.json(bool(given.get("include_all_metadata"))) for one in found[::-1]], given)

    def users_info(self, given: Arguments) -> Arguments:
        if given["user"] not in self.workspace.people:
            raise SlackError("user_not_found")
        return {"user": self.workspace.people[given["user"]]}

    def users_list(self, given: Arguments) -> Arguments:
        return _page("members", list(self.workspace.people.values()), given)

    def usergroups_list(self, given: Arguments) -> Arguments:
        groups = self.workspace.groups.items()
        return {"usergroups": [{"id": name, "date_delete": 0, "users": users} for name, users in groups]}

    def views_publish(self, given: Arguments) -> Arguments:
        self.workspace.homes[given["user_id"]] = given["view"]
        return {}

    def views_open(self, given: Arguments) -> Arguments:
        self.workspace.modals.append(given["view"])
        return {}

    def files_info(self, given: Arguments) -> Arguments:
        if given["file"] not in self.workspace.files:
            raise SlackError("file_not_found")
        return {"file": self.workspace.files[given["file"]]}

    def files_delete(self, given: Arguments) -> Arguments:
        if self.workspace.files.pop(given["file"], None) is None:
            raise SlackError("file_not_found")
        return {}

    def files_getUploadURLExternal(self, given: Arguments) -> Arguments:
        name = f"F{self.workspace.number()}"
        self.workspace.files[name] = {"id": name, "name": given["filename"], "size": int(given["length"])}
        return {"file_id": name, "upload_url": f"{self.origin()}/upload/{name}"}

    def files_completeUploadExternal(self, given: Arguments) -> Arguments:
        shared = [self.workspace.files[one["id"]] | {"title": one["title"]} for one in given["files"]]
        if any(one["id"] not in self.workspace.contents for one in shared):
            raise SlackError("file_not_found")
        said = Said(self.workspace.ts(), given["channel_id"], BOT_USER, bot=True, thread=given.get("thread_ts", ""))
        said.files = shared
        self.workspace.messages.append(said)
        return {"files": shared}

    def _channel(self, given: Arguments) -> str:
        channel = str(given.get("channel", ""))
        if channel not in self.workspace.channels or BOT_USER not in self.workspace.channels[channel]["members"]:
            raise SlackError("channel_not_found")
        return channel

    def _ours(self, given: Arguments) -> Said:
        said = self.workspace.find(self._channel(given), given["ts"])
        if not said.bot:
            raise SlackError("cant_update_message")
        return said

    def _stream(self, given: Arguments) -> Said:
        said = self._ours(given)
        if said.streaming and self.workspace.now() - said.born > STREAM_LIFE:
            said.streaming = False
        if not said.streaming:
            raise SlackError("message_not_in_streaming_state")
        return said

    def _chunks(self, said: Said, given: Arguments) -> None:
        """What a stream is given. Raises msg_too_long, and changes nothing then."""
        streamed, tasks = said.streamed + (given.get("markdown_text") or ""), dict(said.tasks)
        for chunk in given.get("chunks") or []:
            if chunk["type"] == "markdown_text":
                if len(chunk["text"]) > 12_000:
                    raise SlackError("msg_too_long")
                streamed += chunk["text"]
            elif chunk["type"] == "task_update":
                tasks[chunk["id"]] = chunk
            else:
                raise SlackError("invalid_chunks")
        if len(streamed.encode()) > STREAM_BYTES:
            raise SlackError("msg_too_long")
        said.streamed, said.tasks = streamed, tasks
        cards = [{"type": "task_card", "title": one["title"], "status": one["status"]} for one in tasks.values()]
        said.blocks = [*cards, *([{"type": "markdown", "text": streamed}] if streamed else [])]
        said.text = streamed
        said.forms.append(streamed or " ".join(one["title"] for one in tasks.values()))


def _write(said: Said, given: Arguments) -> None:
    """Text and blocks of a message, within Slack's limits."""
    blocks = given.get("blocks") or []
    if len(blocks) > 50:
        raise SlackError("invalid_blocks")
    if sum(len(block["text"]) for block in blocks if block["type"] == "markdown") > MARKDOWN:
        raise SlackError("msg_blocks_too_long")
    for block in blocks:
        if block["type"] == "context" and len(block["elements"]) > 10:
            raise SlackError("invalid_blocks")
    if not given.get("text"):
        raise SlackError("no_text")
    if re.search(r"<[!@]", given["text"]):
        raise SlackError("the fake wants nobody to be rung")
    said.text, said.blocks = given["text"], blocks
    if "metadata" in given:
        said.metadata = given["metadata"]
    said.forms.append(said.shown)


def _page(name: str, found: list[Any], given: Arguments) -> Arguments:
    start, limit = int(given.get("cursor") or 0), int(given.get("limit") or 100)
    end = start + limit
    more = str(end) if end < len(found) else ""
    return {name: found[start:end], "response_metadata": {"next_cursor": more}}
