"""Chooses the tool for a turn, as a LangChain middleware around the first model call; the loop stays LangChain's.

Small models cannot be trusted to call tools and big ones need not be asked when the choice is plain. So the router's
choice becomes the first model message where it is sure enough, and the model is asked where it is not and the model can.
A tool that was not granted is not in the agent: nothing here could call it.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import Any, Literal, NotRequired, cast

from langchain.agents.middleware import AgentMiddleware, AgentState, ExtendedModelResponse, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.messages.tool import ToolCall, tool_call
from langchain_core.tools import BaseTool
from langgraph.types import Command
from pydantic import BaseModel, ValidationError

from bot.assistant.bare import bare
from bot.assistant.chains import STEPS, Part, handed_on, is_empty, latest
from bot.assistant.features import announcement
from bot.assistant.followups import BACK, anew, completed, wants_form, wants_length
from bot.assistant.given import parted
from bot.assistant.router import CHAT, SEARCH, Router, Routes
from bot.assistant.small_talk import TOOLS, fixed, help_text, refusal
from bot.assistant.words import words
from bot.errors import ModelUnavailable
from bot.language import language
from bot.types import Answer, Exchange, Plan, Status, Turn

__all__ = ["Mode", "Planned", "Planner", "Router", "Routes", "Specialist", "prompt"]

Mode = Literal["auto", "router", "model"]
Handler = Callable[[ModelRequest[Turn]], Awaitable[ModelResponse[Any]]]
NOT_GRANTED = "not-granted"
SUMMARIZE = "summarize"
WRITERS = (SUMMARIZE, "draft")
SURE = 0.6  # at this confidence nineteen of twenty choices of the router are right (tests/assistant/test_router.py)

UNSEEN, LINES = "- …", 4  # what stands for a line that was sent with an earlier question, and how many at most
PLAIN = 0.94  # above this a follow-up says itself what it is for, whatever was asked before


class Planned(AgentState[Any]):
    """What the planner leaves for the supervisor: the choice, and the answer if that took no tool.

    `asked` says that the model has read the conversation: what it then calls or writes may carry something of it.
    `chained` says that the request may go through several specialists, `parts` which ones if a rule could tell.
    """

    plan: NotRequired[Plan]
    plan_ms: NotRequired[float]
    asked: NotRequired[bool]
    spoken: NotRequired[Answer]
    chained: NotRequired[bool]
    parts: NotRequired[tuple[Part, ...]]


@dataclass(frozen=True, slots=True)
class Specialist:
    """A tool as the planner calls it. `request` is the one argument that carries the person's request."""

    tool: BaseTool
    schema: type[BaseModel]
    request: str

    @classmethod
    def of(cls, tool: BaseTool) -> Specialist:
        """Find the argument for the request. Raises TypeError unless exactly one argument is a required string."""
        schema = tool.tool_call_schema
        fields = schema.model_fields if isinstance(schema, type) and issubclass(schema, BaseModel) else {}
        required = [name for name, field in fields.items() if field.is_required() and field.annotation is str]
        if not (isinstance(schema, type) and issubclass(schema, BaseModel)) or len(required) != 1:
            raise TypeError(f"tool {tool.name}: needs exactly one required string argument, has {required}")
        return cls(tool, schema, required[0])

    def call(self, text: str) -> ToolCall:
        """The call that hands the person's own words to this specialist."""
        return tool_call(name=self.tool.name, args={self.request: text}, id=uuid.uuid4().hex)

    def accepts(self, arguments: Mapping[str, Any]) -> bool:
        """Whether a model's arguments fit the tool."""
        try:
            self.schema.model_validate(arguments)
        except ValidationError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Step:
    """The first step of a turn: call a specialist, or say something without one."""

    plan: Plan
    message: AIMessage
    spoken: Answer | None = None

    @classmethod
    def calling(cls, plan: Plan, call: ToolCall) -> Step:
        """Hand the request to a specialist."""
        return cls(plan, AIMessage("", tool_calls=[call]))

    @classmethod
    def saying(cls, plan: Plan, answer: Answer) -> Step:
        """Answer at once."""
        return cls(plan, AIMessage(answer.text), answer)


