"""The app's manifest is complete, within Slack's limits, and says the same as the code and the guide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from connectors.chat.slack.actions import COMMAND, EXPLAIN, SUMMARIZE, TRANSLATE
from connectors.chat.slack.scopes import SCOPES

ROOT = Path(__file__).parents[2]
MANIFEST: dict[str, Any] = yaml.safe_load((ROOT / "deploy/slack-manifest.yaml").read_text())

NEEDS = {
    "message.im": "im:history",
    "message.mpim": "mpim:history",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "app_mention": "app_mentions:read",
    "agent_session_stopped": "assistant:write",
    "member_joined_channel": "channels:read",
    "member_left_channel": "groups:read",
    "channel_shared": "channels:read",
    "channel_unshared": "channels:read",
    "subteam_created": "usergroups:read",
    "subteam_updated": "usergroups:read",
    "subteam_members_changed": "usergroups:read",
    "team_join": "users:read",
    "user_change": "users:read",
    "app_home_opened": "",
    "app_uninstalled": "",
    "tokens_revoked": "",
}
"""Each event that is subscribed to, and the scope without which Slack does not send it."""


def _text(most: int) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": most}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


HTTPS = {"type": "string", "pattern": "^https://"}
FLAG = {"type": "boolean"}
SCHEMA = _object(
    ["display_information", "features", "oauth_config", "settings"],
    display_information=_object(
        ["name", "description"],
        name=_text(35),
        description=_text(140),
        background_color={"type": "string", "pattern": "^#[0-9A-Fa-f]{6}$"},
    ),
    features=_object(
        ["app_home", "bot_user", "agent_view", "shortcuts", "slash_commands"],
        app_home=_object(
            ["home_tab_enabled", "messages_tab_enabled"],
            home_tab_enabled=FLAG,
            messages_tab_enabled=FLAG,
            messages_tab_read_only_enabled={"const": False},
        ),
        bot_user=_object(["display_name"], display_name=_text(80), always_online=FLAG),
        agent_view=_object(
            ["agent_description"],
            agent_description=_text(300),
            suggested_prompts={
                "type": "array",
                "maxItems": 4,
                "items": _object(["title", "message"], title=_text(150), message=_text(1000)),
            },
        ),
        shortcuts={
            "type": "array",
            "maxItems": 10,
            "items": _object(
                ["name", "type", "callback_id", "description"],
                name=_text(24),
                type={"enum": ["message", "global"]},
                callback_id=_text(255),
                description=_text(150),
            ),
        },
        slash_commands={
            "type": "array",
            "maxItems": 50,
            "items": _object(
                ["command", "url", "description"],
                command={"type": "string", "pattern": "^/[a-z-]{1,31}$"},
                url=HTTPS,
                description=_text(2000),
                usage_hint=_text(1000),
                should_escape=FLAG,
            ),
        },
    ),
    oauth_config=_object(
        ["redirect_urls", "scopes"],
        redirect_urls={"type": "array", "items": HTTPS},
        scopes=_object(["bot"], bot={"type": "array", "uniqueItems": True, "items": {"type": "string"}}),
    ),
    settings=_object(
        ["event_subscriptions", "interactivity"],
        event_subscriptions=_object(
            ["request_url", "bot_events"],
            request_url=HTTPS,
            bot_events={"type": "array", "uniqueItems": True, "maxItems": 100, "items": {"enum": sorted(NEEDS)}},
        ),
        interactivity=_object(["is_enabled", "request_url"], is_enabled={"const": True}, request_url=HTTPS),
        org_deploy_enabled=FLAG,
        socket_mode_enabled=FLAG,
        token_rotation_enabled={"const": False},
    ),
)


def test_it_is_within_what_slack_takes() -> None:
    jsonschema.validate(MANIFEST, SCHEMA)


def test_a_manifest_that_slack_would_refuse_is_noticed() -> None:
    broken = yaml.safe_load(yaml.safe_dump(MANIFEST))
    broken["features"]["shortcuts"][0]["name"] = "a name that is longer than Slack takes"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, SCHEMA)


def test_it_asks_for_the_scopes_that_the_code_knows_and_no_others() -> None:
    assert MANIFEST["oauth_config"]["scopes"]["bot"] == list(SCOPES)


def test_each_event_comes_with_its_scope_and_every_event_that_is_needed_is_there() -> None:
    assert sorted(MANIFEST["settings"]["event_subscriptions"]["bot_events"]) == sorted(NEEDS)
    assert {scope for scope in NEEDS.values() if scope} <= set(SCOPES)


def test_what_people_press_and_type_has_somebody_who_answers() -> None:
    features = MANIFEST["features"]
    assert {one["callback_id"] for one in features["shortcuts"]} == {SUMMARIZE, TRANSLATE, EXPLAIN}
    assert [one["command"] for one in features["slash_commands"]] == [COMMAND]


@pytest.mark.parametrize("scope", SCOPES)
def test_the_guide_explains_each_scope(scope: str) -> None:
    assert f"| `{scope}` | {SCOPES[scope]} |" in (ROOT / "docs/slack.md").read_text(encoding="utf-8")
