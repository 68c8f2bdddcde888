"""The way in from Teams: what is not proven is refused before anything else happens, what is broken is told."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web

from bot.access.policy import parse_policy
from bot.errors import ConfigError
from bot.settings import Secret, Settings
from connectors.chat.teams.endpoints import PUBLIC, Endpoints
from connectors.chat.teams.keys import PAUSE, KeysUnavailable, SigningKeys
from connectors.chat.teams.proof import Forged, Proof
from tests.chat.faketeams.keys import claims, public_jwk, rsa_key, token, unsigned
from tests.chat.faketeams.service import APP, OTHERS, TENANT, FakeTeams, oid
from tests.chat.faketeams.stage import ROOMS, TeamsStage, copied, open_stage

NOW = int(time.time())


@pytest.fixture
async def stage(migrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TeamsStage]:
    monkeypatch.setenv("TEAMS_PASSWORD", "right")
    async with open_stage(copied(migrated, tmp_path)) as opened:
        yield opened


def forged(service: str) -> dict[str, str]:
    """Authorization headers that prove nothing."""
    good = claims(APP, service)
    bearers = {
        "alg none": unsigned(good, "none"),
        "alg None": unsigned(good, "None"),
        "none with a signature": unsigned(good, "none", signature="AAAA"),
        "HS256 with the app id": token(good, key=APP + "-" * 32, algorithm="HS256"),
        "HS256 by name only": unsigned(good, "HS256", signature="AAAA"),
        "RS384": token(good, algorithm="RS384"),
        "RS512": token(good, algorithm="RS512"),
        "PS256": token(good, algorithm="PS256"),
        "another's key under our key's name": token(good, key=rsa_key("other")),
        "unknown key": token(good, kid="unknown"),
        "no key id": token(good, kid=None, key=rsa_key("k1")),
        "key of another channel": token(good, kid="skype"),
        "key without endorsements": token(good, kid="bare"),
        "another issuer": token(claims(APP, service, iss="https://sts.windows.net/x/")),
        "issuer with a slash": token(claims(APP, service, iss="https://api.botframework.com/")),
        "no issuer": token(claims(APP, service, iss=None)),
        "the emulator's issuer": token(claims(APP, service, iss=f"https://login.microsoftonline.com/{TENANT}/v2.0")),
        "another audience": token(claims(OTHERS, service)),
        "several audiences": token(claims(APP, service, aud=[APP, OTHERS])),
        "no audience": token(claims(APP, service, aud=None)),
        "another tenant": token(claims(APP, service, tid=OTHERS)),
        "expired": token(claims(APP, service, exp=NOW - 400)),
        "no expiry": token(claims(APP, service, exp=None)),
        "expiry that is no number": unsigned(good | {"exp": "later"}, "RS256", signature="AAAA"),
        "not yet valid": token(claims(APP, service, nbf=NOW + 3500)),
        "another service URL": token(claims(APP, "https://smba.trafficmanager.net/emea/")),
        "no service URL": token(claims(APP, service, serviceurl=None)),
        "a changed claim": _changed(token(good)),
        "a cut signature": token(good)[:-20],
        "no token at all": "",
        "words": "please",
        "two dots": "a.b.c",
    }
    headers = {name: f"Bearer {bearer}" for name, bearer in bearers.items()}
    return headers | {"no header": "", "another scheme": f"Basic {token(good)}", "only a token": token(good)}


def _changed(good: str) -> str:
    head, body, signature = good.split(".")
    return f"{head}.{body[:-2]}{'A' if body[-2] != 'A' else 'B'}{body[-1]}.{signature}"


async def test_what_is_forged_is_refused_and_calls_nobody(stage: TeamsStage) -> None:
    fake = stage.fake
    fake.keys = [public_jwk("k1"), public_jwk("skype", ("skype",)), public_jwk("bare", ())]
    activity = fake.activity("fiona", stage.chat("fiona"), text="What was revenue?")
    headers = forged(fake.service)
    assert len(headers) >= 30
    assert (await fake.deliver(activity, f"Bearer {token(claims(APP, 'https://x/'))}"))[0] == 401  # keys are fetched
    fake.calls.clear()
    for name, header in headers.items():
        status, _ = await fake.deliver(activity, header)
        assert status == 401, name
    assert fake.calls == []
    assert (await stage.world.inbox.queue(0)).waiting == 0
    assert (await fake.deliver(activity))[0] == 200


@pytest.mark.parametrize(
    "service",
    [
        "https://evil.example/",
        "https://evil.trafficmanager.net/emea/",
        "https://smba.trafficmanager.net.evil.example/",
        "https://smba.trafficmanager.net@evil.example/",
        "https://smba.trafficmanager.net:8443/",
        "http://smba.trafficmanager.net/emea/",
        "https://evilbotframework.com/",
        "https://smba.trafficmanager.net\\@evil.example/",
        "https://smba。trafficmanager.net/",
        "//smba.trafficmanager.net/",
        "",
    ],
)
async def test_a_service_url_that_is_not_microsofts_is_refused(stage: TeamsStage, service: str) -> None:
    activity = stage.fake.activity("fiona", stage.chat("fiona"), text="Hello") | {"serviceUrl": service}
    assert (await stage.fake.deliver(activity, f"Bearer {token(claims(APP, service))}"))[0] == 401
    assert not PUBLIC.serves(service)


def test_microsofts_service_urls_are_taken() -> None:
    for service in ("https://smba.trafficmanager.net/emea/", "https://europe.api.botframework.com/x"):
        assert PUBLIC.serves(service)
    assert not PUBLIC.serves("http://127.0.0.1:56150/_connector")
    assert not PUBLIC.keeps_files("https://smba.trafficmanager.net/")
    assert PUBLIC.keeps_files("https://acme-my.sharepoint.com/personal/x?tempauth=1")
    assert not PUBLIC.keeps_files("https://sharepoint.com.evil.example/x")


async def test_another_channel_is_refused(stage: TeamsStage) -> None:
    activity = stage.fake.activity("fiona", stage.chat("fiona"), text="Hello") | {"channelId": "webchat"}
    assert (await stage.fake.deliver(activity))[0] == 401


async def test_what_is_no_activity_is_told(stage: TeamsStage) -> None:
    fake = stage.fake
    header = {"Authorization": f"Bearer {token(claims(APP, fake.service))}"}
    json_type = {"Content-Type": "application/json"}
    good = {"type": "message", "serviceUrl": fake.service, "channelId": "msteams"}
    async with ClientSession() as session:
        for body, types, expected in [
            (b"{", json_type, 400),
            (b"[]", json_type, 400),
            (b"{}", json_type, 400),
            (b"\xff\xfe", json_type, 400),
            (b"hello", {"Content-Type": "text/plain"}, 415),
        ]:
            async with session.post(fake.app_url, data=body, headers=header | types) as response:
                assert response.status == expected, body
        for activity in (good, good | {"conversation": {"id": 3}, "from": {}, "recipient": {}}, good | {"from": []}):
            async with session.post(fake.app_url, json=activity, headers=header) as response:
                assert response.status == 400, await response.text()
                assert "error" in await response.json()


async def test_a_new_key_is_believed_without_a_restart_and_asked_for_sparingly() -> None:
    fake, now = FakeTeams(), [0.0]
    async with fake.listening(), ClientSession() as session:
        keys = SigningKeys(session, f"{fake.url}/openid", lambda: now[0])
        assert await keys.key("k1")
        fake.keys = [public_jwk("k2")]
        for _ in range(20):
            assert await keys.key("k2") is None
        assert len(fake.calls) == 1
        now[0] += PAUSE
        assert await keys.key("k2")
        assert await keys.key("k1") is None
        assert len(fake.calls) == 2


async def test_without_a_key_server_nobody_is_believed_and_known_keys_stay() -> None:
    fake, now = FakeTeams(), [0.0]
    async with ClientSession() as session:
        async with fake.listening():
            url = f"{fake.url}/openid"
            keys = SigningKeys(session, url, lambda: now[0])
            assert await keys.key("k1")
        now[0] += 2 * 86_400
        assert await keys.key("k1")
        fresh = SigningKeys(session, url, lambda: now[0])
        proof = Proof(fresh, APP, TENANT, Endpoints(loopback=True))
        activity = {"serviceUrl": "http://127.0.0.1:1/", "channelId": "msteams"}
        with pytest.raises(KeysUnavailable):
            await proof.claims(f"Bearer {token(claims(APP, 'http://127.0.0.1:1/'))}", activity)
        with pytest.raises(Forged):
            await proof.claims("Bearer x", activity)


async def test_a_database_that_fails_is_an_error_and_never_an_acknowledgement(
    stage: TeamsStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def locked(*_: object) -> Any:
        raise RuntimeError("database is locked")

    activity = stage.fake.activity("fiona", stage.chat("fiona"), text="What was revenue?")
    with monkeypatch.context() as broken:
        broken.setattr(stage.world.inbox, "add", locked)
        assert (await stage.fake.deliver(activity))[0] == 500
    assert (await stage.fake.deliver(activity))[0] == 200
    await stage.settled()
    assert len(stage.fake.messages("a:fiona")) == 1


async def test_the_request_returns_while_the_answer_is_not_there_yet(stage: TeamsStage) -> None:
    asked = await stage.say("fiona", "hold this")
    await stage.world.script.holding.wait()
    assert not stage.world.script.go.is_set()  # the request is over, and the answer has not begun
    stage.world.script.go.set()
    await stage.settled()
    (seen,) = await stage.seen("fiona", asked)
    assert seen.text


async def test_only_the_tenant_and_the_object_id_say_who_it_is(stage: TeamsStage) -> None:
    fake = stage.fake
    as_fiona = {"name": "Fiona", "aadObjectId": oid("nobody"), "id": "29:fiona", "userPrincipalName": "fiona@us"}
    activity = fake.activity("oskar", stage.chat("oskar"), text="What was revenue?") | {"from": as_fiona}
    await fake.deliver(activity)
    nameless = fake.activity("oskar", stage.chat("oskar"), text="What was revenue?")
    del nameless["from"]["aadObjectId"]
    await fake.deliver(nameless)
    foreign = fake.activity("fiona", stage.chat("fiona"), text="What was revenue?")
    foreign["channelData"]["tenant"]["id"] = OTHERS
    await fake.deliver(foreign)
    await stage.settled()
    said = [one.last["text"] for one in fake.shown.values()]
    assert len(said) == 2
    assert all("nothing has been opened for you" in text for text in said)


async def test_the_mention_of_us_is_taken_out_and_no_other_word(stage: TeamsStage) -> None:
    fake = stage.fake
    activity = fake.activity("oskar", ROOMS["all-hands"])
    mentions = [
        {"type": "mention", "text": "<at>Rolecall</at>", "mentioned": activity["recipient"]},
        {"type": "mention", "text": "<at>Fiona</at>", "mentioned": {"id": "29:fiona", "name": "Fiona"}},
    ]
    activity |= {
        "text": "<at>Rolecall</at>&nbsp;what is Rolecall, <at>Fiona</at>&#63;\n&lt;b&gt;",
        "entities": mentions,
    }
    assert (await fake.deliver(activity))[0] == 200
    await stage.settled()
    assert stage.world.script.heard[0].message.text == "what is Rolecall, Fiona?\n<b>"


def settings(**teams: Any) -> Settings:
    host = teams.pop("host", "127.0.0.1")
    return Settings.model_validate(
        {"version": 1, "serve": {"host": host}, "doors": {"teams": {"tenant": TENANT, **teams}}}
    )


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({}, "app_id"),
        ({"app_id": "", "password": {"env": "X"}}, "development"),
        ({"development": True, "host": "0.0.0.0"}, "serve.host"),
        ({"app_id": APP, "development": True, "host": "localhost", "password": {"env": "X"}}, "serve.host"),
        ({"app_id": "my-bot", "password": {"env": "X"}}, "GUID"),
        ({"app_id": APP}, "none"),
        ({"app_id": APP, "password": {"env": "X"}, "managed_identity": True}, "password and managed_identity"),
        ({"app_id": APP, "tenant": "acme.onmicrosoft.com", "password": {"env": "X"}}, "tenant"),
    ],
)
def test_settings_that_would_leave_the_door_open_do_not_start(given: dict[str, Any], word: str) -> None:
    from bot.doorways.teams import checked

    with pytest.raises(ConfigError, match=word):
        checked(settings(**given))


def test_settings_that_start() -> None:
    from bot.doorways.teams import checked

    assert checked(settings(development=True)).development
    assert checked(settings(app_id=APP, host="0.0.0.0", password={"env": "X"})).password == Secret(env="X")


def test_a_policy_knows_admins_and_marks() -> None:
    policy = parse_policy(
        f"""
