"""One message, from the question to the gated answer: the room's answer, and the asker's fuller one in private.

The room hears only what all of its readers may see. When the asker may see more, the same question is answered again
under the asker's own access and goes to the asker alone; the room's text does not depend on whether that happened.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace

from bot.access.audience import Audience
from bot.access.cleaning import clean
from bot.access.gate import Gate
from bot.assistant.memory import Memory, wants_forgetting
from bot.assistant.words import words
from bot.language import language
from bot.ports import Assistant, FileReader
from bot.types import Access, Answer, Delta, Done, Message, Plan, Reply, Turn, Upload

ACCESS_CHANGED = "access-changed"
NO_READER = "files are not read here"
FORGET = "forget"
"""The plan of a turn that forgot its conversation: nothing is remembered of it."""


class Turns:
    """Takes messages. `new_id` makes an id for an answer that is not given one; `reader` opens files, if there is one."""

    def __init__(
        self,
        audience: Audience,
        assistant: Assistant,
        gate: Gate,
        memory: Memory,
        new_id: Callable[[], str],
        reader: FileReader | None = None,
    ):
        self._audience = audience
        self._assistant = assistant
        self._gate = gate
        self._memory = memory
        self._new_id = new_id
        self._reader = reader

    async def take(self, message: Message, answer_id: str = "") -> AsyncGenerator[Reply, None]:
        """The replies to one message: status and checked pieces, then one Done whose answer passed the gate.

        Nothing is recorded here: whoever shows the replies does that first.
        """
        access = await self._audience.access(message.sender, message.room)
        if wants_forgetting(message.text) and (access.can_read or access.tools):
            yield Done(await self._forget(message, access, answer_id or self._new_id()))
            return
        turn = await self._turn(message, access, answer_id or self._new_id(), message.room.kind == "direct")
        answer = Answer("")
        async for reply in self._assistant.answer(turn):
            match reply:
                case Done(answer=answer):
                    pass
                case Delta():
                    piece = await self._gate.piece(message, reply)
                    if piece:
                        yield piece
                case _:
                    yield reply
        answer = replace(answer, id=turn.id, access=access, private=await self._supplement(turn, answer))
        shown = await self._gate.room(message, answer) or access_changed(message, answer)
        yield Done(replace(shown, text=shown.text + _unread_files(message, turn.uploads)))

    async def _turn(self, message: Message, access: Access, answer_id: str, private: bool) -> Turn:
        history = await self._memory.recall(message, access, private)
        return Turn(answer_id, message, access, history, await self._uploads(message, access))

    async def _uploads(self, message: Message, access: Access) -> tuple[Upload, ...]:
        """The files of a message, one after the other. Nobody's files are opened for whom nothing is open here."""
        if not (access.can_read or access.tools):
            return ()
        if self._reader is None:
            return tuple(Upload(file.name, problem=NO_READER) for file in message.files)
        return tuple([await self._reader.read(file) for file in message.files])

    async def _forget(self, message: Message, access: Access, answer_id: str) -> Answer:
        await self._memory.forget(message)
        text = words(language(message.text)).forgotten
        return Answer(text, plan=Plan(FORGET, "rule", 1.0), id=answer_id, access=access)

    async def _supplement(self, turn: Turn, answer: Answer) -> Answer | None:
        """What the asker may see beyond the room, if that is a different answer from documents."""
        message = turn.message
        if message.room.kind == "direct" or not answer.searched or answer.refused:
            return None
        access = await self._audience.private(message.sender)
        if not _wider(access, turn.access):
            return None
        history = await self._memory.recall(message, access, private=True)
        fuller = await self._final(replace(turn, access=access, history=history))
        if fuller.text == answer.text or fuller.documents <= answer.documents:
            return None
        return replace(fuller, id=turn.id, access=access)

    async def _final(self, turn: Turn) -> Answer:
        answer = Answer("")
        async for reply in self._assistant.answer(turn):
            if isinstance(reply, Done):
                answer = reply.answer
        return answer


def access_changed(message: Message, answer: Answer) -> Answer:
    """What takes the place of an answer that the gate does not let pass."""
    text = words(language(message.text)).access_changed
    return replace(answer, text=text, sources=(), rests_on=frozenset(), private=None, files=(), refused=ACCESS_CHANGED)


def _wider(access: Access, room: Access) -> bool:
    return access.can_read and access.readers != room.readers


def _unread_files(message: Message, uploads: Sequence[Upload]) -> str:
    """Nothing that came with a message is passed over in silence."""
    unread = [clean(f"{upload.name}: {upload.problem}") for upload in uploads if upload.problem]
    if not unread:
        return ""
    say = words(language(message.text))
    return "\n\n" + say.files_unread.format(files="\n".join(f"- {one}" for one in unread))
