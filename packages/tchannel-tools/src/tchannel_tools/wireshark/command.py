"""The command as a whole."""

from __future__ import annotations

import argparse
import os
import sys
from importlib.resources import files
from pathlib import Path

from .._terminal.failures import ExitCode, ToolError
from .._terminal.output import print_text

__all__ = ["add_parser", "dissector", "plugin_folder"]

NAME = "tchannel.lua"

_EXAMPLES = """\
examples:
  tchannel wireshark --install
  tshark -r calls.pcap -Y 'tchannel.service == "keyvalue" && tchannel.latency > 0.1'
  tshark -r calls.pcap -Y tchannel.error_frame
fields:
  tchannel.service, .endpoint, .scheme, .caller, .id, .type, .ttl, .latency, .request_in,
  .response_in, .error.code, .text, .arg2, .arg3, .arg2.size, .arg3.size, .fragments, .header
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to ``tchannel``."""
    parser = commands.add_parser(
        "wireshark",
        help="install a dissector for Wireshark and tshark",
        description="Print a dissector for Wireshark and tshark (4.0 or newer), in Lua, or install it "
        "for this user. Conversations are told by their handshake; for one whose beginning is not in "
        "the capture use `Decode as`, or `-d tcp.port==4040,tchannel`.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--install", action="store_true", help="write it to the user's plugin folder")
    add("--folder", metavar="FOLDER", help="the plugin folder, where it is another one")
    add("--debug", action="store_true", help="show tracebacks")
    parser.set_defaults(run=run)


def dissector() -> str:
    """Return the text of the dissector."""
    return files("tchannel_tools.wireshark").joinpath(NAME).read_text(encoding="utf-8")


def plugin_folder() -> Path:
    """Return the user's folder for plugins in Lua (Wireshark's documentation, "Plugin folders")."""
    if sys.platform == "win32":
        return Path(os.environ["APPDATA"], "Wireshark", "plugins")
    return Path.home() / ".local" / "lib" / "wireshark" / "plugins"


def run(options: argparse.Namespace) -> int:
    """Print the dissector or install it; returns the exit code.

    Raises:
        ToolError: It cannot be written.

    """
    if not options.install:
        print_text(dissector().rstrip("\n"))
        return ExitCode.OK
    folder = Path(options.folder) if options.folder else plugin_folder()
    place = folder / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        place.write_text(dissector(), encoding="utf-8")
    except OSError as error:
        raise ToolError(f"cannot write {place}: {error.strerror}") from None
    print_text(f"{place} is written; Wireshark reads it when it starts")
    return ExitCode.OK
