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
        """The answer as the room may see it now; None if somebody there may not see one of its sources."""
        return await self._check(await self._audience.access(message.sender, message.room), answer)

    async def asker(self, message: Message, answer: Answer) -> Answer | None:
        """The answer as the asker alone may see it now; None if they may not."""
        return await self._check(await self._audience.private(message.sender), answer)

    async def piece(self, message: Message, delta: Delta) -> Delta | None:
        """A streamed piece, under the same rule as a whole answer."""
        access = await self._audience.access(message.sender, message.room)
        if not await self._may_show(access, delta.sources):
            return None
        return replace(delta, text=clean(delta.text, self._hosts))

    async def _check(self, access: Access, answer: Answer) -> Answer | None:
        if not await self._may_show(access, answer.sources):
            return None
        sources = tuple(replace(source, url=self._link(source.url)) for source in answer.sources)
        return replace(answer, text=clean(answer.text, self._hosts), sources=sources)

    async def _may_show(self, access: Access, sources: Collection[Citation]) -> bool:
        if not sources:
            return True
        current = await self._records.labels_of({source.document for source in sources})
        return all(access.sees(current.get(source.document, frozenset())) for source in sources)

    def _link(self, url: str) -> str:
        return url if urlsplit(url).hostname in self._hosts else ""
