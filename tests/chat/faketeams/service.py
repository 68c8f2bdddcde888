"""The fake's HTTP side. It keeps every call, says no where Teams would, and shows what each reader would see."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import requests
from aiohttp import ClientSession, web

from tests.chat.faketeams.keys import claims, public_jwk, token

TENANT = "0d0c2f6e-5b1a-4c3d-9e8f-001122334455"
OTHERS = "0d0c2f6e-5b1a-4c3d-9e8f-665544332211"
APP = "a1b2c3d4-0000-4000-8000-000000000001"
BOT = f"28:{APP}"
LIMIT = 100_000
"""Bytes of UTF-16 of one message."""


def oid(name: str) -> str:
    """Somebody's Entra object id."""
    return f"00000000-0000-4000-8000-{name.encode().hex()[:12]:0>12}"


@dataclass
class Account:
    """Somebody with an account. `kind` is what Graph calls the user type."""

    name: str
    tenant: str = TENANT
    kind: str = "Member"
    groups: tuple[str, ...] = ()
    enabled: bool = True
    installed: bool = True

    @property
    def user(self) -> str:
        return f"29:{self.name}"

    @property
    def json(self) -> dict[str, Any]:
        return {"id": self.user, "name": self.name.title(), "aadObjectId": oid(self.name)}

    @property
    def roster(self) -> dict[str, Any]:
        guest = self.kind == "Guest"
        upn = f"{self.name}_x#EXT#@us" if guest else f"{self.name}@us"
        role = "guest" if guest else "user"
        return {**self.json, "tenantId": self.tenant, "userRole": role, "userPrincipalName": upn}


@dataclass
class Conversation:
    """A chat or a channel. `kind` is Teams' conversationType."""

    id: str
    kind: str
    members: list[str]
    team: str = ""
    shared: bool = False


@dataclass
class Shown:
    """A message of the bot's. `forms` are its activities, oldest first; a stream's steps are among them."""

    id: str
    conversation: str
    forms: list[dict[str, Any]] = field(default_factory=list)
    gone: bool = False
    streaming: bool = False
    begun: float = 0.0
    sequence: int = 0
    cancelled: bool = False

    @property
    def last(self) -> dict[str, Any]:
        return self.forms[-1]


@dataclass
class Call:
    """One call that the bot made."""

    method: str
    path: str
    body: Any
    authorization: str


class Relay:
    """MSAL's HTTP client, with Microsoft's addresses led here."""

    def __init__(self, url: str):
        self._url = url

    def get(self, url: str, **more: Any) -> requests.Response:
        return requests.get(self._here(url), **(more | {"timeout": 5}))

    def post(self, url: str, **more: Any) -> requests.Response:
        return requests.post(self._here(url), **(more | {"timeout": 5}))

    def close(self) -> None:
        pass

    def _here(self, url: str) -> str:
        for host in ("https://login.microsoftonline.com", "http://169.254.169.254"):
            url = url.replace(host, self._url)
        return url


