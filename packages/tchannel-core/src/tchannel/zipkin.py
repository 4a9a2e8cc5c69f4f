"""Zipkin hooks of tchannel-python, which are not part of this library."""

from ._ground.replaced import replaced

raise replaced(
    __name__,
    "leave the hook out. Trace ids are made and passed on for every call;"
    " TChannel(name, trace=True) or trace=0.01 marks calls as traced."
    " Spans are made by OpenTelemetry, and continue the traces of services that have Zipkin or Jaeger:"
    " pip install 'tchannel-observe[otel]', then"
    " tchannel_observe.otel.TChannelInstrumentor().instrument()",
)
