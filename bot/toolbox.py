"""Makes every tool that is installed, each with what it needs. Part of the wiring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bot.ports import Index, Sandbox, Threads
from bot.settings import Settings

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings
    from langchain_core.tools import BaseTool

    from bot.assistant.drafting import Drafter
    from bot.assistant.engineer.debugger import Debugger
    from bot.assistant.engineer.writer import Writer
    from bot.assistant.librarian import Librarian
    from bot.assistant.summarizing import Summarizer
    from bot.assistant.translating import Translator
    from connectors.models.load import LoadedModel
    from connectors.sandbox.local import LocalSandbox

Style = Literal["quote", "compose"]


@dataclass(frozen=True, slots=True)
class Parts:
    """What tools are made of. `style` overrides how answers from documents are made."""

    settings: Settings
    index: Index
    model: LoadedModel
    embeddings: Embeddings
    style: Style | None
    sandbox: Sandbox | None
    threads: Threads | None


def tools_of(parts: Parts) -> list[BaseTool]:
    """Every tool that is installed: the whole registry."""
    from tools.debug_code import debug_code
    from tools.draft import draft
    from tools.search import search_documents
    from tools.summarize import summarize
    from tools.translate import translate
    from tools.write_code import write_code

    settings, index, model, embeddings = parts.settings, parts.index, parts.model, parts.embeddings
    writer, debugger = engineer_of(model, parts.sandbox)
    summarizer, translator, drafter = editor_of(settings, model, embeddings, index, parts.threads, parts.style)
    return [
        search_documents(librarian_of(settings, index, model, embeddings, parts.style)),
        write_code(writer),
        debug_code(debugger),
        summarize(summarizer),
        translate(translator),
        draft(drafter),
    ]


def librarian_of(
    settings: Settings, index: Index, model: LoadedModel, embeddings: Embeddings, style: Style | None
) -> Librarian:
    """The specialist for documents."""
    from bot.assistant.librarian import Librarian

    wanted = style or settings.answers.style
    chosen: Style = ("compose" if model.capable else "quote") if wanted == "auto" else wanted
    return Librarian(index, model.chat, embeddings, chosen, settings.answers.sentences)


def engineer_of(model: LoadedModel, sandbox: Sandbox | None) -> tuple[Writer, Debugger]:
    """The two halves of the engineer; without a sandbox they run nothing, and say so."""
    from bot.assistant.engineer.debugger import Debugger
    from bot.assistant.engineer.writer import Writer
    from connectors.ruff import Ruff

    linter, capable, name = Ruff(), model.capable, model.name
    return (
        Writer(model.chat, sandbox, linter, capable=capable, model_name=name),
        Debugger(model.chat, sandbox, linter, capable=capable, model_name=name),
    )


def editor_of(
    settings: Settings,
    model: LoadedModel,
    embeddings: Embeddings,
    index: Index | None,
    threads: Threads | None,
    style: Style | None = None,
) -> tuple[Summarizer, Translator, Drafter]:
    """The specialists for texts. `style` overrides whether summaries are composed or quoted."""
    from bot.assistant.drafting import Drafter
    from bot.assistant.given import Giver
    from bot.assistant.summarizing import Summarizer
    from bot.assistant.translating import Translator

    giver, wanted = Giver(index, threads), style or settings.answers.style
    composes = model.capable if wanted == "auto" else wanted == "compose"
    translator = Translator(giver, model.chat, model.capable, model_name=model.name)
    drafter = Drafter(giver, model.chat, embeddings, model.capable, model_name=model.name)
    summarizer = Summarizer(
        giver, model.chat, embeddings, translator, "compose" if composes else "extract", model_name=model.name
    )
    return summarizer, translator, drafter


def sandbox_of(settings: Settings) -> LocalSandbox:
    """The sandbox, self-tested here and now: that takes a few tenths of a second. It may be one that only refuses."""
    from connectors.sandbox.interpreter import this_interpreter
    from connectors.sandbox.local import LocalSandbox, tiers
    from connectors.sandbox.tiers import Limits

    chosen = settings.sandbox
    choices = [tier for tier in tiers(this_interpreter()) if chosen.tier in ("auto", tier.name)]
    return LocalSandbox(choices, Limits(chosen.seconds, chosen.memory_mb << 20))
