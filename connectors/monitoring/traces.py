"""Sends spans to an OpenTelemetry collector, if the settings name one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.trace import Tracer


@contextmanager
def open_tracer(url: str | None, version: str) -> Iterator[Tracer | None]:
    """A tracer that sends to ``URL/v1/traces`` (OTLP over HTTP) in the background; None without a URL.

    What could not be sent is dropped: watching must not hold up answering.
    """
    if url is None:
        yield None
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource({"service.name": "rolecall", "service.version": version}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{url.rstrip('/')}/v1/traces", timeout=5)))
    try:
        yield provider.get_tracer("rolecall", version)
    finally:
        provider.shutdown()
