"""Sends one trace by each exporter of OpenTelemetry's SDK for Python, packed with gzip: GRPC_PORT HTTP_PORT."""

import sys

import grpc
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as OverGrpc
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as OverHttp
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

grpc_port, http_port = sys.argv[1:]
exporters = {
    "over-grpc": OverGrpc(
        endpoint=f"127.0.0.1:{grpc_port}", insecure=True, compression=grpc.Compression.Gzip, timeout=10
    ),
    "over-http": OverHttp(
        endpoint=f"http://127.0.0.1:{http_port}/v1/traces", compression=Compression.Gzip, timeout=10
    ),
}
for service, exporter in exporters.items():
    made = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(SimpleSpanProcessor(made))
    tracer = provider.get_tracer("tests", "1.0")
    with tracer.start_as_current_span("outer", attributes={"count": 7, "ratio": 0.5, "names": ["a", "b"]}) as outer:
        outer.add_event("began", {"first": True})
        with tracer.start_as_current_span("inner ä"):
            pass
    # Enough to be worth packing, and more than one frame of HTTP/2.
    for number in range(300):
        with tracer.start_as_current_span(f"span {number}", attributes={"text": "x" * 100}):
            pass
    if exporter.export(made.get_finished_spans()) is not SpanExportResult.SUCCESS:
        sys.exit(f"{service}: the export failed")
    exporter.shutdown()
    print(f"{service} {outer.get_span_context().trace_id:032x}")
