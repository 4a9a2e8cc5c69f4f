"""What log records say as attributes: whose connection, call or request they are about.

Every record of the ``tchannel`` loggers that is about a peer has all five attributes; those that the
line knows nothing of are None.

======================  ===========================================================
``record.peer``         the other side, as the ``host:port`` of its socket
``record.service``      the service that is called
``record.endpoint``     the endpoint that is called
``record.message_id``   the id of the request on its connection
``record.announced``    the address that the other side says it listens at: a claim
======================  ===========================================================
"""

from __future__ import annotations

from typing import TypedDict

__all__ = ["LogFields", "fields_of", "log_fields"]


class LogFields(TypedDict):
    """The attributes of a record, as ``extra=`` takes them."""

    peer: str | None
    service: str | None
    endpoint: str | None
    message_id: int | None
    announced: str | None


def log_fields(
    peer: str | None = None,
    service: str | None = None,
    endpoint: str | None = None,
    message_id: int | None = None,
    announced: str | None = None,
) -> LogFields:
    """Return the attributes of a record; what is empty is None."""
    return {
        "peer": peer or None,
        "service": service or None,
        "endpoint": endpoint or None,
        "message_id": message_id,
        "announced": announced,
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
    )
