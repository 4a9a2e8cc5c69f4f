"""Whom the page answers, by the Host of a request."""

import pytest

from tchannel_observe.page.hosts import host_of, is_allowed


@pytest.mark.parametrize(
    ("header", "host"),
    [
        ("localhost:9090", "localhost"),
        ("LocalHost", "localhost"),
        ("127.0.0.1:9090", "127.0.0.1"),
        ("[::1]:9090", "::1"),
        ("[::1]", "::1"),
        ("orders.example:80", "orders.example"),
    ],
)
def test_the_host_of_a_header_is_without_port_and_brackets(header, host):
    assert host_of(header) == host


@pytest.mark.parametrize(
    "header", ["localhost:9090", "127.0.0.1:9090", "[::1]:9090", "10.0.0.7:9090", "orders.example"]
)
def test_addresses_localhost_and_given_names_are_answered(header):
    assert is_allowed(header, {"orders.example"})


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "evil.example:9090",
        "localhost.evil.example:9090",
        "127.0.0.1.evil.example",
        "orders.example.evil.example",
        "[evil]:9090",
        "0x7f000001:9090",
    ],
)
def test_other_names_are_not_answered_wherever_they_point(header):
    assert not is_allowed(header, {"orders.example"})
