"""What Teams wants answered inside the request: thumbs, consent to files, message extensions, buttons of cards."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from bot.access.explain import giving
from bot.access.policy import Policy
from bot.assistant.teams_words import TeamsWords, teams_words
from bot.delivery.receiving import Receiver
from bot.language import Language
from bot.ports import Directory, Journal, Opinion, Records
from bot.types import Excerpt, Message, Principal
from connectors.chat.teams import cards, payloads
from connectors.chat.teams.events import Background
from connectors.chat.teams.files import TeamsFiles
from connectors.chat.teams.posting import Posting
from connectors.chat.teams.store import Kept, Reference, TeamsStore
from connectors.chat.teams.translation import NAME, Heard, payload

SUMMARIZE, TRANSLATE, EXPLAIN = "summarize", "translate", "explain"
Outcome = tuple[int, dict[str, Any] | None]


class Invokes:
    """Answers invokes. `clock` is in seconds since 1970."""

    def __init__(
        self,
        receiver: Receiver,
        directory: Directory,
        policy: Callable[[], Policy],
        journal: Journal,
        records: Records,
        posting: Posting,
        store: TeamsStore,
        files: TeamsFiles,
        background: Background,
        clock: Callable[[], float] = time.time,
    ):
        self._receiver = receiver
        self._directory = directory
        self._policy = policy
        self._journal = journal
        self._records = records
        self._posting = posting
        self._store = store
        self._files = files
        self._background = background
        self._clock = clock

    async def __call__(self, one: Heard) -> Outcome:
        """The status and body; 501 for what Rolecall has never offered."""
        name, found = one.activity.get("name"), one.activity.get("value")
        value: Mapping[str, Any] = found if isinstance(found, dict) else {}
        person = await self._person(one)
        match name:
            case "message/submitAction":
                return await self._opinion(one, person, value)
            case "fileConsent/invoke":
                return await self._consent(one, value)
            case "composeExtension/fetchTask" | "composeExtension/submitAction":
                return await self._extension(one, person, value)
            case "adaptiveCard/action":
                return await self._pressed(one, person, value)
        return 501, None

    async def _person(self, one: Heard) -> Principal | None:
        """Who pressed; None for whom roles.yaml gives nothing."""
        if one.sender is None:
            return None
        known = await self._directory.person(one.sender.ref)
        if known is None or known.ref != one.sender.ref or self._policy().grant(known).refusal:
            return None
        return known

    async def _opinion(self, one: Heard, person: Principal | None, value: Mapping[str, Any]) -> Outcome:
        """A thumb. Teams wants an empty object, whatever became of it."""
        said = _inner(value, "actionValue")
        reaction = said.get("reaction")
        answer = await self._store.answer(one.reference.conversation, str(one.activity.get("replyToId") or ""))
        if person is not None and answer and value.get("actionName") == "feedback" and reaction in ("like", "dislike"):
            reason = _reason(said.get("feedback"))
            await self._journal.opine(Opinion(answer, person.ref, reaction == "like", self._clock(), reason))
        return 200, {}

    async def _consent(self, one: Heard, value: Mapping[str, Any]) -> Outcome:
        """A file was accepted, or declined."""
        key = str(_inner(value, "context").get("file", ""))
        kept = await self._store.laid_by(key, one.reference.conversation)
        if kept is not None and value.get("action") == "accept":
            self._background.start(self._hand_over(one.reference, key, kept, _inner(value, "uploadInfo")))
        elif kept is not None:
            await self._store.hand_over(key)
        return 200, {}

    async def _hand_over(self, to: Reference, key: str, kept: Kept, upload: Mapping[str, Any]) -> None:
        if await self._files.put(upload, kept.content):
            card = cards.file_info(kept.name, upload)
            await self._posting.send(to, payloads.plain("") | {"attachments": [card]})
            await self._store.hand_over(key)
        else:
            await self._posting.send(to, payloads.plain(_words(to_locale="").file_failed))

    async def _extension(self, one: Heard, person: Principal | None, value: Mapping[str, Any]) -> Outcome:
        """Summarize, translate or explain a message: answered in the personal chat, where nobody reads along."""
        say = _words(to_locale=str(one.activity.get("locale") or ""))
        command = value.get("commandId")
        if command not in (SUMMARIZE, TRANSLATE, EXPLAIN):
            return 400, None
        if person is None:
            return 200, _dialog(say.not_yours)
        into = str(_inner(value, "data").get("into") or "").strip()[:40]
        if command == TRANSLATE and not into:
            card = cards.language_asked(say, say.own_language)
            return 200, {"task": {"type": "continue", "value": {"title": say.translate, "card": card}}}
        chat = await self._posting.chat(person)
        if chat is None:
            return 200, _dialog(say.cannot_open)
        excerpt = payload(value)
        await self._receiver.receive(_event(one), _request(one, person, chat, str(command), say, into, excerpt))
        return 200, _dialog(say.in_our_chat)

    async def _pressed(self, one: Heard, person: Principal | None, value: Mapping[str, Any]) -> Outcome:
        """A button of a card: who can read the sources, for admins."""
        action = _inner(value, "action")
        if action.get("verb") != cards.READERS:
            return 200, _card_error(400, "this button is not known any more")
        say = _words(to_locale=str(one.activity.get("locale") or ""))
        policy = self._policy()
        if person is None or not policy.grant(person).admin:
            return 200, _card_error(403, say.admins_only)
        named = _inner(action, "data").get("documents")
        documents = [str(one) for one in named][: cards.LISTED] if isinstance(named, list) else []
        labels = await self._records.labels_of(documents)
        lines = [
            say.read_by.format(document=document, who=_readers(policy, labels.get(document, frozenset()), say))
            for document in documents
        ]
        shown = cards.readers(lines, say)
        return 200, {"statusCode": 200, "type": cards.CARD, "value": shown["content"]}


def _request(
    one: Heard, person: Principal, chat: Reference, command: str, say: TeamsWords, into: str, excerpt: Excerpt
) -> Message:
    text = {SUMMARIZE: say.summarize_this, TRANSLATE: say.translate_this, EXPLAIN: say.explain_this}[command]
    tool = command if command in (SUMMARIZE, TRANSLATE) else ""
    return Message(_event(one), person, chat.place, text.format(language=into), excerpts=(replace(excerpt),), tool=tool)


def _event(one: Heard) -> str:
    return f"{NAME}:invoke/{one.reference.conversation}/{one.activity.get('id', '')}"


def _readers(policy: Policy, labels: frozenset[str], say: TeamsWords) -> str:
    """The roles that read a document, and whom roles.yaml names for them."""
    causes = giving(policy, labels)
    return "; ".join(f"{cause.role} ({', '.join(cause.members)})" for cause in causes) or say.nobody


def _reason(feedback: object) -> str:
    """What the person wrote: Teams sends it as JSON in a string, its test client as it is."""
    try:
        found = json.loads(feedback) if isinstance(feedback, str) else feedback
    except ValueError:
        found = feedback
    words = found.get("feedbackText") if isinstance(found, dict) else feedback
    return str(words or "")[:2000]


def _dialog(text: str) -> dict[str, Any]:
    return {"task": {"type": "message", "value": text}}


def _card_error(status: int, text: str) -> dict[str, Any]:
    value = {"code": "BadRequest" if status == 400 else "Forbidden", "message": text}
    return {"statusCode": status, "type": "application/vnd.microsoft.error", "value": value}


def _words(to_locale: str) -> TeamsWords:
    language: Language = "ja" if to_locale.lower().startswith("ja") else "en"
    return teams_words(language)


def _inner(found: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    inner = found.get(key)
    return inner if isinstance(inner, dict) else {}
