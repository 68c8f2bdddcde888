"""translate: the translator as a tool. What there is to translate comes from the turn."""

from __future__ import annotations

from langchain.tools import ToolRuntime
from langchain_core.tools import BaseTool, tool

from bot.assistant.translating import Translator
from bot.types import Answer, Turn
from tools.streaming import streamed


def translate(translator: Translator) -> BaseTool:
    """The tool that translates. Its artifact is the Answer; its events go to the stream writer."""

    @tool("translate", response_format="content_and_artifact", return_direct=True)
    async def translation(request: str, runtime: ToolRuntime[Turn]) -> tuple[str, Answer]:
        """Translate a text, a file, a thread or the previous answer into the language that the request names.

        Args:
            request: what is wanted, as the person wrote it, with any text they pasted.
        """
        return await streamed(translator.answer(runtime.context, request), runtime)

    return translation
