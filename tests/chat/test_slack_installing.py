"""Getting into workspaces: OAuth over HTTP, tokens encrypted at rest, what the settings must say, what the doctor sees."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from aiohttp import ClientSession
from cryptography.fernet import Fernet
from slack_sdk.oauth.installation_store import Installation

from bot.access.policy import parse_policy
from bot.doorways.slack import look_at_slack, open_slack
from bot.errors import ConfigError
from bot.settings import DoorSettings, Settings, SlackOAuthSettings, SlackSettings
from connectors.chat.slack.installations import INSTALLATIONS, SqlInstallations, SqlStates, cipher
from connectors.chat.slack.scopes import SCOPES
from tests.chat.fakeslack import server
from tests.chat.fakeslack.state import APP_TOKEN, BOT_TOKEN, SECRET, TEAM
from tests.chat.slack_stage import POLICY, SlackStage, kept_secret, people
from tests.chat.world import FROM_PRESS, open_world
from tests.connectors.databases import ENGINES, database
from tests.delivery.fakes import FakeClock

KEY = Fernet.generate_key().decode()
ACME = Installation(
    user_id="U0ADMIN", team_id=TEAM, bot_token="xoxb-secret", bot_id="B1", bot_user_id="U1", bot_scopes=""
)


@asynccontextmanager
async def many(folder: Path) -> AsyncIterator[SlackStage]:
    """A Slack in which Rolecall is not installed yet."""
    async with server.open_slack() as slack, database("sqlite", folder) as engine:
        people(slack)
        oauth = SlackOAuthSettings(
            client_id="1.2",
            client_secret=kept_secret(folder, "client", "cs"),
            key=kept_secret(folder, "key", KEY),
            redirect="https://chat.example.com/slack/oauth_redirect",
        )
        chosen = SlackSettings(oauth=oauth, signing_secret=kept_secret(folder, "signing", SECRET), api=slack.url)
        settings = Settings(version=1, doors=DoorSettings(slack=chosen))
        async with (
            open_slack(settings, folder, engine) as doorway,
            open_world(engine, parse_policy(POLICY), doorway) as world,
        ):
            slack.target = f"http://127.0.0.1:{world.port}/slack/events"
            yield SlackStage(slack, world)


async def install(port: int, code: str = "good", state: str = "") -> int:
    """What an admin's browser does."""
    async with ClientSession() as browser:
        async with browser.get(f"http://127.0.0.1:{port}/slack/install") as page:
            text, cookie = await page.text(), page.headers["Set-Cookie"].partition(";")[0]
        (link,) = [one for part in text.split('href="')[1:] if "/oauth/v2/authorize" in (one := part.split('"')[0])]
        asked = parse_qs(urlsplit(link.replace("&amp;", "&")).query)
        assert asked["scope"] == [",".join(SCOPES)]
        back = {"code": code, "state": state or asked["state"][0]}
        url = f"http://127.0.0.1:{port}/slack/oauth_redirect"
        async with browser.get(url, params=back, headers={"Cookie": cookie}) as answer:
            return answer.status


@pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")  # slack_sdk's own way to aiohttp
async def test_a_workspace_installs_is_answered_and_leaves(tmp_path: Path) -> None:
    async with many(tmp_path) as stage:
        assert await install(stage.world.port, code="bad") != 200
        assert await install(stage.world.port, state="forged") != 200
        assert await install(stage.world.port) == 200
        asked = await stage.say("oskar", "What was revenue?", "all-hands")
        await stage.settled()
        assert [one.text for one in await stage.seen("oskar", asked)] == [FROM_PRESS]
        assert await stage.slack.deliver({"type": "app_uninstalled"}) == 200
        later = await stage.say("oskar", "What was revenue?", "all-hands")
        await stage.settled()
        assert await stage.seen("oskar", later) == []


@pytest.mark.parametrize("kind", ENGINES)
async def test_installations_are_kept_encrypted_and_found_by_team_or_organisation(kind: str, tmp_path: Path) -> None:
    async with database(kind, tmp_path) as engine:
        store = SqlInstallations(engine, cipher(KEY))
        wide = Installation(
            user_id="U9",
            enterprise_id="E1",
            is_enterprise_install=True,
            bot_token="xoxb-w",
            bot_id="B9",
            bot_user_id="U9",
        )
        for one in (ACME, wide, ACME):
            await store.async_save(one)
        found = await store.async_find_bot(enterprise_id=None, team_id=TEAM)
        assert found is not None
        assert (found.bot_token, found.bot_user_id) == ("xoxb-secret", "U1")
        org = await store.async_find_bot(enterprise_id="E1", team_id="T1", is_enterprise_install=True)
        assert org is not None
        assert org.bot_token == "xoxb-w"
        async with engine.connect() as connection:
            rows = (await connection.execute(sa.select(INSTALLATIONS))).all()
        assert len(rows) == 2
        assert "xoxb" not in repr(rows)
        await store.async_delete_all(enterprise_id=None, team_id=TEAM)
        assert await store.tenants() == ["E1"]


