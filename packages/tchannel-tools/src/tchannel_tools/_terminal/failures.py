"""What goes wrong, and how the process ends then."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

from tchannel_wire import ErrorCode

if TYPE_CHECKING:
    # Not at run time: `doctor --local` is for those whose core cannot be imported.
    from tchannel.errors import TChannelError

__all__ = ["CallFailed", "ExitCode", "ToolError", "code_name", "one_line", "quoted"]


class ExitCode(IntEnum):
    """The exit codes beside those of error frames, which are 1 to 8."""

    OK = 0
    NOT_HEALTHY = 124
    """The service says of itself that it is not healthy."""
    TOOL = 125
    """Anything wrong on this side, or before a call was made."""
    APPLICATION = 126
    """An application error, or an exception that the IDL declares."""
    FATAL = 127
    """A fatal protocol error."""
    INTERRUPTED = 130
    """Ctrl-C, as shells count it."""


# Code of the error frame -> our name, and the names that the Node tool prints.
_NAMES: Final[dict[int, tuple[str, str]]] = {
    ErrorCode.TIMEOUT: ("timeout", "TchannelTimeoutError"),
    ErrorCode.CANCELLED: ("cancelled", "TchannelCancelledError"),
    ErrorCode.BUSY: ("busy", "TchannelBusyError"),
    ErrorCode.DECLINED: ("declined", "TchannelDeclinedError"),
    ErrorCode.UNEXPECTED: ("unexpected", "TchannelUnexpectedError"),
    ErrorCode.BAD_REQUEST: ("bad-request", "TchannelBadRequestError"),
    ErrorCode.NETWORK: ("network", "TchannelNetworkError"),
    ErrorCode.UNHEALTHY: ("unhealthy", "TchannelUnhealthyError"),
    ErrorCode.FATAL: ("protocol", "TchannelProtocolError"),
}


class ToolError(Exception):
    """Something is wrong on this side; the text is the line for the user."""


class CallFailed(Exception):
    """A call that got no answer.

    Args:
        error: What went wrong.
        sent: Whether the request was sent at least once.

    """

    def __init__(self, error: TChannelError, *, sent: bool) -> None:
        super().__init__(str(error))
        self.error = error
        self.sent = sent

    @property
    def exit_code(self) -> int:
        """The code of the error frame; 125 before a call was made, 127 for a fatal error."""
        code = self.error.code
        if not self.sent or code not in _NAMES:
            return ExitCode.TOOL
        return ExitCode.FATAL if code == ErrorCode.FATAL else code

    @property
    def description(self) -> str:
        """What the peer said, or what happened here."""
        return self.error.description or type(self.error).__name__

    def document(self) -> dict[str, object]:
        """What goes to standard output: the object that the Node tool prints."""
        code = self.error.code
        name, node_name = _NAMES.get(code or 0, ("unknown", "TchannelUnknownError"))
        return {
            "ok": False,
            "name": node_name,
            "message": self.description,
            "isError": True,
            "isErrorFrame": self.error.id is not None,
            "errorCode": code,
            "type": f"tchannel.{name}",
            "fullType": f"tchannel.{name}",
        }


def code_name(code: int | None) -> str:
    """The name of a code of error frames."""
    return _NAMES[code][0] if code in _NAMES else f"error {code}"


def one_line(text: str) -> str:
    """Text of others in one line, without characters that a terminal would obey."""
    return "".join(char if char.isprintable() else "�" for char in " ".join(text.split()))


def quoted(text: str) -> str:
    """A text in double quotes, with escapes for what is no printable character: no terminal obeys."""
    inner = text.replace("\\", "\\\\").replace('"', '\\"')
    shown = (
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in inner
    )
    return f'"{"".join(shown)}"'
