"""classify: the analyst's sorting as a tool. The messages come from the turn; the model only passes the request on."""

from __future__ import annotations

from langchain.tools import ToolRuntime
from langchain_core.tools import BaseTool, tool

from bot.assistant.analyst import Analyst
from bot.types import Answer, Done, Turn


def classify(analyst: Analyst) -> BaseTool:
    """The tool `classify`. Its artifact is the Answer; its events go to the stream writer."""

    @tool("classify", response_format="content_and_artifact", return_direct=True)
    async def run(request: str, runtime: ToolRuntime[Turn]) -> tuple[str, Answer]:
        """Sort messages, a file or this thread under labels that the person names, or into themes if they name none.

        Args:
            request: the request as the person wrote it, with the messages in it.
        """
        answer = Answer("")
        async for reply in analyst.classify(runtime.context, request):
            if isinstance(reply, Done):
                answer = reply.answer
            else:
                runtime.stream_writer(reply)
        return answer.text, answer

    return run
