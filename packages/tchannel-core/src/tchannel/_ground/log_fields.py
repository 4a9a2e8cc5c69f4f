"""What log records say as attributes: whose connection, call or request they are about.

Every record of the ``tchannel`` loggers that is about a peer has all six attributes; those that the
line knows nothing of are None.

======================  ===========================================================
``record.peer``         the other side, as the ``host:port`` of its socket
``record.service``      the service that is called
``record.endpoint``     the endpoint that is called
``record.message_id``   the id of the request on its connection
``record.announced``    the address that the other side says it listens at: a claim
``record.trace_id``     the trace of the call, as 16 hexadecimal digits
======================  ===========================================================
"""

from __future__ import annotations

from typing import TypedDict

__all__ = ["LogFields", "fields_of", "log_fields", "trace_id_of"]


class LogFields(TypedDict):
    """The attributes of a record, as ``extra=`` takes them."""

    peer: str | None
    service: str | None
    endpoint: str | None
    message_id: int | None
    announced: str | None
    trace_id: str | None


def log_fields(
    peer: str | None = None,
    service: str | None = None,
    endpoint: str | None = None,
    message_id: int | None = None,
    announced: str | None = None,
    trace_id: str | None = None,
) -> LogFields:
    """Return the attributes of a record; what is empty is None."""
    return {
        "peer": peer or None,
        "service": service or None,
        "endpoint": endpoint or None,
        "message_id": message_id,
        "announced": announced,
        "trace_id": trace_id,
    }


def fields_of(subject: object) -> LogFields:
    """Return what is known of a request, either way, or of an error."""
    connection = getattr(subject, "connection", None)
    return log_fields(
        peer=getattr(subject, "peer", None) if connection is None else connection.address,
        service=getattr(subject, "service", None),
        endpoint=getattr(subject, "endpoint", None),
        message_id=getattr(subject, "id", None),
        announced=getattr(connection, "announced", None),
        trace_id=trace_id_of(getattr(subject, "tracing", None)),
    )


def trace_id_of(tracing: object) -> str | None:
    """Return the id of a trace as text; of the 25 bytes of the protocol, or what was made of them."""
    if isinstance(tracing, bytes):
        return tracing[16:24].hex()
    trace_id = getattr(tracing, "trace_id", None)
    return f"{trace_id:016x}" if isinstance(trace_id, int) else None
