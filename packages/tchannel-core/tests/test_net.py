"""Addresses: parsing, printing, and finding this machine's own."""

import ipaddress
import socket
from typing import Any, Self

import pytest

from tchannel import net

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
    assert net.parse_hostport(address) == parts
    assert net.format_hostport(*parts) == address


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
        net.parse_hostport(address)
    assert repr(address) in str(caught.value)


@pytest.mark.parametrize("address", [None, 4040, b"localhost:1", ("localhost", 1)])
def test_an_address_must_be_a_string(address: Any) -> None:
    with pytest.raises(TypeError, match="must be a string like 'host:port'"):
        net.parse_hostport(address)


@pytest.mark.parametrize(("host", "port"), [("", 1), ("h", -1), ("h", 65536)])
def test_what_makes_no_address_is_not_printed(host: str, port: int) -> None:
    with pytest.raises(ValueError, match="must"):
        net.format_hostport(host, port)


@pytest.mark.parametrize("address", ["0.0.0.0:0", "", "10.0.0.1:0", "[::]:0", "nonsense", "a:b"])
def test_peers_that_do_not_listen_are_recognised(address: str) -> None:
    assert net.is_ephemeral(address)


@pytest.mark.parametrize("address", ["10.0.0.1:4040", "[::1]:4040", "unix:/run/service.sock"])
def test_peers_that_listen_are_recognised(address: str) -> None:
    assert not net.is_ephemeral(address)


class Kernel:
    """Stands for `socket.socket`: routes datagrams from fixed addresses, and sends none."""

    def __init__(self, **routes: str) -> None:
        self.routes = {getattr(socket, name): address for name, address in routes.items()}

    def __call__(self, family: int, kind: int) -> "Kernel":
        assert kind == socket.SOCK_DGRAM
        if family not in self.routes:
            raise OSError("address family not supported")
        self.address = self.routes[family]
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def connect(self, address: tuple[str, int]) -> None:
        if not self.address:
            raise OSError("network is unreachable")

    def getsockname(self) -> tuple[str, int]:
        return self.address, 40000


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ({"AF_INET": "10.1.2.3", "AF_INET6": "2001:db8::2"}, "10.1.2.3"),
        ({"AF_INET": "", "AF_INET6": "2001:db8::2"}, "2001:db8::2"),
        ({"AF_INET": "127.0.0.1", "AF_INET6": "2001:db8::2"}, "2001:db8::2"),
        ({"AF_INET": "0.0.0.0", "AF_INET6": "fe80::1"}, "127.0.0.1"),
        ({"AF_INET": "", "AF_INET6": ""}, "127.0.0.1"),
        ({}, "127.0.0.1"),
    ],
)
def test_our_address_is_that_of_the_default_route(
    routes: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "socket", Kernel(**routes))
    assert net.local_ip() == expected


def test_this_machine_can_listen_on_its_own_address() -> None:
    address = net.local_ip()
    family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
    with socket.socket(family) as listener:
        listener.bind((address, 0))