async def test_a_key_is_replaced_without_installing_again(tmp_path: Path) -> None:
    new = Fernet.generate_key().decode()
    async with database("sqlite", tmp_path) as engine:
        await SqlInstallations(engine, cipher(KEY)).async_save(ACME)
        both = SqlInstallations(engine, cipher(f"{new},{KEY}"))
        assert await both.async_find_bot(enterprise_id=None, team_id=TEAM)
        assert await SqlInstallations(engine, cipher(new)).async_find_bot(enterprise_id=None, team_id=TEAM) is None
        await both.async_save(ACME)
        assert await SqlInstallations(engine, cipher(new)).async_find_bot(enterprise_id=None, team_id=TEAM)


async def test_a_state_comes_back_once_and_not_late(tmp_path: Path) -> None:
    clock = FakeClock()
    async with database("sqlite", tmp_path) as engine:
        states = SqlStates(engine, clock)
        one, late = await states.async_issue(), await states.async_issue()
        assert await states.async_consume(one)
        assert not await states.async_consume(one)
        clock.now += 601
        assert not await states.async_consume(late)


WAYS: list[tuple[Callable[[Path], SlackSettings], str]] = [
    (lambda folder: SlackSettings(), "either `token`"),
    (lambda folder: SlackSettings(token=kept_secret(folder, "t", BOT_TOKEN)), "`signing_secret` (HTTP) or `app_token`"),
    (
        lambda folder: SlackSettings(
            token=kept_secret(folder, "t", BOT_TOKEN),
            app_token=kept_secret(folder, "a", APP_TOKEN),
            old_signing_secret=kept_secret(folder, "o", SECRET),
        ),
        "`old_signing_secret` is the one before `signing_secret`, which is missing",
    ),
]


@pytest.mark.parametrize(("made", "told"), WAYS)
async def test_settings_that_lead_nowhere_say_what_is_missing(
    tmp_path: Path, made: Callable[[Path], SlackSettings], told: str
) -> None:
    settings = Settings(version=1, doors=DoorSettings(slack=made(tmp_path)))
    async with database("sqlite", tmp_path) as engine:
        with pytest.raises(ConfigError) as wrong:
            async with open_slack(settings, tmp_path, engine):
                pass
    assert told in str(wrong.value)
    ((state, text, _),) = await look_at_slack(made(tmp_path))
    assert (state, told in text) == ("wrong", True)


def test_a_key_that_is_none_says_how_to_make_one() -> None:
    with pytest.raises(ConfigError, match="generate_key"):
        cipher("too short")


async def test_the_doctor_names_what_is_missing(tmp_path: Path) -> None:
    async with server.open_slack() as slack:
        slack.scopes = ",".join(scope for scope in SCOPES if scope not in ("usergroups:read", "files:read"))
        token, signing = kept_secret(tmp_path, "t", BOT_TOKEN), kept_secret(tmp_path, "s", SECRET)
        chosen = SlackSettings(token=token, signing_secret=signing, api=slack.url)
        looks = await look_at_slack(chosen)
        assert [state for state, _, _ in looks] == ["wrong", "wrong", "ok"]
        assert "usergroups:read" in looks[0][1]
        assert "files:read" in looks[1][1]
        slack.scopes = ",".join(SCOPES)
        odd = chosen.model_copy(
            update={
                "signing_secret": kept_secret(tmp_path, "o", "hunter2"),
                "app_token": kept_secret(tmp_path, "a", APP_TOKEN),
            }
        )
        assert [state for state, _, _ in await look_at_slack(odd)] == ["ok", "warning", "ok"]
        revoked = chosen.model_copy(update={"token": kept_secret(tmp_path, "r", "xoxb-revoked")})
        assert "invalid_auth" in (await look_at_slack(revoked))[0][1]
    assert "does not answer" in (await look_at_slack(chosen))[0][1]
