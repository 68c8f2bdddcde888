"""Prometheus metrics and OpenTelemetry spans of what happens to messages; implements the Monitor port.

A span never carries what was said, unless the admin switched that on for debugging.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal, get_args

from opentelemetry.trace import NoOpTracer, StatusCode, Tracer, get_current_span
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from bot.delivery.audit import LAYERS
from bot.ports import Ended, Queue, SyncRun, Verdict
from bot.types import Answer

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300, 900)
_STEPS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120)


class Metrics:
    """Everything under ``/metrics``. `says` lets spans carry the text of questions."""

    def __init__(self, tracer: Tracer | None = None, says: bool = False):
        self._tracer = tracer or NoOpTracer()
        self._says = says
        self.registry = CollectorRegistry()
        own = self.registry
        self._received = Counter(
            "rolecall_messages", "Messages taken in, by door and verdict", ("door", "verdict"), registry=own
        )
        self._waited = Histogram(
            "rolecall_wait_seconds",
            "From a message's arrival until something",
            ("until",),
            buckets=_SECONDS,
            registry=own,
        )
        self._answers = Counter(
            "rolecall_answers", "Answers made, by tool and who planned it", ("tool", "by"), registry=own
        )
        self._refusals = Counter(
            "rolecall_refusals", "Answers refused, by the layer that did", ("layer",), registry=own
        )
        self._ended = Counter(
            "rolecall_ended", "Messages that ended otherwise than in an answer", ("how",), registry=own
        )
        self._steps = Histogram(
            "rolecall_step_seconds", "Seconds by step of a turn", ("step",), buckets=_STEPS, registry=own
        )
        self._tokens = Counter("rolecall_tokens", "Tokens that models read and wrote", ("direction",), registry=own)
        self._queue = Gauge("rolecall_queue_messages", "Messages in the inbox, by state", ("state",), registry=own)
        self._oldest = Gauge(
            "rolecall_queue_age_seconds", "Age of the oldest message that is not answered", registry=own
        )
        self._breakers = Gauge(
            "rolecall_breaker_open", "1 while a service is taken to be away", ("service",), registry=own
        )
        self._synced = Gauge(
            "rolecall_sync_finished_seconds", "Unix time of the last whole sync", ("source",), registry=own
        )
        self._failed = Gauge(
            "rolecall_sync_failed_documents", "Files that could not be read", ("source",), registry=own
        )
        self._policy = Gauge(
            "rolecall_policy_alarm", "1 while roles.yaml is broken and an older one holds", registry=own
        )
        self._build = Info("rolecall_build", "Version, model and sandbox tier", registry=own)
        self._begin()

    def _begin(self) -> None:
        """Count from nought what an alarm waits for: Prometheus sees no increase in a counter that begins at one."""
        for how in get_args(Ended):
            self._ended.labels(how)
        for layer in sorted({*LAYERS.values(), "limits"}):
            self._refusals.labels(layer)

    def received(self, door: str, verdict: Verdict) -> None:
        """A message came in through a door."""
        self._received.labels(door, verdict).inc()

    def waited(self, until: Literal["first_word", "answer"], seconds: float) -> None:
        """How long somebody waited."""
        self._waited.labels(until).observe(seconds)

    def answered(self, answer: Answer) -> None:
        """An answer was made."""
        self._answers.labels(answer.plan.tool, answer.plan.by).inc()
        if answer.refused:
            self._refusals.labels(LAYERS.get(answer.refused, "assistant")).inc()
        for step, ms in answer.ms.items():
            self._steps.labels(step).observe(ms / 1000)
        for direction, count in zip(("read", "written"), answer.tokens, strict=True):
            self._tokens.labels(direction).inc(count)

    def ended(self, how: Ended) -> None:
        """A message ended otherwise."""
        self._ended.labels(how).inc()
        if how in ("busy", "withheld"):
            self._refusals.labels("limits" if how == "busy" else "gate").inc()

    def made(self, answer: Answer) -> None:
        """Attributes of the span that is open now."""
        get_current_span().set_attributes(
            {
                "rolecall.tool": "+".join((answer.plan.tool, *answer.plan.then)),
                "rolecall.by": answer.plan.by,
                "rolecall.model": answer.model,
                "rolecall.refused": answer.refused,
                "rolecall.tokens": answer.tokens,
                **{f"rolecall.ms.{step}": ms for step, ms in answer.ms.items()},
            }
        )

    @contextmanager
    def step(self, name: str, **about: str) -> Iterator[None]:
        """A span around one step. What an error says may quote the question, so that a span bears its kind alone."""
        told = {f"rolecall.{key}": value for key, value in about.items() if key != "question" or self._says}
        with self._tracer.start_as_current_span(
            f"rolecall.{name}", attributes=told, record_exception=self._says, set_status_on_exception=self._says
        ) as span:
            try:
                yield
            except BaseException as error:  # whatever it is goes on; the span only bears its kind
                span.set_attribute("error.type", type(error).__name__)
                if not self._says:
                    span.set_status(StatusCode.ERROR)
                raise

    def built(self, about: Mapping[str, str]) -> None:
        """What runs: version, model, sandbox tier."""
        self._build.info(dict(about))

    def stands(self, queue: Queue, breakers: Mapping[str, bool], runs: Sequence[SyncRun], alarm: bool) -> None:
        """How things stand at this moment."""
        for state in ("waiting", "running", "dead"):
            self._queue.labels(state).set(getattr(queue, state))
        self._oldest.set(queue.oldest)
        for service, away in breakers.items():
            self._breakers.labels(service).set(away)
        for run in runs:
            self._synced.labels(run.source).set(run.finished)
            self._failed.labels(run.source).set(run.failed)
        self._policy.set(alarm)

    def text(self) -> bytes:
        """The whole in Prometheus' text format."""
        return generate_latest(self.registry)
