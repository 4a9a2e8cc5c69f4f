"""What arg schemes, peer sources, routers and tools are built on: the one door behind the API.

The distributions on top of tchannel-core use this module and the documented ones, nothing else, and so
may anybody's. It is under the same promise of stability as the rest of the API: what is named here goes
on working, with the same meaning, until the next major version.

======================  =====================================================================
to write an arg scheme  `Endpoint`, `Endpoints`, `Handler`, `must_take_a_request`,
                        `change_answer`, `Decode`, `Trace`, `Timeout`, `seconds`, `start_watched`
to bring peers          `PeerGroup`, `Peer`, and `tchannel.peer_sources`
to accept, to connect   `Acceptor`, `BACKLOG`, `Connection`, `protocol_of`, `reason_of_failure`
to watch calls          `OutgoingCall`, which hooks and interceptors meet; `call_of`, `served_as`
addresses               `parse_hostport`, `format_hostport`, `check_hostport`,
                        `announced_address`, `UNIX_PREFIX`,
                        `UNIX_CALLER`
a channel's life        `live_channels`, `loop_of`, `saying_farewell`, `drop_for_good`, `start_task`
layers of one's own     `import_layer`, `install_hint`
log lines               `logger`: what peers sent is escaped and cut in them
other places            `shown`: a text that came, escaped and cut likewise
to look inside          `inside`, `InnerChannel`: what a channel is made of; without the promise
======================  =====================================================================

Times come from `tchannel.clock`, interceptors from `tchannel.interceptors`.
"""

from ._calls.call_state import Decode
from ._calls.hooked import start_watched
from ._calls.outgoing import OutgoingCall
from ._calls.spans import Trace
from ._ground.addresses import (
    UNIX_CALLER,
    UNIX_PREFIX,
    announced_address,
    check_hostport,
    format_hostport,
    parse_hostport,
)
from ._ground.current import saying_farewell
from ._ground.logs import logger
from ._ground.optional import import_layer, install_hint
from ._ground.process import drop_for_good
from ._ground.tasks import start_task
from ._ground.text import shown
from ._ground.timeouts import Timeout, seconds
from ._inner_channel import InnerChannel, inside, served_as
from ._life.loops import loop_of
from ._links.acceptor import BACKLOG, Acceptor
from ._links.connection import Connection
from ._links.first_bytes import protocol_of, reason_of_failure
from ._links.peers import Peer, PeerGroup
from ._serving.answering import change_answer
from ._serving.endpoints import Endpoint, Endpoints, Handler, must_take_a_request
from .channel import TChannel, live_channels
from .interceptors import call_of

__all__ = [
    "BACKLOG",
    "UNIX_CALLER",
    "UNIX_PREFIX",
    "Acceptor",
    "Connection",
    "Decode",
    "Endpoint",
    "Endpoints",
    "Handler",
    "InnerChannel",
    "OutgoingCall",
    "Peer",
    "PeerGroup",
    "TChannel",
    "Timeout",
    "Trace",
    "announced_address",
    "call_of",
    "change_answer",
    "check_hostport",
    "drop_for_good",
    "format_hostport",
    "import_layer",
    "inside",
    "install_hint",
    "live_channels",
    "logger",
    "loop_of",
    "must_take_a_request",
    "parse_hostport",
    "protocol_of",
    "reason_of_failure",
    "saying_farewell",
    "seconds",
    "served_as",
    "shown",
    "start_task",
    "start_watched",
]
