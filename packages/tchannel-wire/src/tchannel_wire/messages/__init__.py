"""The messages of the protocol, one class each: what is in a frame, field by field.

`encode` and `decode` turn a message into the bytes of its frame and back. In every class `_read`
stands next to `_write`, and both name the fields in the order of the wire.

Relays, tools and tests use these classes. `Connection` builds and reads the small call frames
itself, because an object per frame would be half of what a call costs, and comes here for all else.
"""

from .call import CallRequest, CallResponse
from .call_continue import CallRequestContinue, CallResponseContinue
from .chunks import MORE_FRAGMENTS, STREAMING, read_chunks
from .codec import Message, decode, encode
from .control import Cancel, Claim, PingRequest, PingResponse
from .error import MAX_ERROR_DESCRIPTION, ErrorMessage, cut_description
from .init import PROTOCOL_VERSION, InitRequest, InitResponse

__all__ = [
    "MAX_ERROR_DESCRIPTION",
    "MORE_FRAGMENTS",
    "PROTOCOL_VERSION",
    "STREAMING",
    "CallRequest",
    "CallRequestContinue",
    "CallResponse",
    "CallResponseContinue",
    "Cancel",
    "Claim",
    "ErrorMessage",
    "InitRequest",
    "InitResponse",
    "Message",
    "PingRequest",
    "PingResponse",
    "cut_description",
    "decode",
    "encode",
    "read_chunks",
]
