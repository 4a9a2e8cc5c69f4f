"""Finding this machine's own address."""

import ipaddress
import socket
from typing import Self

import pytest

from tchannel import net


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
