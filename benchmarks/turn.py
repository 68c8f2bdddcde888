"""What a turn costs beside its model and its search: Rolecall's supervisor against a bare LangChain agent.

All rows do the same work with the same tool, which answers at once. The bare agent needs a model call to choose it; the
model here answers at once too, so that only the machinery is measured. A second table counts how often a model is asked for a
request of one step: each time costs what the model costs. Run: python -m benchmarks.turn
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from langchain.agents import create_agent
from langchain.tools import ToolRuntime
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.messages.tool import tool_call
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import BaseTool, tool
from rich.console import Console
from rich.table import Table

from bot.assistant.router import open_router
from bot.assistant.supervisor import Supervisor
from bot.settings import EmbeddingSettings
from bot.types import Access, Answer, Message, Plan, Principal, Room, Status, Turn
from connectors.models.embeddings import load_embeddings

QUESTION = "How many days of leave do new employees get?"
TURNS = 200
WARM_UP = 20
LIMIT_MS = 15.0


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds a turn, by one way of making it."""

    name: str
    ms: Sequence[float]

    @property
    def median(self) -> float:
        """Half of the turns are faster."""
        return statistics.median(self.ms)

    @property
    def slow(self) -> float:
        """Nineteen of twenty turns are faster."""
        return statistics.quantiles(self.ms, n=20)[-1]


class Ready(BaseChatModel):
    """A model that has always decided to search already."""

    @property
    def _llm_type(self) -> str:
        return "ready"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Ready:
        """Take any tools."""
        return self

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        call = tool_call(name="search_documents", args={"query": QUESTION}, id="c1")
        return ChatResult(generations=[ChatGeneration(message=AIMessage("", tool_calls=[call]))])


class Counting(Ready):
    """A model that decides to search when it is first asked, says it is done when it is asked again, and counts."""

    asked: int = 0

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        self.asked += 1
        if not isinstance(messages[-1], HumanMessage):
            return ChatResult(generations=[ChatGeneration(message=AIMessage("30 days."))])
        return super()._generate(messages, stop, run_manager, **kwargs)


class Decided:
    """A router that has always decided already."""

    async def route(self, text: str) -> Plan:
        """Pick the search."""
        return Plan("search_documents", "router", 1.0)


@tool("search_documents", response_format="content_and_artifact", return_direct=True)
async def search(query: str, runtime: ToolRuntime[Turn]) -> tuple[str, Answer]:
    """Search the company's documents."""
    runtime.stream_writer(Status("Searching"))
    return "30 days.", Answer("30 days.")


def a_turn() -> Turn:
    """A question of somebody who may search."""
    message = Message("m", Principal("slack", "T0", "U0"), Room("slack", "T0", "D0", "direct"), QUESTION)
    return Turn("t", message, Access(frozenset({frozenset({"company"})}), frozenset({"search_documents"})))


def bare_agent(tools: Sequence[BaseTool]) -> Any:
    """The agent that one would write without Rolecall."""
    return create_agent(Ready(), list(tools), system_prompt="Answer from documents.", context_schema=Turn)


async def bare(agent: Any) -> None:
    """One turn of the bare agent, streamed."""
    async for _ in agent.astream(
        {"messages": [HumanMessage(QUESTION)]}, context=a_turn(), stream_mode=["custom", "values"]
    ):
        pass


async def supervised(supervisor: Supervisor) -> None:
    """One turn of Rolecall's."""
    async for _ in supervisor.answer(a_turn()):
        pass


async def measure(name: str, one: Callable[[], Awaitable[object]], turns: int = TURNS) -> Measured:
    """Time each of many turns, after some that do not count."""
    for _ in range(WARM_UP):
        await one()
    took = []
    for _ in range(turns):
        started = time.perf_counter()
        await one()
        took.append((time.perf_counter() - started) * 1000)
    return Measured(name, took)


async def calls() -> dict[str, int]:
    """How often a model is asked for a request that one tool answers, by one way of making a turn each."""
    usual, planned, routed = Counting(), Counting(), Counting()
    loop = create_agent(usual, [search.model_copy(update={"return_direct": False})], context_schema=Turn)
    await bare(loop)
    await supervised(Supervisor(planned, [search], Decided(), mode="model", capable=True))
    await supervised(Supervisor(routed, [search], Decided(), capable=True))
    return {
        "bare LangChain agent, as usual": usual.asked,
        "Rolecall, the model chooses": planned.asked,
        "Rolecall, the router is sure": routed.asked,
    }


async def all_rows() -> list[Measured]:
    """The bare agent first: it is what the others are compared with."""
    agent = bare_agent([search])
    decided = Supervisor(Ready(), [search], Decided())
    router = open_router(load_embeddings(EmbeddingSettings()))
    whole = Supervisor(Ready(), [search], router)
    return [
        await measure("bare LangChain agent", lambda: bare(agent)),
        await measure("bare LangChain agent, made anew for each turn's tools", lambda: bare(bare_agent([search])), 50),
        await measure("Rolecall's supervisor, tool already chosen", lambda: supervised(decided)),
        await measure("Rolecall's router alone", lambda: router.route(QUESTION)),
        await measure("Rolecall's supervisor with its router", lambda: supervised(whole)),
    ]


def main() -> None:
    """Measure and print."""
    rows = asyncio.run(all_rows())
    table = Table(title="A turn without model and search")
    for title in ("", "median ms", "95 % ms", "ratio"):
        table.add_column(title, justify="right" if title else "left")
    for row in rows:
        table.add_row(row.name, f"{row.median:.1f}", f"{row.slow:.1f}", f"{row.median / rows[0].median:.2f}")
    console = Console()
    console.print(table)
    counted = Table("", "model calls", title="A request of one step")
    for name, asked in asyncio.run(calls()).items():
        counted.add_row(name, str(asked))
    console.print(counted)
    verdict = "under" if rows[-1].median < LIMIT_MS else "NOT under"
    console.print(f"The whole turn is {verdict} {LIMIT_MS:.0f} ms: {rows[-1].median:.1f} ms.")


if __name__ == "__main__":
    main()
