"""What it costs to be watched: everything that is told the monitor of one message, beside the turn that it is about.

The turn is the one of benchmarks.turn, without its model and its search: of a whole one the share is smaller still.
Run: python -m benchmarks.watching
"""

from __future__ import annotations

import asyncio

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from rich.console import Console
from rich.table import Table

from benchmarks.turn import Ready, measure, search, supervised
from bot.assistant.router import open_router
from bot.assistant.supervisor import Supervisor
from bot.delivery.monitoring import Unwatched
from bot.ports import Monitor
from bot.settings import EmbeddingSettings
from bot.types import Answer, Plan
from connectors.models.embeddings import load_embeddings
from connectors.monitoring.metrics import Metrics

ANSWER = Answer(
    "30 days.", plan=Plan("search_documents", "router", 1.0), ms={"plan": 5.0, "search": 6.0, "total": 40.0}
)
TURNS = 2000
LIMIT = 0.02


class Nowhere(SpanExporter):
    """Takes spans and does nothing with them: a collector's network is not what is measured."""

    def export(self, spans: object) -> SpanExportResult:
        """Drop them."""
        return SpanExportResult.SUCCESS


async def told(monitor: Monitor) -> None:
    """What bot/delivery tells of one message on its way."""
    monitor.received("slack", "accepted")
    with monitor.step("turn", answer="a1", door="slack", room="public", question="How many days?"):
        monitor.waited("first_word", 0.4)
        monitor.made(ANSWER)
    monitor.answered(ANSWER)
    with monitor.step("gate", answer="a1"):
        pass
    with monitor.step("show", answer="a1"):
        pass
    monitor.waited("answer", 0.6)


async def _run() -> None:
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    supervisor = Supervisor(Ready(), [search], open_router(load_embeddings(EmbeddingSettings())))
    turn = await measure("a turn without model and search", lambda: supervised(supervisor))
    monitors: list[tuple[str, Monitor]] = [
        ("not watched", Unwatched()),
        ("metrics", Metrics()),
        ("metrics and traces", Metrics(provider.get_tracer("rolecall"))),
    ]
    table = Table("what is told", "median ms", "share of a turn", title="Being watched")
    table.add_row(turn.name, f"{turn.median:.3f}", "")
    shares = []
    for name, monitor in monitors:
        row = await measure(name, lambda watching=monitor: told(watching), TURNS)  # type: ignore[misc]
        shares.append(row.median / turn.median)
        table.add_row(name, f"{row.median:.4f}", f"{shares[-1]:.2%}")
    Console().print(table)
    Console().print(f"The most is {'under' if max(shares) < LIMIT else 'NOT under'} {LIMIT:.0%}: {max(shares):.2%}.")
    provider.shutdown()


def main() -> None:
    """Measure and print."""
    asyncio.run(_run())


if __name__ == "__main__":
    main()
