"""The words in which a fault proxy is steered from a shell."""

from typing import Literal, cast

from .faults import FaultSettings, flip_byte, is_continuation
from .server import FaultProxy

HELP = """\
set [upstream|downstream] FAULT=VALUE...   change faults, in both directions unless one is named
clear                                      take all faults away
reset                                      TCP reset to both ends of every connection
half-open [upstream|client]                let that end of every connection vanish silently
refuse on|off                              reset new connections
status                                     connections, bytes and frames so far
quit                                       stop

faults: latency=SECONDS jitter=SECONDS bandwidth=BYTES_PER_SECOND split=BYTES join=FRAMES
        withhold=continuations flip=OFFSET corrupt_rate=0..1 cut_after_bytes=N cut_after_frames=N
        cut_with_reset=on black_hole=on stall=on; the value "none" or "off" takes one away"""

_FRACTIONS = ("latency", "jitter", "corrupt_rate")
_COUNTS = ("split", "join", "cut_after_bytes", "cut_after_frames")
_SWITCHES = ("cut_with_reset", "black_hole", "stall")
_DIRECTIONS = ("upstream", "downstream")
_NO_VALUE = ("none", "off")


class CommandError(ValueError):
    """A command that makes no sense; the message says what would."""


def parse_settings(words: list[str]) -> FaultSettings:
    """Turn ``["latency=0.1", "black_hole=on"]`` into settings for ``set()``.

    :raises CommandError: a word is no ``FAULT=VALUE``; it names the word.
    """
    settings: FaultSettings = {}
    for word in words:
        name, equals, text = word.partition("=")
        name = name.replace("-", "_")
        if not equals:
            raise CommandError(f"expected FAULT=VALUE, got {word!r}")
        try:
            settings |= _parse_setting(name, text)
        except ValueError as error:
            raise CommandError(f"{word!r}: {error}") from None
    return settings


def _parse_setting(name: str, text: str) -> FaultSettings:
    off = text.lower() in _NO_VALUE
    value: object
    if name in _FRACTIONS:
        value = 0.0 if off else float(text)
    elif name == "bandwidth":
        value = None if off else float(text)
    elif name in _COUNTS:
        value = None if off else int(text)
    elif name in _SWITCHES:
        if not off and text.lower() != "on":
            raise ValueError('the value is "on" or "off"')
        value = not off
    elif name == "withhold":
        if not off and text != "continuations":
            raise ValueError('the value is "continuations" or "none"')
        value = None if off else is_continuation
    elif name == "flip":
        name, value = "rewrite", None if off else flip_byte(int(text))
    else:
        known = (*_FRACTIONS, "bandwidth", *_COUNTS, *_SWITCHES, "withhold", "flip")
        raise ValueError(f"there is no fault {name!r}; there are {', '.join(known)}")
    return cast("FaultSettings", {name: value})


def execute(proxy: FaultProxy, line: str) -> str | None:
    """Run one command line.

    :returns: what to print; None asks to stop.
    :raises CommandError: the command makes no sense.
    """
    words = line.split()
    if not words:
        return ""
    command, arguments = words[0], words[1:]
    if command == "set":
        return _set(proxy, arguments)
    if command == "half-open":
        if arguments not in ([], ["upstream"], ["client"]):
            raise CommandError("half-open takes upstream or client")
        gone: Literal["upstream", "client"] = "client" if arguments == ["client"] else "upstream"
        proxy.half_open(gone)
        return "ok"
    if command == "refuse":
        if arguments not in (["on"], ["off"]):
            raise CommandError("refuse takes on or off")
        proxy.refuse = arguments == ["on"]
        return "ok"
    if arguments:
        raise CommandError(f"{command} takes no arguments")
    if command == "clear":
        proxy.clear()
        return "ok"
    if command == "reset":
        proxy.reset()
        return "ok"
    if command == "status":
        return _status(proxy)
    if command == "help":
        return HELP
    if command == "quit":
        return None
    raise CommandError(f"there is no command {command!r}; try help")


def _set(proxy: FaultProxy, arguments: list[str]) -> str:
    direction = arguments.pop(0) if arguments and arguments[0] in _DIRECTIONS else None
    if not arguments:
        raise CommandError("set takes FAULT=VALUE...")
    settings = parse_settings(arguments)
    target = proxy if direction is None else getattr(proxy, direction)
    try:
        target.set(**settings)
    except ValueError as error:
        raise CommandError(str(error)) from None
    return "ok"


def _status(proxy: FaultProxy) -> str:
    lines = [f"connections: {len(proxy.connections)} open, {proxy.accepted} accepted"]
    for name in _DIRECTIONS:
        direction = getattr(proxy, name)
        lines.append(f"{name}: {direction.bytes} bytes, {direction.frames} frames")
    return "\n".join(lines)