version: 1
tenants: {{teams: [{TENANT}]}}
labels: [company, filings]
roles:
  everyone: {{applies_to: members, read: [company]}}
  owners: {{members: [teams-user:{TENANT}/{oid("fiona")}], admin: true}}
sensitivity: [{{name: Secret, labels: [filings]}}, {{name: Internal, labels: [company]}}]
"""
    )
    assert [(one.name, one.admin) for one in policy.roles] == [("everyone", False), ("owners", True)]
    marking = policy.marking(["company", "filings"])
    assert marking is not None
    assert marking.name == "Secret"
    assert policy.marking(["other"]) is None


@pytest.mark.parametrize(
    ("sensitivity", "word"),
    [
        ("[{name: A, labels: [filing]}]", "filings"),
        ("[{name: A, labels: []}]", "empty"),
        ("[{name: A, labels: [company]}, {name: B, labels: [company]}]", "also marked"),
        ("[{name: A, labels: [company]}, {name: A, labels: [filings]}]", "twice"),
        ("[{name: A}]", "labels"),
        ("[{name: A, label: [company]}]", "label"),
        ("{A: [company]}", "sensitivity"),
    ],
)
def test_a_mark_that_is_wrong_is_told(sensitivity: str, word: str) -> None:
    text = f"version: 1\ntenants: {{teams: [{TENANT}]}}\nlabels: [company, filings]\n"
    text += f"roles: {{everyone: {{applies_to: members, read: [company]}}}}\nsensitivity: {sensitivity}\n"
    with pytest.raises(ConfigError, match=word):
        parse_policy(text)


async def test_a_key_server_that_is_broken_is_a_503(stage: TeamsStage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(*_: object) -> web.Response:
        raise KeysUnavailable("there")

    monkeypatch.setattr(SigningKeys, "key", gone)
    activity = stage.fake.activity("fiona", stage.chat("fiona"), text="Hello")
    assert (await stage.fake.deliver(activity))[0] == 503
