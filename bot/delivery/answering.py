"""One claimed message, from its placeholder to its posted answer, and what becomes of it when something is away.

The order is what makes it safe: the audit row and the memory are committed with the answer, the gate looks again, the
answer is shown, and only then is the row closed. A crash in between repeats a step that changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from bot.access.gate import Gate
from bot.assistant.words import Words, words
from bot.delivery import audit
from bot.delivery.leases import Lease, LeaseLost
from bot.delivery.monitoring import CURRENT, Unwatched
from bot.delivery.patience import KEEP, TELL_AFTER, TURN_LIMIT, patient, pause
from bot.delivery.shown import Shown
from bot.delivery.turns import Turns, access_changed
from bot.errors import DoorUnavailable, IndexUnavailable, ModelUnavailable, Undeliverable
from bot.language import language
from bot.ports import AuditEntry, ChatDoor, Claim, Inbox, Journal, Monitor, Post
from bot.types import Answer, Delta, Done, Message, Status

ATTEMPTS = 5
"""How often a message is tried before its sender gets an apology."""
DOOR_PAUSE = 30.0
AWAY_PAUSE = 60.0
"""The longest waits, in seconds, before a door or a service that is away is tried again."""

_LOG = logging.getLogger("rolecall.delivery")


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: without text until the person is told, and that a turn may take, and that a question is kept."""

    tell_after: float = TELL_AFTER
    turn_limit: float = TURN_LIMIT
    keep: float = KEEP


DEFAULT = Timing()


