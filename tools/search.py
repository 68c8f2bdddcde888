"""search_documents: the librarian as a tool. The model gives a query; who may read what comes from the turn."""

from __future__ import annotations

from dataclasses import replace

from langchain.tools import ToolRuntime
from langchain_core.tools import BaseTool, tool

from bot.assistant.librarian import Librarian
from bot.types import Answer, Turn
from tools.streaming import streamed


def search_documents(librarian: Librarian) -> BaseTool:
    """The tool that answers from company documents. Its artifact is the Answer; its events go to the stream writer."""

    @tool("search_documents", response_format="content_and_artifact", return_direct=True)
    async def search(query: str, runtime: ToolRuntime[Turn]) -> tuple[str, Answer]:
        """Search the company's documents and answer from them, with sources.

        Args:
            query: the question, complete in itself, in the language it was asked in.
        """
        text, answer = await streamed(librarian.answer(runtime.context, query), runtime)
        return text, replace(answer, searched=True)

    return search
