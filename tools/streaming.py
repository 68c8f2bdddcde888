"""What every specialist's tool does: its events go to the stream writer, its final answer becomes the artifact."""

from __future__ import annotations

from collections.abc import AsyncIterator

from langchain.tools import ToolRuntime

from bot.types import Answer, Done, Reply, Turn


async def streamed(replies: AsyncIterator[Reply], runtime: ToolRuntime[Turn]) -> tuple[str, Answer]:
    """Pass on what comes before the end; the answer's text is what a model reads of it."""
    answer = Answer("")
    async for reply in replies:
        if isinstance(reply, Done):
            answer = reply.answer
        else:
            runtime.stream_writer(reply)
    return answer.text, answer
