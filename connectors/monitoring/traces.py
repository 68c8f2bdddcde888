"""Sends spans to an OpenTelemetry collector, if the settings name one, and says whether it takes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import ClientError, ClientSession, ClientTimeout
from opentelemetry.trace import Tracer

PATIENCE = 5
"""Seconds that a collector may take."""


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
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(_address(url), timeout=PATIENCE)))
    try:
        yield provider.get_tracer("rolecall", version)
    finally:
        provider.shutdown()


async def collector_problem(url: str) -> str:
    """What is wrong with a collector, if anything: it is sent no spans, which is a whole message in OTLP."""
    headers = {"Content-Type": "application/x-protobuf"}
    try:
        async with (
            ClientSession(timeout=ClientTimeout(PATIENCE)) as session,
            session.post(_address(url), data=b"", headers=headers) as response,
        ):
            return "" if response.status < 300 else f"{_address(url)} says {response.status}"
    except (ClientError, TimeoutError, OSError) as error:
        return f"{_address(url)} does not answer: {error or type(error).__name__}"


def _address(url: str) -> str:
    return f"{url.rstrip('/')}/v1/traces"
