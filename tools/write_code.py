"""write_code: the engineer as a tool that writes and runs code. Files and authority come from the turn."""

from __future__ import annotations

from langchain.tools import ToolRuntime
from langchain_core.tools import BaseTool, tool

from bot.assistant.engineer.writer import Writer
from bot.types import Answer, Turn
from tools.streaming import streamed


def write_code(writer: Writer) -> BaseTool:
    """The tool that writes code. Its artifact is the Answer; its events go to the stream writer."""

    @tool("write_code", response_format="content_and_artifact", return_direct=True)
    async def write(request: str, runtime: ToolRuntime[Turn]) -> tuple[str, Answer]:
        """Write a program, function, query or script, and run it where that is possible.

        Args:
            request: what is wanted, complete in itself, with the code and examples that the person gave.
        """
        return await streamed(writer.answer(runtime.context, request), runtime)

    return write
