"""Addresses: told apart at the last colon, or refused with the reason."""

import subprocess
import sys

import pytest

from tchannel_wire import parse_host_port


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("1.2.3.4:5", ("1.2.3.4", 5)),
        ("h:0", ("h", 0)),
        ("my-host.example.org:65535", ("my-host.example.org", 65535)),
        ("[::1]:5", ("::1", 5)),
        ("[fe80::1%eth0]:1", ("fe80::1%eth0", 1)),
    ],
)
def test_host_and_port_are_told_apart_at_the_last_colon(text, address):
    assert address == parse_host_port(text)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "has no port: write"),
        ("h", "has no port: write"),
        ("h:", "no port between 0 and 65535"),
        ("h:65536", "no port between 0 and 65535"),
        ("h:000005", "no port between 0 and 65535"),
        ("h:-1", "no port between 0 and 65535"),
        ("h:\u0665", "no port between 0 and 65535"),
        ("h:" + "1" * 5000, "no port between 0 and 65535"),
        (":5", "no host"),
        ("http://h:5", "is a URL"),
        ("::1:5", "needs brackets"),
        ("[::1:5", "needs brackets"),
        ("[h]:5", "no IPv6 address in its brackets"),
        ("[]:5", "no IPv6 address in its brackets"),
        ("a b:1", "characters that no host name has"),
        ("a@b:1", "characters that no host name has"),
        ("/run/socket:1", "characters that no host name has"),
        ("nul\0:80", "characters that no host name has"),
    ],
)
def test_what_is_no_address_is_refused_with_the_value_and_the_reason(text, complaint):
    with pytest.raises(ValueError, match=complaint) as caught:
        parse_host_port(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize("text", [None, 4040, b"h:1", ("h", 1)])
def test_an_address_must_be_a_string(text):
    with pytest.raises(TypeError, match="must be a string like 'host:port'"):
        parse_host_port(text)


def test_only_an_ipv6_address_loads_the_module_for_them():
    code = """
import sys, tchannel_wire
tchannel_wire.parse_host_port("10.0.0.1:1")
assert "ipaddress" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
