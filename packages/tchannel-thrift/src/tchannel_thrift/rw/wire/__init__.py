"""What goes over the wire: type codes, message types, and the message envelope."""

from . import mtype, ttype
from .message import Message

__all__ = ["Message", "mtype", "ttype"]