class Answering:
    """Answers claims. `doors` are by the name that their events start with; `clock` is in seconds since 1970."""

    def __init__(
        self,
        inbox: Inbox,
        journal: Journal,
        doors: Mapping[str, ChatDoor],
        turns: Turns,
        gate: Gate,
        clock: Callable[[], float],
        new_id: Callable[[], str],
        timing: Timing = DEFAULT,
        monitor: Monitor | None = None,
    ):
        self._inbox = inbox
        self._journal = journal
        self._doors = doors
        self._turns = turns
        self._gate = gate
        self._clock = clock
        self._new_id = new_id
        self._timing = timing
        self._monitor = monitor or Unwatched()
        self._working: dict[Lease, asyncio.Task[Any]] = {}

    async def handle(self, claim: Claim, taken: float) -> None:
        """Bring one claim to its end, or give it back. `taken` is the time it was claimed with.

        This is the outermost layer of a message: an unknown failure is logged here and costs one of its attempts.
        """
        lease = Lease(self._inbox, claim, taken, self._clock)
        door = self._doors.get(claim.event.partition(":")[0])
        async with lease.kept(), self._registered(lease):
            try:
                if door is None:
                    raise DoorUnavailable("no such door is configured now")
                await self._deliver(claim, Shown(door, self._inbox, lease, self._clock))
            except LeaseLost:
                _LOG.warning("%s is another worker's now", claim.event)
            except DoorUnavailable as error:
                await self._door_away(claim, error)
            except Undeliverable as error:
                _LOG.error("%s cannot be delivered: %s", claim.event, error)
                await self._settle(self._buried(claim, str(error)))
            except asyncio.CancelledError:
                await self._settle(self._inbox.release(claim, self._clock(), counted=False))
                raise
            except Exception:  # noqa: BLE001 - the outermost layer of a message
                _LOG.exception("attempt %d at %s failed", claim.attempts, claim.event)
                again = self._clock() + pause(2.0**claim.attempts, DOOR_PAUSE)
                await self._settle(self._inbox.release(claim, again, counted=True))

    def let_go(self, which: Callable[[Message], bool]) -> list[asyncio.Task[Any]]:
        """Show nothing more of these messages; returns the tasks that work on them, to be cancelled."""
        leases = [lease for lease in self._working if which(lease.claim.message)]
        for lease in leases:
            lease.drop()
        return [self._working[lease] for lease in leases]

    @asynccontextmanager
    async def _registered(self, lease: Lease) -> AsyncIterator[None]:
        task = asyncio.current_task()
        if task is not None:
            self._working[lease] = task
        try:
            yield
        finally:
            self._working.pop(lease, None)

    async def _deliver(self, claim: Claim, shown: Shown) -> None:
        say = words(language(claim.message.text))
        if claim.notice:
            await shown.alone(Post("notice", say.busy))
            at = self._clock()
            entry = audit.closing("refused", claim.message, "", at, layer="limits", reason=claim.notice)
            self._monitor.ended("busy")
            await self._inbox.finish(claim, [entry])
            return
        if claim.withdrawn:
            await self._withdraw(claim, shown, say)
            return
        if claim.attempts > ATTEMPTS:
            await self._give_up(claim, shown, say, f"failed {ATTEMPTS} times")
            return
        answer = claim.answer or await self._answer(claim, shown, say)
        if answer is not None:
            CURRENT.set(answer.id)
            await self._show(claim, shown, answer)

    async def _withdraw(self, claim: Claim, shown: Shown, say: Words) -> None:
        """Drop a message that was stopped, or whose question is gone: nothing of it is remembered."""
        answer, at = claim.answer.id if claim.answer else "", self._clock()
        entry = audit.closing("withdrawn", claim.message, answer, at, reason=claim.withdrawn or "")
        await self._journal.unsay(answer)
        self._monitor.ended("withdrawn")
        if claim.withdrawn == "deleted":
            await shown.take_back()
            await self._inbox.erase(claim, [entry])
        else:
            await shown.become(Post("notice", say.stopped))
            await self._inbox.finish(claim, [entry])

    async def _show(self, claim: Claim, shown: Shown, answer: Answer) -> None:
        """Show a recorded answer to those who may see it now."""
        message, entries = claim.message, list[AuditEntry]()
        with self._monitor.step("gate", answer=answer.id):
            final = await self._gate.room(message, answer)
        if final is None:
            final = access_changed(message, answer)
            self._monitor.ended("withheld")
            entries.append(audit.closing("withheld", message, answer.id, self._clock(), layer="gate"))
        with self._monitor.step("show", answer=answer.id):
            await self._speak(claim, shown, Post("answer", final.text, final.sources, final.id))
            await shown.attach(final.files)
        self._monitor.waited("answer", self._clock() - claim.received)
        if final.private is not None and (private := await self._gate.asker(message, final.private)) is not None:
            await shown.alone(Post("answer", private.text, private.sources, private.id))
            await shown.attach(private.files, alone=True)
        await self._inbox.finish(claim, entries)

    async def _answer(self, claim: Claim, shown: Shown, say: Words) -> Answer | None:
        """Compute and record the answer; None if it must wait for something that is away, and the person knows."""
        answer_id, message = self._new_id(), claim.message
        CURRENT.set(answer_id)
        about = {"door": claim.event.partition(":")[0], "room": message.room.kind, "question": message.text}
        try:
            with self._monitor.step("turn", answer=answer_id, **about):
                answer = await self._computed(claim, answer_id, shown, say)
                self._monitor.made(answer)
        except (ModelUnavailable, IndexUnavailable, TimeoutError) as error:
            await self._away(claim, shown, say, error)
            return None
        now = self._clock()
        entries = audit.entries(claim.message, answer, now)
        if not await self._inbox.answered(claim, answer, entries, audit.remembered(claim.message, answer, now)):
            raise LeaseLost(claim.event)
        self._monitor.answered(answer)
        return answer

    async def _computed(self, claim: Claim, answer_id: str, shown: Shown, say: Words) -> Answer:
        """The turn's answer; what is known of it so far is shown meanwhile."""
        await shown.begin(Post("status", say.thinking))
        message, answer, so_far, late = claim.message, Answer(""), Delta(""), ""
        replies = self._turns.take(message, answer_id)
        try:
            async with aclosing(patient(replies, self._timing.tell_after, self._timing.turn_limit)) as patiently:
                async for reply in patiently:
                    match reply:
                        case Done(answer=answer):
                            pass
                        case Delta():
                            if not so_far.text:
                                await self._journal.record([audit.begun(message, answer_id, self._clock())])
                            so_far = _grown(so_far, reply)
                            await self._show_piece(claim, shown, so_far, say)
                        case Status(text=text) if not so_far.text:
                            await shown.grow(Post("status", " · ".join(filter(None, (text, late)))))
                        case None:
                            late = say.slow
                            await shown.become(Post("status", late))
        except asyncio.CancelledError:
            await self._settle(shown.become(Post("status", say.slow)))
            raise
        return answer

    async def _show_piece(self, claim: Claim, shown: Shown, so_far: Delta, say: Words) -> None:
        """Show what has been checked so far, if all of it may still be shown."""
        if not shown.due:
            return
        whole = await self._gate.piece(claim.message, so_far)
        post = Post("status", say.writing) if whole is None else Post("piece", whole.text, whole.sources)
        await self._speak(claim, shown, post)

    async def _speak(self, claim: Claim, shown: Shown, post: Post) -> None:
        """Show words. How long somebody waited for the first ones is told once; if the answer comes whole, it is the first."""
        spoken = shown.spoken
        await shown.become(post)
        if shown.spoken and not spoken:
            self._monitor.waited("first_word", self._clock() - claim.received)

    async def _away(self, claim: Claim, shown: Shown, say: Words, error: Exception) -> None:
        """Tell the person that the question is kept, and give it back; after long enough, that it failed."""
        now = self._clock()
        age = now - claim.received
        _LOG.warning("%s waits: %s", claim.event, error or "it took too long")
        if age > self._timing.keep:
            await self._give_up(claim, shown, say, str(error) or "it took too long")
            return
        await shown.become(
            Post("status", say.documents_away if isinstance(error, IndexUnavailable) else say.model_away)
        )
        await self._inbox.release(claim, now + pause(age, AWAY_PAUSE), counted=False)

    async def _give_up(self, claim: Claim, shown: Shown, say: Words, reason: str) -> None:
        """Apologise, with an id that the log and the audit know."""
        number = self._new_id()
        CURRENT.set(number)
        _LOG.error("gave up %s under error %s: %s", claim.event, number, reason)
        self._monitor.ended("failed")
        await shown.become(Post("notice", say.gave_up.format(id=number), id=number))
        await self._inbox.finish(claim, [self._failed(claim, number, reason)], dead=True)

    async def _door_away(self, claim: Claim, error: DoorUnavailable) -> None:
        now = self._clock()
        age = now - claim.received
        if age > self._timing.keep:
            _LOG.error("%s was not delivered for %.0f s: %s", claim.event, age, error)
            self._monitor.ended("failed")
            await self._settle(self._buried(claim, str(error)))
            return
        again = now + max(error.retry_after, pause(age, DOOR_PAUSE))
        await self._settle(self._inbox.release(claim, again, counted=False))

    async def _buried(self, claim: Claim, reason: str) -> bool:
        """Close a row of which nothing can be shown any more. What was to be deleted is, though its chat does not hear of it."""
        entry = self._failed(claim, "", reason)
        if claim.withdrawn == "deleted":
            return await self._inbox.erase(claim, [entry])
        return await self._inbox.finish(claim, [entry], dead=True)

    def _failed(self, claim: Claim, number: str, reason: str) -> AuditEntry:
        return audit.closing("failed", claim.message, number, self._clock(), reason=reason)

    async def _settle(self, step: Coroutine[Any, Any, Any]) -> None:
        """Take a last step. If it fails too, the lease runs out and the row is tried again."""
        outcome = await asyncio.gather(step, return_exceptions=True)
        if isinstance(outcome[0], BaseException):
            _LOG.warning("a row was left to the end of its lease: %r", outcome[0])


def _grown(so_far: Delta, piece: Delta) -> Delta:
    sources = {(one.number, one.document): one for one in (*so_far.sources, *piece.sources)}
    return replace(
        piece,
        text=so_far.text + piece.text,
        sources=tuple(sources.values()),
        rests_on=so_far.rests_on | piece.rests_on,
    )
