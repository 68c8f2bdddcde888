"""debug_code: the engineer as a tool that finds and mends faults. The code itself is taken from the turn, word by word."""

from __future__ import annotations

from langchain.tools import ToolRuntime
from langchain_core.tools import BaseTool, tool

from bot.assistant.engineer.debugger import Debugger
from bot.types import Answer, Turn
from tools.streaming import streamed


def debug_code(debugger: Debugger) -> BaseTool:
    """The tool that repairs code. Its artifact is the Answer; its events go to the stream writer."""

    @tool("debug_code", response_format="content_and_artifact", return_direct=True)
    async def debug(request: str, runtime: ToolRuntime[Turn]) -> tuple[str, Answer]:
        """Find out why code or a query fails, and repair it; also explain an error message or a traceback.

        Args:
            request: what is wrong, in the person's own words.
        """
        return await streamed(debugger.answer(runtime.context, request), runtime)

    return debug
