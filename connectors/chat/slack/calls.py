"""Every call to Slack's Web API: one try, and silence for as long as Slack asked for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.errors import DoorUnavailable, Undeliverable
from connectors.chat.slack.workspaces import Workspace

PAUSE = 30.0
"""Seconds of silence after a 429 that does not say how long."""
GONE = frozenset(
    "channel_not_found not_in_channel is_archived user_not_found user_disabled cannot_dm_bot "
    "messages_tab_disabled restricted_action thread_not_found".split()
)
"""Errors after which a message will never arrive: the room or the person is gone, or Rolecall was removed from it."""
BY_CHANNEL = frozenset({"chat.postMessage"})
"""Methods that Slack counts for each channel; the others, for each workspace."""


class Refused(DoorUnavailable):
    """Slack did not do it, and says why in `error`: nothing of the call was done."""

    def __init__(self, method: str, error: str, retry_after: float = 0.0):
        super().__init__(f"{method}: {error}", retry_after)
        self.error = error


class Calls:
    """Calls methods. After a 429 the same method (of the same channel) is not called within the window; `clock` is in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._quiet: dict[tuple[str, str, str], float] = {}

    async def __call__(self, workspace: Workspace, method: str, **arguments: Any) -> Mapping[str, Any]:
        """Slack's answer. Raises Refused, Undeliverable, or DoorUnavailable if nothing is known of the outcome."""
        key = (workspace.tenant, method, str(arguments.get("channel", "")) if method in BY_CHANNEL else "")
        rest = self._quiet.get(key, 0.0) - self._clock()
        if rest > 0:
            raise Refused(method, "ratelimited", rest)
        try:
            answer = await getattr(workspace.client, method.replace(".", "_"))(**arguments)
        except SlackApiError as error:
            raise self._understood(key, error) from error
        except (ClientError, SlackClientError, TimeoutError, OSError) as error:
            raise DoorUnavailable(f"{method}: Slack does not answer: {error or type(error).__name__}") from error
        return answer.data if isinstance(answer.data, dict) else {}

    def _understood(self, key: tuple[str, str, str], problem: SlackApiError) -> Exception:
        response, method = problem.response, key[1]
        data = response.data if isinstance(response.data, dict) else {}
        error = str(data.get("error") or f"status {response.status_code}")
        if response.status_code == 429 or error == "ratelimited":
            after = _seconds(response.headers)
            self._quiet = {one: until for one, until in self._quiet.items() if until > self._clock()}
            self._quiet[key] = self._clock() + after
            return Refused(method, "ratelimited", after)
        if response.status_code >= 500:
            return DoorUnavailable(f"{method}: {error}")
        return Undeliverable(f"{method}: {error}") if error in GONE else Refused(method, error)


def _seconds(headers: Mapping[str, Any]) -> float:
    told = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    text = str(told[0] if isinstance(told, list) and told else told)
    return float(text) if text.isascii() and text.isdigit() else PAUSE
