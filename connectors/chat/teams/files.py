"""Files of a personal chat: fetched from, and put into, Microsoft's own hosts and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from bot.errors import DoorUnavailable, UnreadableDocument
from bot.types import Attachment
from connectors.chat.teams.endpoints import Endpoints
from connectors.chat.teams.translation import NAME, PICTURE
from connectors.sources.uploads import MAX_UPLOAD

LIMIT = ClientTimeout(60)


class TeamsFiles:
    """Fetches what people attach, and puts what they consented to. No token of ours goes along."""

    def __init__(self, session: ClientSession, endpoints: Endpoints, limit: int = MAX_UPLOAD):
        self._session = session
        self._endpoints = endpoints
        self._limit = limit

    async def fetch(self, file: Attachment) -> bytes:
        """A file's bytes. Raises UnreadableDocument if Teams will never give them, DoorUnavailable if not now."""
        url = file.ref.removeprefix(f"{NAME}:")
        if url == PICTURE:
            raise UnreadableDocument("is a picture pasted into the message; pictures are not read")
        if not self._endpoints.keeps_files(url):
            raise UnreadableDocument("does not lie with Microsoft, so it is not fetched")
        try:
            async with self._session.get(url, timeout=LIMIT, allow_redirects=False) as response:
                if response.status >= 500 or response.status == 429:
                    raise DoorUnavailable(f"the file cannot be fetched now: {response.status}")
                if response.status != 200:
                    raise UnreadableDocument("cannot be fetched any more; please attach it again")
                return await self._capped(response.content)
        except (ClientError, TimeoutError, OSError) as error:
            raise DoorUnavailable(f"the file cannot be fetched now: {error or type(error).__name__}") from error

    async def put(self, upload: Mapping[str, Any], content: bytes) -> bool:
        """Put a file where its reader allowed it; whether that worked."""
        url = str(upload.get("uploadUrl", ""))
        if not self._endpoints.keeps_files(url):
            return False
        size = len(content)
        headers = {"Content-Type": "application/octet-stream", "Content-Range": f"bytes 0-{size - 1}/{size}"}
        try:
            async with self._session.put(
                url, data=content, headers=headers, timeout=LIMIT, allow_redirects=False
            ) as response:
                return response.status in (200, 201)
        except (ClientError, TimeoutError, OSError):
            return False

    async def _capped(self, stream: Any) -> bytes:
        """The bytes, counted while they come."""
        content = bytearray()
        async for chunk in stream.iter_chunked(64 << 10):
            content += chunk
            if len(content) > self._limit:
                raise UnreadableDocument(f"has more than {self._limit >> 20} MB; more is not read")
        return bytes(content)
