"""A collector that takes OTLP over HTTP, in a thread of its own."""

from __future__ import annotations

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Collector:
    """Keeps what exporters send to ``url``; ``status`` is what it answers them.

    While `hold` is cleared it answers nobody.
    """

    def __init__(self) -> None:
        self.requests: list[tuple[str, bytes]] = []
        self.status = 200
        self.hold = threading.Event()
        self.hold.set()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                collector.hold.wait(30)
                collector.requests.append((self.path, body))
                self.send_response(collector.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.hold.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def spans(self) -> list[tuple[Any, Any]]:
        """The spans that came, each with the resource that it is of."""
        from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

        found = []
        for path, body in list(self.requests):
            if path == "/v1/traces":
                sent = trace_service_pb2.ExportTraceServiceRequest.FromString(body)
                for of_resource in sent.resource_spans:
                    for scope in of_resource.scope_spans:
                        found += [(of_resource.resource, span) for span in scope.spans]
        return found

    def metrics(self) -> dict[str, Any]:
        """The metrics that came last, by name."""
        from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2

        found = {}
        for path, body in list(self.requests):
            if path == "/v1/metrics":
                sent = metrics_service_pb2.ExportMetricsServiceRequest.FromString(body)
                for of_resource in sent.resource_metrics:
                    for scope in of_resource.scope_metrics:
                        found.update({metric.name: metric for metric in scope.metrics})
        return found


def attributes_of(thing: Any) -> dict[str, Any]:
    """What a resource, a span or a point says, as a dict."""
    return {
        pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in thing.attributes
    }
