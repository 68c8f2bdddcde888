"""Answers one turn: a LangChain agent that has exactly the granted tools, planned by the planner, streamed as replies.

It grants nothing and knows no documents. Authority is the turn, which tools get from the runtime as it came in.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, ModelCallLimitMiddleware
from langchain.agents.middleware.model_call_limit import ModelCallLimitExceededError
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from bot.assistant.chains import joined, parts, several
from bot.assistant.planner import Mode, Planner, Routes, Specialist, answers, prompt, replayed
from bot.assistant.small_talk import refusal
from bot.assistant.words import words
from bot.language import language
from bot.types import Answer, Delta, Done, Plan, Reply, Status, Turn

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.tools import BaseTool

AnyMiddleware = AgentMiddleware[Any, Any, Any]
NO_ACCESS = "no-access"
LONGEST = 60_000
"""Characters of a message: no chat sends longer ones, and each is read by many patterns."""
MODEL_CALLS = 6  # in one turn; a chain of three tools needs four


class Supervisor:
    """The assistant of a house: `tools` are all it has, `capable` says whether the model can be trusted to call them."""

    def __init__(
        self,
        model: BaseChatModel,
        tools: Sequence[BaseTool],
        router: Routes,
        *,
        mode: Mode = "auto",
        capable: bool = False,
        model_name: str = "",
        clock: Callable[[], float] = time.perf_counter,
    ):
        self._model = model
        self._specialists = {tool.name: Specialist.of(tool) for tool in tools}
        self._planner = Planner(router, self._specialists, mode, capable, model_name, clock)
        self._clock = clock
        self._follows = capable and mode != "router"
        self._agents: dict[tuple[frozenset[str], bool], Any] = {}

    async def answer(self, turn: Turn) -> AsyncIterator[Reply]:
        """Status and checked text as they come, then exactly one Done. Errors for the person travel on (BotError)."""
        started = self._clock()
        size = len(turn.message.text)
        speak = words(language(turn.message.text[:LONGEST]))
        if not turn.access.can_read and not turn.access.tools:
            yield Done(Answer(speak.no_access, refused=NO_ACCESS, id=turn.id))
            return
        if size > LONGEST:
            text = speak.message_too_long.format(size=f"{size:,}", limit=f"{LONGEST:,}")
            yield Done(Answer(text, id=turn.id))
            return
        state: Mapping[str, Any] = {}
        used, chain = UsageMetadataCallbackHandler(), self._chain(turn)
        try:
            agent = self._agent(turn, bool(chain))
            stream = agent.astream(
                {"messages": _conversation(turn), **chain},
                {"callbacks": [used]},
                context=turn,
                stream_mode=["custom", "values"],
            )
            async with aclosing(stream) as pieces:
                async for kind, piece in pieces:
                    if kind == "values":
                        state = piece
                    elif isinstance(piece, Delta):
                        yield replace(piece, rests_on=piece.rests_on | _read(state, turn))
                    elif isinstance(piece, Status):
                        yield piece
            answer = self._told(_answer(state, turn, speak.unclear), turn, state)
        except ModelCallLimitExceededError:
            answer = Answer(speak.too_many_steps, plan=state.get("plan", Answer("").plan))
        ms = {**answer.ms, "plan": state.get("plan_ms", 0.0), "total": (self._clock() - started) * 1000}
        yield Done(replace(answer, id=turn.id, ms=ms, tokens=_tokens(used), material=()))

    def _chain(self, turn: Turn) -> dict[str, Any]:
        """What the agent is told of a request with several parts; empty for one with a single part, which ends with its tool."""
        if turn.message.tool:
            return {}
        found = parts(turn.message.text)
        held = frozenset(self._specialists) & turn.access.tools
        if len(found) > 1 and all(part.tool in held for part in found):
            return {"chained": True, "parts": found}
        return {"chained": True} if self._follows and len(held) > 1 and several(turn.message.text) else {}

    def _told(self, answer: Answer, turn: Turn, state: Mapping[str, Any]) -> Answer:
        """An answer to the first part alone says which part it leaves out."""
        left = [part.tool for part in parts(turn.message.text)[1:] if not answer.refused and not turn.message.tool]
        missing = [tool for tool in left if tool not in frozenset(self._specialists) & turn.access.tools]
        if not missing or state.get("chained") or not answer.sources:
            return answer
        return replace(answer, text=f"{answer.text}\n\n{refusal(turn, missing[0], self._specialists)}")

    def _agent(self, turn: Turn, chained: bool) -> Any:
        """The agent for these tools, compiled once: compiling takes about as long as a whole turn.

        In a chain a tool does not end the turn.
        """
        granted = frozenset(self._specialists) & turn.access.tools
        if (granted, chained) not in self._agents:
            tools = [self._specialists[name].tool for name in sorted(granted)]
            tools = [tool.model_copy(update={"return_direct": False}) for tool in tools] if chained else tools
            limit: AnyMiddleware = ModelCallLimitMiddleware(run_limit=MODEL_CALLS, exit_behavior="error")
            middleware: list[AnyMiddleware] = [limit, self._planner]
            self._agents[granted, chained] = create_agent(
                self._model,
                tools,
                system_prompt=prompt("supervisor"),
                middleware=middleware,
                context_schema=Turn,
            )
        return self._agents[granted, chained]


def _tokens(used: UsageMetadataCallbackHandler) -> tuple[int, int]:
    """What the models of a turn read and wrote, as far as they tell."""
    of_models = used.usage_metadata.values()
    return sum(one["input_tokens"] for one in of_models), sum(one["output_tokens"] for one in of_models)


def _conversation(turn: Turn) -> list[BaseMessage]:
    """The earlier exchanges as messages, then the request."""
    messages: list[BaseMessage] = []
    for exchange in turn.history:
        messages += [HumanMessage(exchange.question), AIMessage(exchange.answer)]
    return [*messages, HumanMessage(turn.message.text)]


def _read(state: Mapping[str, Any], turn: Turn) -> frozenset[str]:
    """The documents that the model has read something of: in the conversation, and in what tools gave back."""
    tools = frozenset().union(*(one.documents for one in answers(state.get("messages", ()))))
    return tools | replayed(turn) if state.get("asked") else tools


def _answer(state: Mapping[str, Any], turn: Turn, unclear: str) -> Answer:
    """The last thing said: a specialist's own answer, or a model's words; they rest on all that the model has read."""
    plan: Plan = state["plan"]
    spoken: Answer | None = state.get("spoken")
    if spoken is not None:
        return replace(spoken, plan=plan)
    last, read, given = state["messages"][-1], _read(state, turn), answers(state["messages"])
    if state.get("chained") and given:
        whole = joined(given[-1], given)
        return replace(whole, plan=plan, rests_on=whole.rests_on | read)
    searched = any(one.searched for one in given)
    if isinstance(last, ToolMessage) and isinstance(last.artifact, Answer):
        return replace(last.artifact, plan=plan, rests_on=last.artifact.rests_on | read, searched=searched)
    if isinstance(last, AIMessage) and last.text:
        files = tuple(file for one in given for file in one.files)
        return Answer(last.text, plan=plan, rests_on=read, searched=searched, files=files)
    return Answer(unclear, plan=plan, searched=searched)
