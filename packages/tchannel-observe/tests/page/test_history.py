"""What the last minutes were like, of snapshots that time has passed between."""

import pytest

from tchannel_observe.page.history import MOST_ENDPOINTS, History


@pytest.fixture
def history():
    return History(period=2.0, minutes=5.0)


def test_rates_are_of_the_time_between_two_looks(history, made):
    history.look(made.snapshot(100, incoming=[made.calls(success=1000)]))
    history.look(made.snapshot(102, incoming=[made.calls(success=1100, timeout=4, app_error=6)]))

    (rates,) = history.rates["incoming"]

    assert (rates.rate, rates.failed, rates.app_errors) == (55, 2, 3)


def test_percentiles_are_of_what_came_between_two_looks(history, made):
    history.look(made.snapshot(100, outgoing=[made.calls("outgoing", took=[5.0] * 1000)]))
    history.look(
        made.snapshot(102, outgoing=[made.calls("outgoing", took=[5.0] * 1000 + [0.001] * 50)])
    )

    (rates,) = history.rates["outgoing"]

    assert rates.p50 == pytest.approx(0.001, rel=0.07)
    assert rates.p99 == pytest.approx(0.001, rel=0.07)


def test_a_quiet_stretch_has_no_latency_and_a_rate_of_zero(history, made):
    for seconds in (100, 102):
        history.look(made.snapshot(seconds, incoming=[made.calls(took=[1.0], success=1)]))

    (rates,) = history.rates["incoming"]

    assert (rates.rate, rates.p50, rates.p99) == (0, None, None)


def test_no_more_is_kept_than_five_minutes_however_long_it_goes_on(history, made):
    for seconds in range(100, 3000, 2):
        history.look(made.snapshot(seconds, incoming=[made.calls(success=seconds * 10)]))

    assert history.length == 150
    assert len(history.rates["incoming"]) == 150
    assert len(history._marks) <= 8


def test_the_window_is_the_last_minute(history, made):
    for seconds in range(100, 401, 2):
        history.look(made.snapshot(seconds, incoming=[made.calls(success=seconds * 10)]))

    window = history.window

    assert 60 <= window.seconds <= 72
    assert window.totals["incoming"].calls == window.seconds * 10
    assert window.sums["incoming"]["orders", "place"].calls == window.seconds * 10


def test_what_was_before_the_page_looked_is_not_of_the_last_minute(history, made):
    history.look(made.snapshot(5000, incoming=[made.calls(timeout=100_000)]))
    assert history.window.totals["incoming"].calls == 0

    history.look(made.snapshot(5002, incoming=[made.calls(timeout=100_001)]))

    assert history.window.totals["incoming"].calls == 1
    assert history.window.seconds == 2


def test_a_channel_younger_than_a_minute_is_told_of_from_its_beginning(history, made):
    history.look(made.snapshot(10, incoming=[made.calls(success=7)]))

    assert (history.window.seconds, history.window.totals["incoming"].calls) == (10, 7)


def test_callers_of_one_endpoint_are_summed(history, made):
    history.look(made.snapshot(10))
    history.look(
        made.snapshot(
            12,
            incoming=[made.calls(caller="web", success=3), made.calls(caller="cron", success=4)],
        )
    )

    assert history.window.sums["incoming"]["orders", "place"].calls == 7


def test_more_endpoints_than_are_kept_cost_the_rare_ones_their_last_minute(history, made):
    def rows(times):
        return [
            made.calls(endpoint=f"e{number}", success=number * times)
            for number in range(1, MOST_ENDPOINTS + 51)
        ]

    for look, seconds in enumerate(range(100, 200, 2), 1):
        history.look(made.snapshot(seconds, incoming=rows(look)))

    window = history.window
    assert len(window.sums["incoming"]) == MOST_ENDPOINTS
    assert ("orders", "e1") not in window.sums["incoming"]
    assert ("orders", f"e{MOST_ENDPOINTS + 50}") in window.sums["incoming"]
    # The sum of all is not cut.
    assert window.totals["incoming"].calls == sum(
        number * (window.seconds / 2) for number in range(1, MOST_ENDPOINTS + 51)
    )
    assert len(history.sums["incoming"]) == MOST_ENDPOINTS + 50


def test_limits_bytes_and_handshakes_are_of_the_last_minute(history, made):
    history.look(made.snapshot(100, limits_reached={"max_calls": 5}, bytes_sent=1000))
    history.look(
        made.snapshot(
            102,
            limits_reached={"max_calls": 7, "max_connections": 1},
            bytes_sent=1500,
            handshakes_failed={"incoming": 3, "outgoing": 1},
        )
    )

    window = history.window
    assert window.reached == {"max_calls": 2, "max_connections": 1}
    assert (window.sent, window.received, window.handshakes_failed) == (500, 0, 4)
