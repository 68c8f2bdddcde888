"""What the audit says of an answer: who asked, who read along, what it rests on, who refused. Never what was said."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

from bot.assistant import memory
from bot.delivery.turns import FORGET, Turns
from bot.ports import AuditEntry, Journal, Remembered
from bot.types import Answer, Delta, Done, Message, Reply

LAYERS = {"no-access": "policy", "not-granted": "planner", "access-changed": "gate"}


def begun(message: Message, answer: str, at: float) -> AuditEntry:
    """Written before the first piece of an answer is shown."""
    return AuditEntry("begun", answer, message.sender.ref, message.room.ref, at)


def entries(message: Message, answer: Answer, at: float) -> tuple[AuditEntry, ...]:
    """One row for what the room hears, and one for what only the asker does."""
    rows = (_entry(message, answer, at, private=False),)
    return rows if answer.private is None else (*rows, _entry(message, answer.private, at, private=True))


def remembered(message: Message, answer: Answer, at: float) -> tuple[Remembered, ...]:
    """What the conversation will remember of an answer; nothing of its having been forgotten."""
    return () if answer.plan.tool == FORGET else memory.remembered(message, answer, at)


def closing(event: str, message: Message, answer: str, at: float, layer: str = "", reason: str = "") -> AuditEntry:
    """A row for what became of a message otherwise: ``withheld``, ``failed`` or ``refused``."""
    return AuditEntry(event, answer, message.sender.ref, message.room.ref, at, layer=layer, reason=reason)


async def recorded(
    turns: Turns, message: Message, journal: Journal, clock: Callable[[], float], answer_id: str
) -> AsyncIterator[Reply]:
    """A turn's replies, each passed on only when its audit row is committed."""
    started = False
    async with aclosing(turns.take(message, answer_id)) as replies:
        async for reply in replies:
            if isinstance(reply, Delta) and not started:
                await journal.record([begun(message, answer_id, clock())])
                started = True
            if isinstance(reply, Done):
                now = clock()
                await journal.record(entries(message, reply.answer, now), remembered(message, reply.answer, now))
            yield reply


def _entry(message: Message, answer: Answer, at: float, private: bool) -> AuditEntry:
    labels = {source.document: source.labels for source in answer.sources}
    event = "forgotten" if answer.plan.tool == FORGET else "refused" if answer.refused else "answered"
    return AuditEntry(
        event,
        answer.id,
        message.sender.ref,
        message.room.ref,
        at,
        policy=answer.access.policy,
        readers=tuple(sorted(tuple(sorted(reader)) for reader in answer.access.readers)),
        documents=tuple((name, tuple(sorted(labels.get(name, ())))) for name in sorted(answer.documents)),
        tool="+".join((answer.plan.tool, *answer.plan.then)),
        by=answer.plan.by,
        model=answer.model,
        layer=LAYERS.get(answer.refused, ""),
        reason=answer.refused,
        private=private,
        ms=dict(answer.ms),
    )
