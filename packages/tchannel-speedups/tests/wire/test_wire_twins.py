"""The Python that the native ways of wire were written after, by hashes of its source.

When this test fails, look at the C beside the change, change it where need be, and write the new hash.
"""

from tchannel_speedups import wire

TWINS = {
    "tchannel_wire.connection.Connection.receive": "2b3ff247c7ef9e62",
    "tchannel_wire.connection.Connection._receive_frames": "fe6e18681ae94d74",
    "tchannel_wire.inbound.InboundSide._receive_call_request": "9ce47f2b2a1d478a",
    "tchannel_wire.inbound.InboundSide._read_request_prefix": "97457d0d39074a7d",
    "tchannel_wire.inbound.InboundSide.respond": "95f63a95e6ee18db",
    "tchannel_wire.outbound.OutboundSide.call": "25c76e39eaa73ba6",
    "tchannel_wire.outbound.OutboundSide._receive_call_response": "d5880feec1600e32",
    "tchannel_wire.outbound.OutboundSide._read_response_prefix": "fc7c9d5e9e7d9d88",
    "tchannel_wire.headers.header_block_end": "fab7c575e53802c5",
    "tchannel_wire.headers.check_header_limits": "efdb72463335d1b7",
    "tchannel_wire.outbox.Outbox.append": "bafc5b47ac65ce63",
    "tchannel_wire.connection_base.ConnectionBase._set_timer": "5ecda750eef8d0d1",
    "tchannel_wire.connection_base.ConnectionBase._take_id": "6f4e8cf8fc23b3df",
    "tchannel_wire.exchanges.PreparedCall": "af1f33d456268579",
    "tchannel_wire.events.RequestReceived": "0819ad836eb18aa5",
    "tchannel_wire.events.ResponseReceived": "b68f202317b9f49b",
    "tchannel_wire.exchanges.OutboundCall": "7b81a0fe276bd20a",
    "tchannel_wire.layouts": "757f1d6353493451",
    "tchannel_wire.caches.BlockCache": "50abcf1f4353bb10",
}


def test_no_twin_has_changed_without_a_look_at_its_native_way(changed_twins):
    assert changed_twins(TWINS) == {}


def test_every_function_that_is_replaced_stands_in_the_table():
    assert {f"tchannel_wire.{name}" for name in wire.WAYS.values()} <= set(TWINS)
