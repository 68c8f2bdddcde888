"""The last check before anything is shown: readers resolved again, each source checked in SQL, the text made inert.

It trusts neither the index nor the model: labels come from the SQL record of documents, and the readers from the room as
it is now, not as it was when the question came.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from urllib.parse import urlsplit

from bot.access.audience import Audience
from bot.access.cleaning import clean
from bot.ports import Records
from bot.types import Access, Answer, Citation, Delta, Message


class Gate:
    """Decides whether an answer may still be shown where it was asked.

    `hosts` are the hosts that links in answers may lead to; every other link becomes words.
    """

    def __init__(self, audience: Audience, records: Records, hosts: Collection[str] = ()):
        self._audience = audience
        self._records = records
        self._hosts = frozenset(hosts)

    async def room(self, message: Message, answer: Answer) -> Answer | None:
        """The answer as the room may see it now; None if somebody there may not see something that it rests on.

        The private answer in it is checked for the asker alone, and left out if they may not see it.
        """
        shown = await self._check(await self._audience.access(message.sender, message.room), answer)
        if shown is None or answer.private is None:
            return shown
        return replace(shown, private=await self.asker(message, answer.private))

    async def asker(self, message: Message, answer: Answer) -> Answer | None:
        """The answer as the asker alone may see it now; None if they may not."""
        return await self._check(await self._audience.private(message.sender), replace(answer, private=None))

    async def piece(self, message: Message, delta: Delta) -> Delta | None:
        """A streamed piece, under the same rule as a whole answer."""
        access = await self._audience.access(message.sender, message.room)
        if not await self._may_show(access, delta.documents):
            return None
        return replace(delta, text=clean(delta.text, self._hosts), sources=self._inert(delta.sources))

    async def _check(self, access: Access, answer: Answer) -> Answer | None:
        if not await self._may_show(access, answer.documents):
            return None
        files = tuple(replace(file, name=clean(file.name)) for file in answer.files)
        return replace(answer, text=clean(answer.text, self._hosts), sources=self._inert(answer.sources), files=files)

    async def _may_show(self, access: Access, documents: Collection[str]) -> bool:
        """Whether each reader may see each document, by the labels that SQL holds now: one it does not know, nobody may."""
        if not documents:
            return True
        current = await self._records.labels_of(documents)
        return all(access.sees(current.get(document, frozenset())) for document in documents)

    def _inert(self, sources: Collection[Citation]) -> tuple[Citation, ...]:
        """Sources whose titles are plain words and whose links lead to our own hosts."""
        return tuple(
            replace(source, title=clean(source.title, self._hosts), url=self._link(source.url)) for source in sources
        )

    def _link(self, url: str) -> str:
        return url if urlsplit(url).hostname in self._hosts else ""
