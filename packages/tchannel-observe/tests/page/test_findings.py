"""What is wrong, in words: what stands at the top of the page."""

import pytest

from tchannel.stats import Limit, LoopLag
from tchannel_observe.page.findings import findings_of
from tchannel_observe.page.history import History


@pytest.fixture
def found(made):
    """A function that gives the findings for a change within two seconds, as (kind, level, text)."""

    def found(before=None, **after):
        history = History(2.0, 5.0)
        history.look(made.snapshot(100, **(before or {})))
        now = made.snapshot(102, **after)
        history.look(now)
        return [(one.kind, one.level, one.text) for one in findings_of(now, history)]

    return found


def test_a_healthy_channel_says_so_with_its_figures(found, made):
    ((kind, level, text),) = found(incoming=[made.calls(success=1200)])

    assert (kind, level) == ("well", "good")
    assert "1,200 calls served" in text
    assert "0 failed" in text


def test_failures_tell_their_share_their_kind_and_where_most_of_them_are(found, made):
    ((kind, level, text),) = found(
        incoming=[
            made.calls(success=60, timeout=30, busy=10),
            made.calls(endpoint="list", success=100),
        ]
    )

    assert (kind, level) == ("incoming failures", "bad")
    assert text == (
        "20 % of the calls served failed (30 timeout, 10 busy). Most of them: orders::place, 40 of 100."
    )


def test_a_few_failures_among_many_calls_are_a_warning_and_fewer_are_nothing(found, made):
    def level(failures):
        return found(outgoing=[made.calls("outgoing", success=1000 - failures, timeout=failures)])[
            0
        ][1]

    assert [level(60), level(20), level(5)] == ["bad", "warn", "good"]


def test_one_endpoint_that_fails_is_found_however_much_the_others_do(found, made):
    ((kind, level, text),) = found(
        incoming=[
            made.calls(endpoint="list", success=100_000),
            made.calls(endpoint="refund", success=5, unexpected_error=15),
        ]
    )

    assert (kind, level) == ("incoming failures of orders::refund", "warn")
    assert text.startswith("75 % of the calls served to orders::refund failed")


def test_old_failures_are_not_what_is_wrong_now(found, made):
    before = {"incoming": [made.calls(success=10, timeout=9000)]}

    ((kind, _, _),) = found(before, incoming=[made.calls(success=500, timeout=9000)])

    assert kind == "well"


def test_application_errors_are_a_warning_where_they_are_the_rule(found, made):
    ((kind, level, _),) = found(incoming=[made.calls(success=10, app_error=30)])
    assert (kind, level) == ("incoming app errors", "warn")

    ((kind, _, _),) = found(incoming=[made.calls(success=30, app_error=10)])
    assert kind == "well"


def test_calls_that_were_cancelled_are_no_failures(found, made):
    ((kind, _, text),) = found(incoming=[made.calls(success=10, cancelled=90)])

    assert kind == "well"
    assert "100 calls served, 0 made, 0 failed" in text


def test_peers_that_failed_are_named_and_all_of_them_are_a_problem(found, made):
    away = made.peer("10.0.0.2:1", state="penalised", penalised_for=3.0)

    ((_, level, text),) = found(peers=[made.peer("10.0.0.1:1"), away])
    assert (level, text) == ("warn", "1 of the 2 known peers failed lately: 10.0.0.2:1.")

    ((_, level, text),) = found(peers=[away])
    assert (level, text) == ("bad", "All of the 1 known peers failed lately: 10.0.0.2:1.")


def test_a_peer_that_cannot_be_spoken_to_says_why(found, made):
    kinds = {kind: text for kind, _, text in found(peers=[made.peer(misfit="it speaks HTTP")])}

    assert kinds["misfit 10.0.0.1:4040"] == "10.0.0.1:4040 cannot be spoken to: it speaks HTTP."


def test_limits_that_are_near_or_were_reached(found):
    assert found(limits=[Limit("max_calls", 5, 10)])[0][0] == "well"
    assert found(limits=[Limit("max_calls", 75, 100)])[0][:2] == ("near max_calls", "warn")
    assert found(limits=[Limit("max_calls", 95, 100)])[0][:2] == ("near max_calls", "bad")

    ((kind, level, text),) = found(limits_reached={"max_calls": 3})
    assert (kind, level) == ("reached max_calls", "bad")
    assert "3 times" in text


def test_a_loop_that_is_late_is_told(found):
    assert found(loop_lag=LoopLag(0.0, 0.02))[0][0] == "well"
    assert found(loop_lag=LoopLag(0.0, 0.2))[0][:2] == ("lag", "warn")
    kind, level, text = found(loop_lag=LoopLag(0.0, 0.7))[0]
    assert (kind, level) == ("lag", "bad")
    assert "700 ms" in text


def test_a_peer_that_does_not_read_is_told(found, made):
    ((kind, level, text),) = found(connections=[made.connection(congested_for=12.0)])

    assert (kind, level) == ("congested", "warn")
    assert text == "1 peer does not read what is sent to it: 10.0.0.9:40001 for 12 s."


def test_the_oldest_call_is_told_when_it_is_very_old(found, made):
    assert found(in_flight=[made.in_flight(age=29.0)])[0][0] == "well"

    ((kind, _, text),) = found(in_flight=[made.in_flight(age=45.0)])
    assert kind == "old"
    assert "orders::place (served here), has taken 45 s" in text


@pytest.mark.parametrize(("state", "kind"), [("draining", "leaving"), ("closed", "closed")])
def test_a_channel_that_leaves_says_so_first(found, made, state, kind):
    findings = found(state=state, loop_lag=LoopLag(0.0, 0.2))

    assert [one[0] for one in findings] == [kind, "lag"]
    assert findings[0][1] == "bad"


def test_problems_come_before_warnings(found, made):
    findings = found(
        loop_lag=LoopLag(0.0, 0.2),
        in_flight=[made.in_flight(age=45.0)],
        limits_reached={"max_calls": 1},
        incoming=[made.calls(success=980, timeout=20)],
    )

    assert [level for _, level, _ in findings] == ["bad", "warn", "warn", "warn"]


def test_a_service_that_has_become_slow_is_found(made):
    history = History(2.0, 5.0)
    took: list[float] = []
    for seconds in range(100, 400, 2):
        took += [0.02 if seconds < 330 else 0.4] * 10
        now = made.snapshot(seconds, incoming=[made.calls(took=took, success=len(took))])
        history.look(now)

    (finding,) = findings_of(now, history)

    assert (finding.kind, finding.level) == ("incoming slow", "warn")


def test_a_service_that_nobody_calls_any_more_is_found(made):
    history = History(2.0, 5.0)
    for seconds in range(100, 400, 2):
        now = made.snapshot(seconds, incoming=[made.calls(success=20 * min(seconds, 330))])
        history.look(now)

    (finding,) = findings_of(now, history)

    assert (finding.kind, finding.level) == ("incoming silence", "warn")
    assert "there were 19.3 a second" in finding.text


def test_what_peers_said_is_escaped(found, made):
    texts = [
        text
        for _, _, text in found(
            incoming=[made.calls(endpoint="\x1b[31m\u202eevil\n", success=1, timeout=50)],
            peers=[made.peer(misfit="says \x00")],
        )
    ]

    assert any("\\x1b[31m\\u202eevil\\n" in text for text in texts)
    assert all(text.isprintable() for text in texts)
