"""The targets, by name.

A target is a function of bytes that raises nothing but what a caller could not expect: what is
documented as an error of the input is caught where it may occur, everything else is a finding.
"""

from collections.abc import Callable

from fuzzing import conversations, frames, texts, thrift

__all__ = ["TARGETS", "Target"]

Target = Callable[[bytes], None]

#: By name; the names are those of the folders in ``corpus``.
TARGETS: dict[str, Target] = {
    "frames": frames.frames,
    "messages": frames.messages,
    "connection": conversations.connection,
    "conversation": conversations.conversation,
    "thrift_headers": frames.thrift_headers,
    "payloads": thrift.payloads,
    "envelopes": thrift.envelopes,
    "idl": thrift.idl,
    "json": texts.json,
    "cassettes": texts.cassettes,
}
