"""What is on the screen, and what keys do."""

import io

import pytest
from rich.console import Console

from tchannel_tools.top.rows import CallRow, EndpointRow, Host
from tchannel_tools.top.screen import Screen


def endpoint(name, rate=None, *, host="10.0.0.1:4040", **more):
    return EndpointRow(host, "in", "svc", name, rate=rate, **more)


HOST = Host(
    "10.0.0.1:4040",
    service="svc",
    state="open",
    connections=3,
    in_flight=2,
    endpoints=[
        endpoint("slow", 1.5, p50=0.25, p99=1.25, errors=0.0, in_flight=2, calls=7),
        endpoint("untold"),
        endpoint("fast", 900.0, p50=0.0001, p99=0.0009, errors=3.0, in_flight=0, calls=123456),
    ],
    calls=[CallRow("10.0.0.1:4040", "in", "svc", "slow", "10.0.0.7:5", 1.5)],
)
DOWN = Host("10.0.0.2:4040", "Connection refused", down=True)


def drawn(screen, *hosts, width=80, most=None):
    out = io.StringIO()
    Console(file=out, width=width, highlight=False).print(screen.draw(hosts, most, width))
    return [line.rstrip() for line in out.getvalue().splitlines()]


def names(screen, *hosts):
    return [row.endpoint for row in screen.rows(hosts)]


def test_it_fits_80_columns_whatever_the_names_are_like():
    long = Host(
        "10.0.0.1:4040",
        service="s" * 60,
        endpoints=[
            endpoint(
                "e" * 200, 123456.0, errors=9999.0, p50=0.01, p99=99.9, in_flight=5, calls=10**9
            )
        ],
    )
    lines = drawn(Screen(), long, DOWN)

    assert max(map(len, lines)) <= 80
    # The name gives way, the numbers do not.
    assert lines[-1].split()[-6:] == ["123456", "9999", "10.00ms", "99.9s", "5", str(10**9)]
    assert "e…" in lines[-1]


def test_a_host_that_is_down_is_shown_so_beside_the_others():
    lines = drawn(Screen(), HOST, DOWN)

    assert lines[1] == "1 10.0.0.1:4040  svc  open  3 conns  2 calls now  in 902/s"
    assert lines[2] == "2 10.0.0.2:4040  DOWN: Connection refused"
    assert lines[5].split()[:3] == ["1", "in", "fast"]


def test_what_is_not_told_is_a_dash_and_comes_last():
    screen = Screen()
    assert names(screen, HOST) == ["fast", "slow", "untold"]
    screen.press("r")
    assert names(screen, HOST) == ["slow", "fast", "untold"]
    assert drawn(screen, HOST)[-1].split() == ["in", "untold", "-", "-", "-", "-", "-", "-"]


def test_s_sorts_by_the_next_column_and_shift_s_by_the_last():
    screen = Screen()
    screen.press("s")
    assert screen.sort == "err/s"
    screen.press("S")
    screen.press("S")
    assert screen.sort == "endpoint"
    assert names(screen, HOST) == ["fast", "slow", "untold"]


def test_keys_choose_the_view():
    screen = Screen()
    assert screen.press("c")
    assert "calls, by age" in drawn(screen, HOST)[0]
    assert drawn(screen, HOST)[-1].split() == ["in", "slow", "10.0.0.7:5", "1.5s"]
    screen.press("p")
    assert screen.view.name == "peers"
    screen.press("e")
    assert screen.view.name == "endpoints"


def test_space_pauses_and_says_so():
    screen = Screen()
    screen.press(" ")
    assert screen.paused
    assert "paused" in drawn(screen, HOST)[0]
    screen.press(" ")
    assert not screen.paused


@pytest.mark.parametrize("key", ["q", "Q", "\x04"])
def test_q_ends_it(key):
    assert Screen().press(key) is False


def test_no_more_lines_are_drawn_than_there_are():
    many = Host("h:1", service="svc", endpoints=[endpoint(f"e{n}", float(n)) for n in range(50)])
    lines = drawn(Screen(), many, most=24)

    assert len(lines) <= 24
    assert lines[-1] == "31 more"


def test_what_a_host_says_moves_no_cursor():
    evil = Host("h:1", service="\x1b[2Jsvc", endpoints=[endpoint("\x1b[31mred")])

    assert "\x1b" not in "\n".join(drawn(Screen(), evil))
