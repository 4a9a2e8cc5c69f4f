from __future__ import annotations

import sys

import pytest

from tchannel_hyperbahn import HyperbahnSource, discovery_messages
from tchannel_hyperbahn.discovery_messages import (
    DiscoveryUnavailableError,
    InvalidServiceName,
    NoPeersAvailable,
    answer_discovery,
    read_discovery,
    write_query,
)

pytestmark = pytest.mark.extra

# discover(query: {1: serviceName}) as it was seen on the wire between tcurl and Hyperbahn 2.20.1
QUERY = bytes.fromhex("0c0001 0b0001 00000004 6e616d65 00 00")


@pytest.fixture(autouse=True)
def engine(request):
    """All but one of these tests need the extra."""
    if "without_the_engine" not in request.node.name:
        pytest.importorskip("tchannel_thrift", reason="needs the extra `discover`")


def test_a_query_has_the_bytes_that_hyperbahn_reads():
    assert write_query("name") == QUERY


def test_the_addresses_arrive_as_they_were_found():
    hosts = ["127.0.0.1:14040", "192.168.200.255:65535", "0.0.0.1:1"]

    code, body = answer_discovery(QUERY, lambda service: hosts if service == "name" else [])

    assert code == 0
    assert read_discovery(body) == hosts


def test_an_unknown_name_is_a_declared_exception():
    code, body = answer_discovery(QUERY, lambda service: [])

    assert code == 1
    with pytest.raises(NoPeersAvailable, match="no peer available for name") as caught:
        read_discovery(body)
    assert caught.value.service == "name"


def test_an_empty_name_is_the_other_declared_exception():
    code, body = answer_discovery(write_query(""), lambda service: [])

    assert code == 1
    with pytest.raises(InvalidServiceName) as caught:
        read_discovery(body)
    assert caught.value.service == ""


@pytest.mark.parametrize("data", [b"", b"\x00", b"nonsense", QUERY[:-3]])
def test_bytes_that_make_no_sense_are_a_value_error(data):
    with pytest.raises(ValueError, match="discover"):
        read_discovery(data)
    with pytest.raises(ValueError, match="discover"):
        answer_discovery(data, lambda service: [])


def test_a_port_that_does_not_exist_is_left_out():
    body = answer_discovery(QUERY, lambda service: ["1.2.3.4:0", "1.2.3.4:5"])[1]

    assert read_discovery(body) == ["1.2.3.4:5"]


def test_without_the_engine_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "tchannel_thrift", None)
    discovery_messages._idl.cache_clear()

    with pytest.raises(
        DiscoveryUnavailableError, match=r"pip install tchannel-hyperbahn\[discover\]"
    ):
        write_query("name")
    with pytest.raises(
        DiscoveryUnavailableError, match=r"pip install tchannel-hyperbahn\[discover\]"
    ):
        HyperbahnSource("name", ["127.0.0.1:1"])