class FakeTeams:
    """Microsoft, on one port. `clock` counts seconds for the two minutes of a stream."""

    def __init__(self, clock: Callable[[], float] | None = None):
        self.people: dict[str, Account] = {}
        self.conversations: dict[str, Conversation] = {}
        self.shown: dict[tuple[str, str], Shown] = {}
        self.calls: list[Call] = []
        self.keys = [public_jwk("k1")]
        self.faults: list[tuple[str, str, web.Response]] = []
        self.files: dict[str, bytes] = {}
        self.typing: list[str] = []
        self.tokens = 0
        self.page = 500
        self.app_url = ""
        self.url = ""
        self.hold = asyncio.Event()
        self.hold.set()
        self.holding = 0
        self._clock = clock or asyncio.get_running_loop().time
        self._numbers = count(1)
        self._session: ClientSession | None = None

    @property
    def relay(self) -> Relay:
        return Relay(self.url)

    @property
    def service(self) -> str:
        return f"{self.url}/connector/"

    def add(self, *people: Account) -> None:
        self.people |= {one.name: one for one in people}

    def fault(self, method: str, part: str, *answers: web.Response) -> None:
        """The next calls of this method whose path holds `part` are answered like this."""
        self.faults += [(method, part, one) for one in answers]

    def number(self) -> str:
        return f"{1_700_000_000_000 + next(self._numbers)}"

    def sent(self, method: str = "POST") -> list[dict[str, Any]]:
        """The bodies of the bot's calls about activities."""
        return [one.body for one in self.calls if one.method == method and "/activities" in one.path]

    async def deliver(self, activity: dict[str, Any], header: str | None = None) -> tuple[int, Any]:
        """Send the bot an activity, as the Bot Connector does."""
        assert self._session
        if header is None:
            header = f"Bearer {token(claims(APP, self.service))}"
        headers = {"Authorization": header} if header else {}
        async with self._session.post(self.app_url, json=activity, headers=headers) as response:
            body = await response.text()
            return response.status, json.loads(body) if body.startswith("{") else None

    def activity(self, who: str, conversation: Conversation, kind: str = "message", **more: Any) -> dict[str, Any]:
        """An activity that somebody causes."""
        person = self.people[who]
        data: dict[str, Any] = {"tenant": {"id": person.tenant if person.tenant == TENANT else TENANT}}
        if conversation.kind == "channel":
            data["channel"] = {"id": conversation.id, "type": "shared" if conversation.shared else "standard"}
            data["team"] = {"id": conversation.team}
        return {
            "type": kind,
            "id": self.number(),
            "channelId": "msteams",
            "serviceUrl": self.service,
            "from": person.json | ({"role": "bot", "id": f"28:{who}"} if person.kind == "Bot" else {}),
            "recipient": {"id": BOT, "name": "Rolecall"},
            "conversation": {
                "id": conversation.id,
                "conversationType": conversation.kind,
                "tenantId": TENANT,
                **({} if conversation.kind == "personal" else {"isGroup": True}),
            },
            "channelData": data,
            **more,
        }

    def messages(self, conversation: str) -> list[Shown]:
        """What the bot shows in a conversation now; a channel's threads are apart."""
        return [one for (where, _), one in self.shown.items() if where == conversation and not one.gone]

    def cancel(self, conversation: str) -> None:
        """Somebody presses the stop button of a stream."""
        for one in self.messages(conversation):
            if one.streaming:
                one.cancelled = True

    async def _connector(self, request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else None
        path = request.match_info["path"]
        self.calls.append(Call(request.method, path, body, request.headers.get("Authorization", "")))
        for fault in self.faults:
            if fault[0] == request.method and fault[1] in path:
                self.faults.remove(fault)
                return fault[2]
        self.holding += 1
        await self.hold.wait()
        if not request.headers.get("Authorization", "").startswith("Bearer t-https://api.botframework.com"):
            return _error(401, "Unauthorized", "no token")
        parts = path.split("/")
        if len(parts) == 1:
            return self._create(body)
        where = parts[1]
        match (request.method, parts[2:]):
            case "POST", ["activities"]:
                return self._post(where, body)
            case "PUT", ["activities", ident]:
                return self._put(where, ident, body)
            case "DELETE", ["activities", ident]:
                return self._delete(where, ident)
            case "GET", ["pagedmembers"]:
                return self._members(where, request.query.get("continuationToken", ""))
            case "GET", ["members", user]:
                return self._member(where, user)
        return _error(404, "NotFound", path)

    def _create(self, body: dict[str, Any]) -> web.Response:
        person = next((one for one in self.people.values() if one.user == body["members"][0]["id"]), None)
        if person is None or not person.installed or body["tenantId"] != TENANT:
            return _error(403, "ForbiddenOperationException", "the bot is not installed for this user")
        chat = Conversation(f"a:{person.name}", "personal", [person.name])
        self.conversations.setdefault(chat.id, chat)
        return web.json_response({"id": chat.id}, status=201)

    def _post(self, where: str, body: dict[str, Any]) -> web.Response:
        refusal = self._checked(where, body)
        if refusal is not None:
            return refusal
        info = _stream(body)
        if info is not None:
            return self._step(where, body, info)
        if body["type"] == "typing" and self.conversations[where.partition(";")[0]].kind == "channel":
            return _error(400, "BadArgument", "channels show no typing")
        if body["type"] == "typing":
            self.typing.append(where)
            return web.json_response({"id": self.number()}, status=201)
        if body.get("text") and body.get("attachments"):
            return web.Response(status=202)  # two messages, of which Teams names none
        return self._new(where, body)

    def _new(self, where: str, body: dict[str, Any], streaming: bool = False) -> web.Response:
        made = Shown(self.number(), where, [body], streaming=streaming, begun=self._clock(), sequence=1)
        self.shown[where, made.id] = made
        return web.json_response({"id": made.id}, status=201)

    def _step(self, where: str, body: dict[str, Any], info: dict[str, Any]) -> web.Response:
        if not where.startswith("a:") or body["conversation"]["conversationType"] != "personal":
            return _error(405, "MethodNotAllowed", "streams are for personal chats")
        if body["channelData"]["streamType"] != info["streamType"]:
            return _error(400, "BadArgument", "streamType")
        if "streamId" not in info:
            return self._new(where, body, True) if info["streamSequence"] == 1 else _error(400, "BadArgument", "id")
        stream = self.shown.get((where, info["streamId"]))
        if stream is None or not stream.streaming:
            return _error(403, "ContentStreamNotAllowed", "already completed")
        if stream.cancelled:
            stream.streaming = False
            return _error(403, "ContentStreamNotAllowed", "Content stream was canceled by user.")
        if self._clock() - stream.begun > 120:
            stream.streaming = False
            return _error(403, "ContentStreamNotAllowed", "exceeded streaming time")
        before = [one["text"] for one in stream.forms if (_stream(one) or {}).get("streamType") == "streaming"]
        if before and not body["text"].startswith(before[-1]):
            return _error(400, "BadRequest", "the content does not contain what was streamed before")
        if info["streamType"] != "final":
            if info["streamSequence"] <= stream.sequence:
                return _error(400, "ContentStreamSequenceOrderPreConditionFailed", "order")
            stream.sequence = info["streamSequence"]
        else:
            stream.streaming = False
        stream.forms.append(body)
        return web.json_response({"id": stream.id}, status=202)

    def _put(self, where: str, ident: str, body: dict[str, Any]) -> web.Response:
        shown = self.shown.get((where, ident))
        if shown is None or shown.gone or shown.streaming:
            return _error(404, "ActivityNotFoundInConversation", ident)
        if body.get("text") and body.get("attachments"):
            return _error(400, "BadSyntax", "a text and a card are two messages")
        refusal = self._checked(where, body)
        if refusal is not None:
            return refusal
        shown.forms.append(body)
        return web.json_response({"id": ident})

    def _delete(self, where: str, ident: str) -> web.Response:
        shown = self.shown.get((where, ident))
        if shown is None or shown.gone:
            return _error(404, "ActivityNotFoundInConversation", ident)
        shown.gone = True
        return web.json_response({})

    def _checked(self, where: str, body: dict[str, Any]) -> web.Response | None:
        """Why Teams would not take an activity."""
        room = self.conversations.get(where.partition(";")[0])
        if room is None:
            return _error(404, "ConversationNotFound", where)
        if room.kind == "personal" and not self.people[room.members[0]].installed:
            return _error(403, "ForbiddenOperationException", "the bot was removed")
        if len(json.dumps(body, ensure_ascii=False).encode("utf-16-le")) > LIMIT:
            return web.Response(status=413, text="<html>MessageSizeTooBig</html>", content_type="text/html")
        for entity in body.get("entities", ()):
            for claim in entity.get("citation", ()):
                appearance = claim["appearance"]
                if f"[{claim['position']}]" not in body["text"] or len(entity["citation"]) > 20:
                    return _error(400, "BadSyntax", "citation")
                if not (0 < len(appearance["name"]) <= 80 and 0 < len(appearance["abstract"]) <= 160):
                    return _error(400, "BadSyntax", "appearance")
        return None

    def _members(self, where: str, continuation: str) -> web.Response:
        room = self.conversations.get(where)
        if room is None:
            return _error(404, "ConversationNotFound", where)
        start = int(continuation or 0)
        some = [self.people[name].roster for name in room.members[start : start + self.page]]
        more = str(start + self.page) if start + self.page < len(room.members) else ""
        return web.json_response({"members": some, "continuationToken": more})

    def _member(self, where: str, user: str) -> web.Response:
        room = self.conversations.get(where)
        found = [self.people[name] for name in room.members if self.people[name].user == user] if room else []
        return web.json_response(found[0].roster) if found else _error(404, "MemberNotFoundInConversation", user)

    async def _graph(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        body = await request.json() if request.can_read_body else None
        self.calls.append(Call(request.method, f"graph/{path}", body, request.headers.get("Authorization", "")))
        for fault in self.faults:
            if fault[0] == request.method and fault[1] in f"graph/{path}":
                self.faults.remove(fault)
                return fault[2]
        if request.headers.get("Authorization") != "Bearer t-https://graph.microsoft.com/.default":
            return _error(401, "InvalidAuthenticationToken", "no token")
        parts = path.split("/")
        found = next((one for one in self.people.values() if len(parts) > 1 and oid(one.name) == parts[1]), None)
        if len(parts) == 1:
            return web.json_response({"value": [{"id": oid(next(iter(self.people)))}]})
        if found is None or found.tenant != TENANT:
            return _error(404, "Request_ResourceNotFound", parts[1])
        if len(parts) == 2:
            return web.json_response({"id": parts[1], "userType": found.kind, "accountEnabled": found.enabled})
        start = int(request.query.get("$skiptoken", 0))
        answer: dict[str, Any] = {"value": list(found.groups[start : start + 2])}
        if start + 2 < len(found.groups):
            answer["@odata.nextLink"] = f"{self.url}/graph/{path}?$skiptoken={start + 2}"
        return web.json_response(answer)

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.tokens += 1
        assert form["client_id"] == APP
        if form.get("client_secret") == "wrong":
            return web.json_response(
                {"error": "invalid_client", "error_description": "AADSTS7000215: wrong"}, status=401
            )
        self.calls.append(Call("TOKEN", str(form["scope"]), dict(form), ""))
        return web.json_response(
            {"token_type": "Bearer", "expires_in": 3600, "access_token": f"t-{str(form['scope']).split()[0]}"}
        )

    async def _identity(self, request: web.Request) -> web.Response:
        self.tokens += 1
        self.calls.append(Call("IDENTITY", str(request.query), dict(request.query), ""))
        resource = request.query["resource"]
        return web.json_response({"access_token": f"t-{resource}/.default", "expires_in": "3600", "resource": resource})

    async def _openid(self, request: web.Request) -> web.Response:
        login = f"https://login.microsoftonline.com/{TENANT}"
        return web.json_response(
            {
                "authorization_endpoint": f"{login}/oauth2/v2.0/authorize",
                "token_endpoint": f"{login}/oauth2/v2.0/token",
                "issuer": f"{login}/v2.0",
                "jwks_uri": f"{self.url}/keys",
            }
        )

    async def _metadata(self, request: web.Request) -> web.Response:
        self.calls.append(Call("GET", "metadata", None, ""))
        return web.json_response({"issuer": "https://api.botframework.com", "jwks_uri": f"{self.url}/keys"})

    async def _keys(self, request: web.Request) -> web.Response:
        return web.json_response({"keys": self.keys})

    async def _file(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if request.method == "PUT":
            self.files[name] = await request.read()
            return web.json_response({}, status=201)
        return web.Response(body=self.files[name]) if name in self.files else web.Response(status=404)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Serve as long as the block runs."""
        app = web.Application(client_max_size=64 << 20)
        app.router.add_route("*", "/connector/v3/{path:.*}", self._connector)
        app.router.add_route("*", "/graph/{path:.*}", self._graph)
        app.router.add_post("/{tenant}/oauth2/v2.0/token", self._token)
        app.router.add_get("/{tenant}/v2.0/.well-known/openid-configuration", self._openid)
        app.router.add_get("/metadata/identity/oauth2/token", self._identity)
        app.router.add_get("/openid", self._metadata)
        app.router.add_get("/keys", self._keys)
        app.router.add_route("*", "/files/{name}", self._file)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            async with ClientSession() as self._session:
                yield
        finally:
            self.hold.set()
            await runner.cleanup()


def _stream(body: dict[str, Any]) -> dict[str, Any] | None:
    return next((one for one in body.get("entities", ()) if one.get("type") == "streaminfo"), None)


def _error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status)
