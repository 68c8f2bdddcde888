"""sentiment: the analyst's reading of moods as a tool. The messages come from the turn; the model only passes the request on."""

from __future__ import annotations

from langchain.tools import ToolRuntime
from langchain_core.tools import BaseTool, tool

from bot.assistant.analyst import Analyst
from bot.types import Answer, Done, Turn


def sentiment(analyst: Analyst) -> BaseTool:
    """The tool `sentiment`. Its artifact is the Answer; its events go to the stream writer."""

    @tool("sentiment", response_format="content_and_artifact", return_direct=True)
    async def run(request: str, runtime: ToolRuntime[Turn]) -> tuple[str, Answer]:
        """Tell how positive or negative messages are: one message, a list, a file or this thread, each and in sum.

        Args:
            request: the request as the person wrote it, with the messages in it.
        """
        answer = Answer("")
        async for reply in analyst.sentiment(runtime.context, request):
            if isinstance(reply, Done):
                answer = reply.answer
            else:
                runtime.stream_writer(reply)
        return answer.text, answer

    return run
