"""The way out to Teams; implements ChatDoor.

`posted` is ``CONVERSATION|ID``, with an ID for each part of a long text, and a ``~`` before the id of a stream. Teams
cannot be asked for a message by a key, so each is noted right after it was posted: a crash in between leaves one orphan.
"""

from __future__ import annotations

import contextlib
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.access.policy import Policy
from bot.assistant.teams_words import TeamsWords, teams_words
from bot.errors import DoorUnavailable, Undeliverable
from bot.language import language
from bot.ports import Place, Post
from bot.types import Attachment
from connectors.chat.teams import cards, payloads
from connectors.chat.teams.formatting import markdown, parts
from connectors.chat.teams.posting import Posting
from connectors.chat.teams.store import Kept, Reference, TeamsStore
from connectors.chat.teams.streaming import Stopped, Streaming
from connectors.chat.teams.wire import Refused

TYPING = 3.5
"""Seconds for which the three dots stay."""
INLINE = 30_000
"""Bytes of a picture that fits into a message."""
PICTURES = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif"}


@dataclass(frozen=True, slots=True)
class Beside:
    """What the door asks of the house once it is open: the policy, who is an admin, and to stop somebody's question."""

    policy: Callable[[], Policy]
    admin: Callable[[str], Awaitable[bool]]
    stop: Callable[[Reference], None]


