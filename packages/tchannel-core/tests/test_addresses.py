"""Addresses: parsing and printing."""

from typing import Any

import pytest

from tchannel._ground import addresses

ADDRESSES = [
    ("127.0.0.1:4040", ("127.0.0.1", 4040)),
    ("localhost:0", ("localhost", 0)),
    ("my-host.example.org:65535", ("my-host.example.org", 65535)),
    ("[::1]:4040", ("::1", 4040)),
    ("[fe80::1%eth0]:1", ("fe80::1%eth0", 1)),
    ("unix:/run/service.sock", ("unix:/run/service.sock", 0)),
    ("unix:relative/path:1", ("unix:relative/path:1", 0)),
]


@pytest.mark.parametrize(("address", "parts"), ADDRESSES)
def test_addresses_are_parsed_and_printed(address: str, parts: tuple[str, int]) -> None:
    assert addresses.parse_hostport(address) == parts
    assert addresses.format_hostport(*parts) == address


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("", "has no port"),
        ("localhost", "has no port"),
        (":4040", "has no host"),
        ("localhost:", "no port between 0 and 65535"),
        ("localhost:http", "no port between 0 and 65535"),
        ("localhost:-1", "no port between 0 and 65535"),
        ("localhost:65536", "no port between 0 and 65535"),
        ("localhost:\u0661", "no port between 0 and 65535"),
        ("localhost:" + "1" * 5000, "no port between 0 and 65535"),
        ("http://localhost:4040", "is a URL: write 'host:port'"),
        ("http://localhost/path", "is a URL: write 'host:port'"),
        ("::1:4040", "needs brackets"),
        ("[localhost]:4040", "no IPv6 address in its brackets"),
        ("[]:4040", "no IPv6 address in its brackets"),
        ("[::1:4040", "needs brackets"),
        ("http//x:80", "characters that no host name has"),
        ("two words:80", "characters that no host name has"),
        ("nul\0:80", "characters that no host name has"),
        ("unix:", "no path"),
    ],
)
def test_what_is_no_address_is_refused_with_the_value_and_the_reason(
    address: str, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint) as caught:
        addresses.parse_hostport(address)
    assert repr(address) in str(caught.value)


@pytest.mark.parametrize("address", [None, 4040, b"localhost:1", ("localhost", 1)])
def test_an_address_must_be_a_string(address: Any) -> None:
    with pytest.raises(TypeError, match="must be a string like 'host:port'"):
        addresses.parse_hostport(address)


@pytest.mark.parametrize(("host", "port"), [("", 1), ("h", -1), ("h", 65536)])
def test_what_makes_no_address_is_not_printed(host: str, port: int) -> None:
    with pytest.raises(ValueError, match="must"):
        addresses.format_hostport(host, port)