class Planner(AgentMiddleware[Planned, Turn, Any]):
    """Answers the first model call of a turn with the choice of a tool, or in fixed words.

    `specialists` are all that this installation has, by name; those of a turn come with the request. `model_name` is
    what an answer written by the model itself is signed with.
    """

    state_schema = Planned

    def __init__(
        self,
        router: Routes,
        specialists: Mapping[str, Specialist],
        mode: Mode = "auto",
        capable: bool = False,
        model_name: str = "",
        clock: Callable[[], float] = time.perf_counter,
    ):
        self._router = router
        self._specialists = specialists
        self._mode = mode
        self._capable = capable
        self._model_name = model_name
        self._clock = clock

    async def awrap_model_call(
        self, request: ModelRequest[Turn], handler: Handler
    ) -> ModelResponse[Any] | ExtendedModelResponse[Any]:
        """Plan the first step; later steps of a chain are the model's own."""
        if isinstance(request.messages[-1], ToolMessage) and request.state.get("chained"):
            return await self._go_on(request, handler)
        if not isinstance(request.messages[-1], HumanMessage):
            return ExtendedModelResponse(await handler(request), Command(update={"asked": True}))
        started, turn = self._clock(), request.runtime.context
        first = next(iter(_state(request).get("parts", ())), None)
        plan = Plan(first.tool, "rule", 1.0) if first else await self._route(turn)
        asks = self._asks_model(plan) or (bool(request.state.get("chained")) and self._may_ask)
        text = first.text if first else turn.message.text
        step = await (self._by_model if asks else self._carry_out)(plan, request, handler, text)
        took = (self._clock() - started) * 1000
        update = {"plan": step.plan, "plan_ms": took, "asked": asks} | ({"spoken": step.spoken} if step.spoken else {})
        update |= {"parts": ()} if step.plan.by == "model" else {}
        return ExtendedModelResponse(ModelResponse(result=[step.message]), Command(update=update))

    @property
    def _may_ask(self) -> bool:
        """Whether a model plans the steps of a chain."""
        return self._capable and self._mode != "router"

    async def _go_on(self, request: ModelRequest[Turn], handler: Handler) -> ExtendedModelResponse[Any]:
        """The next step of a chain: the next part by rule, or what a capable model calls next; else the end."""
        turn, given = request.runtime.context, answers(request.messages)
        parts = _state(request).get("parts", ())
        call: ToolCall | None = None
        asks = not parts and self._may_ask and len(given) < STEPS
        if not given or is_empty(given[-1]):
            asks = False
        elif parts:
            left = parts[len(given) :]
            call = self._specialists[left[0].tool].call(left[0].text) if left else None
        elif asks:
            call = await self._next_by_model(request, handler)
        if call is None:
            return ExtendedModelResponse(ModelResponse(result=[AIMessage("")]), Command(update={}))
        self._announce(request, turn, call["name"], len(given) + 1)
        plan = _state(request)["plan"]
        update: dict[str, Any] = {"plan": replace(plan, then=(*plan.then, call["name"]))} | (
            {"asked": True} if asks else {}
        )
        return ExtendedModelResponse(ModelResponse(result=[AIMessage("", tool_calls=[call])]), Command(update=update))

    async def _next_by_model(self, request: ModelRequest[Turn], handler: Handler) -> ToolCall | None:
        """The granted tool that the model calls next and has not called in the same words before."""
        try:
            message = _spoken_by(await handler(request))
        except ModelUnavailable:
            return None
        granted = {tool.name for tool in request.tools if isinstance(tool, BaseTool)}
        made = [one for said in request.messages if isinstance(said, AIMessage) for one in said.tool_calls]
        for call in message.tool_calls[:1]:
            again = any((one["name"], one["args"]) == (call["name"], call["args"]) for one in made)
            if call["name"] in granted and self._specialists[call["name"]].accepts(call["args"]) and not again:
                return call
        return None

    async def awrap_tool_call(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        """In a chain, hand each specialist its part of the request and what was found before it, under the same authority."""
        if not request.state.get("chained"):
            return await handler(request)
        turn, steps = request.runtime.context, _steps(request.state["messages"])
        parts: tuple[Part, ...] = request.state.get("parts", ())
        text = parts[len(steps)].text if parts else turn.message.text
        inner = (
            handed_on(turn, latest(steps), text) if steps else replace(turn, message=replace(turn.message, text=text))
        )
        writer = request.runtime.stream_writer
        quiet = replace(request.runtime, context=inner, stream_writer=lambda event: _status_only(writer, event))
        return await handler(request.override(runtime=quiet))

    def _announce(self, request: ModelRequest[Turn], turn: Turn, tool: str, number: int) -> None:
        speak = words(language(turn.message.text))
        request.runtime.stream_writer(Status(speak.steps.format(number=number, what=speak.abilities.get(tool, tool))))

    async def _route(self, turn: Turn) -> Plan:
        """What the person chose themselves or a rule can tell, or the router's choice.

        Where that is not sure, what came beside the request is likelier meant than the documents.
        """
        if turn.message.tool:
            return Plan(turn.message.tool, "person", 1.0)
        text = turn.message.text
        if turn.history and SUMMARIZE in turn.access.tools and wants_form(text, turn.history[-1]):
            return Plan(SUMMARIZE, "rule", 1.0)
        tool = bare(parted(text)[0])
        if tool and tool in self._specialists:
            return Plan(tool, "rule", 1.0)
        if own := await self._own_deed(turn):
            return own
        plan = await self._router.route(completed(text, [_without_material(one) for one in turn.history]))
        uploaded = (section.text for upload in turn.uploads for section in upload.sections)
        brought = any(text.strip() for text in chain(uploaded, (one.text for one in turn.message.excerpts)))
        if brought and plan.tool in (SEARCH, CHAT) and plan.confidence < SURE and SUMMARIZE in turn.access.tools:
            return Plan(SUMMARIZE, plan.by, plan.confidence)
        return plan

    async def _own_deed(self, turn: Turn) -> Plan | None:
        """The choice for a follow-up that says plainly itself what is to be done with what was sent before; None for others.

        What is to be shorter or longer goes to whoever wrote it. Of what was sent, the router sees that it was there and no word.
        """
        text = turn.message.text
        if turn.history and wants_length(text):
            earlier = [_without_material(one) for one in turn.history]
            plan = await self._router.route(completed(earlier[-1].question, earlier[:-1]))
            return plan if plan.tool in WRITERS else None
        if not turn.history or not anew(text):
            return None
        sent = next(filter(None, (parted(one.question)[1] for one in reversed(turn.history[-BACK:]))), "")
        plan = await self._router.route("\n".join([text, *(UNSEEN for _ in sent.splitlines()[:LINES])]))
        return plan if plan.tool not in (SEARCH, CHAT) and plan.confidence >= PLAIN else None

    def _asks_model(self, plan: Plan) -> bool:
        if plan.by == "person":
            return False
        return self._mode == "model" or (self._mode == "auto" and self._capable and plan.confidence < SURE)

    async def _carry_out(self, plan: Plan, request: ModelRequest[Turn], handler: Handler, text: str) -> Step:
        """Do as the plan says with the request, or its first part (`text`). Where it is not sure, a search does no harm."""
        turn = request.runtime.context
        granted = {tool.name for tool in request.tools if isinstance(tool, BaseTool)}
        if plan.confidence < SURE and SEARCH in granted and plan.tool not in granted:
            plan = Plan(SEARCH, plan.by, plan.confidence)
        if plan.tool in granted:
            return Step.calling(plan, self._specialists[plan.tool].call(text))
        if plan.tool == CHAT:
            return await self._chat(plan, request, handler)
        return self._refuse(plan, turn)

    async def _by_model(self, plan: Plan, request: ModelRequest[Turn], handler: Handler, text: str) -> Step:
        """Let the model call a tool. Its own words are no answer from documents: they count only where the router sees chat."""
        turn = request.runtime.context
        request.runtime.stream_writer(Status(words(language(turn.message.text)).thinking))
        try:
            message = _spoken_by(await handler(request))
        except ModelUnavailable:
            return await self._carry_out(plan, request, handler, text)
        if not message.tool_calls:
            return (
                self._chatted(message, turn)
                if plan.tool == CHAT
                else await self._carry_out(plan, request, handler, text)
            )
        call = message.tool_calls[0]
        chosen = Plan(call["name"], "model", 1.0)
        if call["name"] not in {tool.name for tool in request.tools if isinstance(tool, BaseTool)}:
            return (
                self._refuse(chosen, turn)
                if call["name"] in TOOLS
                else await self._carry_out(plan, request, handler, text)
            )
        specialist = self._specialists[call["name"]]
        return Step.calling(chosen, call if specialist.accepts(call["args"]) else specialist.call(turn.message.text))

    async def _chat(self, plan: Plan, request: ModelRequest[Turn], handler: Handler) -> Step:
        """Answer in fixed words; a capable model may make conversation, under a prompt that lets it claim nothing."""
        turn = request.runtime.context
        text = fixed(turn, self._specialists)
        if text is None and self._capable:
            asked = request.override(tools=[], system_message=SystemMessage(prompt("chat")))
            try:
                return Step.saying(plan, self._said(_spoken_by(await handler(asked)), turn))
            except ModelUnavailable:
                pass
        return Step.saying(plan, Answer(text or help_text(turn, self._specialists)))

    def _chatted(self, message: AIMessage, turn: Turn) -> Step:
        text = fixed(turn, self._specialists)
        return Step.saying(Plan(CHAT, "model", 1.0), Answer(text) if text else self._said(message, turn))

    def _said(self, message: AIMessage, turn: Turn) -> Answer:
        """The model's own words: they may carry something of all that it read."""
        return Answer(message.text, model=self._model_name, rests_on=replayed(turn))

    def _refuse(self, plan: Plan, turn: Turn) -> Step:
        return Step.saying(plan, Answer(refusal(turn, plan.tool, self._specialists), refused=NOT_GRANTED))


def _without_material(exchange: Exchange) -> Exchange:
    """An earlier question up to its material, after which the words of a follow-up would not be read."""
    asked = announcement(exchange.question).rstrip(":： ")
    return replace(exchange, question=asked) if asked else exchange


def _state(request: ModelRequest[Turn]) -> Planned:
    """The agent's state, which has what `state_schema` says."""
    return cast(Planned, request.state)


def answers(messages: Any) -> list[Answer]:
    """What the specialists gave back so far."""
    return [answer for _, answer in _steps(messages)]


def _steps(messages: Any) -> list[tuple[str, Answer]]:
    """The specialists that were called so far, and what each gave back."""
    said = (message for message in messages if isinstance(message, ToolMessage))
    return [(message.name or "", message.artifact) for message in said if isinstance(message.artifact, Answer)]


def _status_only(writer: Callable[[Any], None], event: Any) -> None:
    """What a specialist in the middle of a chain writes is no part of the answer yet; what it is doing may be seen."""
    if isinstance(event, Status):
        writer(event)


def replayed(turn: Turn) -> frozenset[str]:
    """The documents that the replayed conversation rests on."""
    return frozenset().union(*(exchange.documents for exchange in turn.history))


@cache
def prompt(name: str) -> str:
    """A prompt from bot/assistant/prompts."""
    return files("bot.assistant").joinpath("prompts", f"{name}.md").read_text(encoding="utf-8")


def _spoken_by(response: ModelResponse[Any]) -> AIMessage:
    message = response.result[-1]
    if not isinstance(message, AIMessage):
        raise TypeError(f"the model answered with a {type(message).__name__}")
    return message