class TeamsDoor:
    """Posts, edits and takes away. `clock` counts seconds."""

    def __init__(
        self,
        posting: Posting,
        streaming: Streaming,
        store: TeamsStore,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._posting = posting
        self._streaming = streaming
        self._store = store
        self._clock = clock
        self._typed: dict[str, float] = {}
        self._beside: Beside | None = None

    def settle(self, beside: Beside) -> None:
        """The house is open."""
        self._beside = beside
        self._streaming.on_stop = beside.stop

    async def close(self) -> None:
        """End what goes on by itself."""
        await self._streaming.close()

    async def post(self, place: Place, post: Post, key: str) -> str:
        """Show a new message. Who cannot be written to in private is told so, once, where they asked."""
        with _translated():
            to = await self._target(place)
            made = None if to is None else await self._made(to, post, place)
            if made is None:
                room = await self._posting.reach(place.room, place.thread)
                notice = payloads.plain(teams_words(language(post.text)).cannot_write)
                made = _posted(room, [await self._posting.send(room, notice)])
        await self._store.note(key, made)
        return made

    async def edit(self, place: Place, posted: str, post: Post) -> str:
        """Replace a message of ours: the next step of a stream, its end, or an edit."""
        conversation, idents, stream = _parsed(posted)
        with _translated():
            to = await self._back(place, conversation)
            try:
                if not stream:
                    return await self._changed(to, idents, post)
                return await self._streamed(to, idents[0], post, posted)
            except Stopped:
                return posted

    async def find(self, place: Place, key: str) -> str | None:
        """What was noted under the key: Teams itself keeps none."""
        return await self._store.posted(key)

    async def remove(self, place: Place, posted: str) -> None:
        """Take a message of ours away, with all its parts."""
        conversation, idents, stream = _parsed(posted)
        with _translated():
            to = await self._back(place, conversation)
            if stream:
                idents = [await self._ended(to, idents[0])]
            for ident in idents:
                await self._posting.take_away(to, ident)
        await self._store.unnote(posted)

    async def attach(self, place: Place, file: Attachment, key: str) -> None:
        """Show a file: a small picture as it is, anything else by consent in the personal chat."""
        say = teams_words(language(file.name))
        with _translated():
            to = await self._target(place)
            if to is None:
                return
            kind = PICTURES.get(file.name.rpartition(".")[2].lower())
            if kind and len(file.content) <= INLINE:
                activity = payloads.plain("") | {"attachments": [_picture(file, kind)]}
            elif to.kind == "direct":
                await self._store.lay_by(key, Kept(to.conversation, file.name, file.content))
                activity = payloads.plain("") | {"attachments": [cards.consent(file, key, say)]}
            else:
                activity = payloads.plain(say.only_private.format(names=file.name))
            made = _posted(to, [await self._posting.send(to, activity)])
        await self._store.note(key, made)

    async def greet(self, to: Reference, text: str, examples: Sequence[str]) -> None:
        """Say hello, with requests to press in a personal chat."""
        activity = payloads.plain(markdown(text))
        with _translated():
            await self._posting.send(to, payloads.suggesting(activity, examples) if to.kind == "direct" else activity)

    async def _target(self, place: Place) -> Reference | None:
        if place.only is None or place.room.kind == "direct":
            return await self._posting.reach(place.room, place.thread)
        return await self._posting.chat(place.only)

    async def _back(self, place: Place, conversation: str) -> Reference:
        """How to reach what was posted: in the room, or in the chat of the only one who sees it."""
        known = await self._store.reference(conversation)
        if known is not None:
            return known
        there = await self._posting.reach(place.room, place.thread)
        if there.conversation != conversation:
            raise Undeliverable(f"{conversation}: this conversation is not known any more")
        return there

    async def _made(self, to: Reference, post: Post, place: Place) -> str | None:
        """The new message; None if its only reader has removed us."""
        if to.kind == "direct" and place.only is None and post.kind in ("status", "piece"):
            with contextlib.suppress(Refused):  # a client that takes no stream takes a message
                return f"{to.conversation}|~{await self._streaming.begin(to, post.text)}"
        if post.kind == "status":
            await self._type(to)
        try:
            return await self._changed(to, [], post)
        except Refused as error:
            if place.only is None or place.room.kind == "direct" or error.status not in (403, 404):
                raise
            await self._store.part(place.only.ref)
            return None

    async def _streamed(self, to: Reference, ident: str, post: Post, posted: str) -> str:
        if post.kind in ("status", "piece"):
            text = parts(markdown(post.text, growing=True))[0] if post.kind == "piece" else post.text
            if await self._streaming.step(to, ident, text, growing=post.kind == "piece"):
                return posted
        first, *rest = self._activities(post)
        if post.kind == "answer" and post.sources and not rest:
            first["attachments"] = [await self._sources(to, post)]  # a stream's end takes a card; an edit does not
        made = await self._streaming.end(to, ident, first)
        return await self._completed(to, [made], [first, *rest], post, start=1)

    async def _ended(self, to: Reference, ident: str) -> str:
        try:
            return await self._streaming.end(to, ident, payloads.plain("…"))
        except Stopped:
            return ident

    async def _changed(self, to: Reference, idents: list[str], post: Post) -> str:
        """An ordinary message, made or edited into what it is now."""
        if post.kind == "status" and idents:
            await self._type(to)
        return await self._completed(to, idents, self._activities(post), post)

    async def _completed(
        self, to: Reference, idents: list[str], activities: Sequence[dict[str, Any]], post: Post, start: int = 0
    ) -> str:
        """One message for each activity from `start` on: those that there are already are changed, others made, once."""
        made = list(idents)
        for number, activity in enumerate(activities[start:], start):
            again = (
                None
                if number < len(made) or not made
                else await self._store.posted(f"{to.conversation}|{made[0]}#{number}")
            )
            if again:
                made.append(again)
            if number < len(made):
                await self._posting.change(to, made[number], activity)
                continue
            made.append(await self._posting.send(to, activity))
            if number:
                await self._store.note(f"{to.conversation}|{made[0]}#{number}", made[number])
        for ident in made[len(activities) :]:
            await self._posting.take_away(to, ident)
        made = made[: len(activities)]
        if post.kind == "answer" and post.id:
            for ident in made:
                await self._store.say(to.conversation, ident, post.id)
        return _posted(to, made)

    def _activities(self, post: Post) -> list[dict[str, Any]]:
        """The post as messages: one, or more for a long text."""
        if post.kind in ("status", "notice"):
            return [payloads.plain(markdown(post.text))]
        say = teams_words(language(post.text))
        final = post.kind == "answer"
        texts = parts(markdown(post.text) + (_more(post, say) if final else ""))
        policy = self._beside.policy() if self._beside and final else None
        marking = policy.marking(label for one in post.sources for label in one.labels) if policy else None
        return [
            payloads.answer(
                text,
                post.sources,
                feedback=final and bool(post.id) and number == len(texts),
                sensitivity=marking,
            )
            for number, text in enumerate(texts, 1)
        ]

    async def _sources(self, to: Reference, post: Post) -> dict[str, Any]:
        admin = self._beside is not None and bool(to.person) and await self._beside.admin(to.person)
        return cards.sources(post.sources, teams_words(language(post.text)), admin=admin)

    async def _type(self, to: Reference) -> None:
        """Show the three dots of a chat, if they are not there; they go away by themselves. Channels have none."""
        now = self._clock()
        if to.team or ";messageid=" in to.conversation or now - self._typed.get(to.conversation, -TYPING) < TYPING:
            return
        self._typed = {one: at for one, at in self._typed.items() if now - at < TYPING}
        self._typed[to.conversation] = now
        await self._posting.send(to, payloads.typing())


@contextlib.contextmanager
def _translated() -> Any:
    """What Teams refuses for good will never be delivered."""
    try:
        yield
    except Refused as error:
        if error.status == 401:
            raise DoorUnavailable(f"Teams does not accept our token: {error}") from error
        raise Undeliverable(f"Teams says {error}") from error


def _more(post: Post, say: TeamsWords) -> str:
    left = payloads.uncited(post.text, post.sources)
    if not left:
        return ""
    return "\n\n" + "\n".join([say.more_sources, *(f"- [{one.number}] {payloads.named(one)}" for one in left)])


def _picture(file: Attachment, kind: str) -> dict[str, Any]:
    return {
        "contentType": kind,
        "name": file.name,
        "contentUrl": f"data:{kind};base64,{b64encode(file.content).decode()}",
    }


def _posted(to: Reference, idents: Sequence[str]) -> str:
    return f"{to.conversation}|{','.join(idents)}"


def _parsed(posted: str) -> tuple[str, list[str], bool]:
    """The conversation, the ids, and whether it is a stream."""
    conversation, _, rest = posted.rpartition("|")
    return conversation, rest.removeprefix("~").split(","), rest.startswith("~")
