"""A collector on loopback that takes OTLP over HTTP, and keeps what it was sent."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

PATH = "/v1/traces"


class Collector:
    """What was received.

    Attributes:
        url: the endpoint to set.
        spans: every span, as the protocol has it, in the order of arrival.
        resources: the attributes of each batch's resource.
        headers: those of the last batch.
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.spans: list[Any] = []
        self.resources: list[dict[str, str]] = []
        self.headers: dict[str, str] = {}

    def take(self, headers: dict[str, str], body: bytes) -> None:
        """Keep one batch."""
        traces = pytest.importorskip(
            "opentelemetry.proto.collector.trace.v1.trace_service_pb2",
            reason="needs the extra otel",
        )
        self.headers = headers
        for batch in traces.ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resources.append(_attributes(batch.resource))
            self.spans += [span for scope in batch.scope_spans for span in scope.spans]

    def named(self, name: str) -> list[dict[str, str]]:
        """Return the attributes of every span of a name."""
        return [_attributes(span) for span in self.spans if span.name == name]


def _attributes(what: Any) -> dict[str, str]:  # noqa: ANN401  (a message of the protocol)
    found = {}
    for each in what.attributes:
        kind = each.value.WhichOneof("value")
        found[each.key] = str(getattr(each.value, kind))
    return found


@contextmanager
def collecting() -> Iterator[Collector]:
    """Run a collector on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            assert self.path == PATH
            collector.take({k.lower(): v for k, v in self.headers.items()}, body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
