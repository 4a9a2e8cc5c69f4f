"""Metrics for Prometheus, of what channels say of themselves."""

import asyncio
import gc
import threading
import urllib.request

import pytest

from tchannel import TChannel, errors
from tchannel import sync as tchannel_sync
from tchannel.stats import CallStats, Histogram

prometheus_client = pytest.importorskip("prometheus_client", reason="the extra `prometheus`")

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from tchannel_observe import prometheus
from tchannel_observe.prometheus import ChannelCollector, register, unregister

pytestmark = pytest.mark.extra


@pytest.fixture
def registry():
    return CollectorRegistry()


def scraped(registry):
    """The samples of a scrape as Prometheus reads it, by name and labels."""
    text = generate_latest(registry).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def values(samples, name, **labels):
    """The values of a name whose labels are these, among others."""
    return [
        value
        for (found, pairs), value in samples.items()
        if found == name and labels.items() <= dict(pairs).items()
    ]


def value(samples, name, **labels):
    (found,) = values(samples, name, **labels)
    return found


@pytest.fixture
async def scrape_of_calls(server, client, registry):
    """A scrape after three calls that ended well and one that was refused."""

    @server.json.register
    def get(request):
        if request.body.get("busy"):
            raise errors.BusyError("later")
        return {}

    register(server, registry=registry)
    register(client, registry=registry)
    for _ in range(3):
        await client.json("keeper", "get", {})
    with pytest.raises(errors.BusyError):
        await client.json("keeper", "get", {"busy": True}, retry_on="n")
    return scraped(registry)


@pytest.mark.parametrize(("channel", "way"), [("keeper", "incoming"), ("caller", "outgoing")])
async def test_calls_are_counted_by_how_they_ended(scrape_of_calls, channel, way):
    labels = {"channel": channel, "direction": way, "service": "keeper", "endpoint": "get"}

    assert value(scrape_of_calls, "tchannel_calls_total", outcome="success", **labels) == 3
    assert value(scrape_of_calls, "tchannel_calls_total", outcome="busy", **labels) == 1
    assert value(scrape_of_calls, "tchannel_calls_in_flight", **labels) == 0


@pytest.mark.parametrize("channel", ["keeper", "caller"])
async def test_durations_are_histograms_that_grow_with_their_bounds(scrape_of_calls, channel):
    name = "tchannel_call_duration_seconds"

    assert value(scrape_of_calls, f"{name}_count", channel=channel) == 3
    assert 0 < value(scrape_of_calls, f"{name}_sum", channel=channel) < 30
    counts = [
        value(scrape_of_calls, f"{name}_bucket", channel=channel, le=le)
        for le in [*map(str, prometheus.BUCKETS), "+Inf"]
    ]
    assert counts == sorted(counts)
    assert counts[-1] == 3
    assert value(scrape_of_calls, "tchannel_failed_call_duration_seconds_count", channel=channel)


async def test_attempts_are_told_of_outgoing_calls(scrape_of_calls):
    labels = {"channel": "caller", "endpoint": "get"}

    assert value(scrape_of_calls, "tchannel_attempt_errors_total", outcome="busy", **labels) == 1
    assert value(scrape_of_calls, "tchannel_attempt_duration_seconds_count", **labels) == 3
    assert values(scrape_of_calls, "tchannel_retries_total", channel="keeper") == []


async def test_connections_peers_bytes_and_limits_are_told(scrape_of_calls):
    samples = scrape_of_calls
    for channel, way in (("keeper", "incoming"), ("caller", "outgoing")):
        assert value(samples, "tchannel_connections", channel=channel, direction=way) == 1
        assert value(samples, "tchannel_connections_made_total", channel=channel, direction=way)
        assert value(samples, "tchannel_received_bytes_total", channel=channel) > 100
        assert value(samples, "tchannel_sent_bytes_total", channel=channel) > 100
        assert value(samples, "tchannel_up", channel=channel) == 1
        assert value(samples, "tchannel_info", channel=channel, state="open") == 1
    limits = {dict(pairs)["limit"] for name, pairs in samples if name == "tchannel_limit"}
    assert "max_calls" in limits
    assert values(samples, "tchannel_limit_used", limit="max_calls")
    assert values(samples, "tchannel_limits_reached_total", limit="max_calls") == [0, 0]


async def test_a_scrape_from_another_thread_is_answered_by_the_channels_loop(server, registry):
    seen = []
    stats = server.stats
    server.stats = lambda most: seen.append(threading.current_thread()) or stats(most)
    register(server, registry=registry)

    samples = await asyncio.to_thread(scraped, registry)

    assert value(samples, "tchannel_up", channel="keeper") == 1
    assert seen == [threading.current_thread()]


async def test_prometheus_scrapes_it_over_http(server, registry):
    register(server, registry=registry)
    http, thread = prometheus_client.start_http_server(0, "127.0.0.1", registry)
    try:
        url = f"http://127.0.0.1:{http.server_port}/metrics"
        text = await asyncio.to_thread(lambda: urllib.request.urlopen(url, timeout=10).read())
    finally:
        http.shutdown()
        thread.join()
        http.server_close()

    assert b'tchannel_up{channel="keeper"} 1.0' in text


def test_a_channel_for_threads_is_told_of_as_well(registry):
    channel = tchannel_sync.TChannel("worker")
    channel.submit(lambda: None).result(10)
    register(channel, registry=registry)
    try:
        assert value(scraped(registry), "tchannel_up", channel="worker") == 1
    finally:
        channel.close()


def test_a_channel_that_has_no_loop_yet_is_told_of(registry):
    channel = TChannel("idle")
    register(channel, registry=registry)

    assert value(scraped(registry), "tchannel_up", channel="idle") == 1


async def test_a_loop_that_does_not_answer_holds_the_scrape_up_no_longer(
    registry, monkeypatch, caplog
):
    monkeypatch.setattr(prometheus, "PATIENCE", 0.05)
    loop, go_on = asyncio.new_event_loop(), threading.Event()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def make():
        channel = TChannel("stuck")
        channel.use_loop()
        return channel

    async def close(channel):
        await channel.close()

    stuck = asyncio.run_coroutine_threadsafe(make(), loop).result(10)
    register(stuck, registry=registry)
    loop.call_soon_threadsafe(go_on.wait)
    try:
        for _ in range(3):
            assert value(scraped(registry), "tchannel_up", channel="stuck") == 0
        go_on.set()
        monkeypatch.setattr(prometheus, "PATIENCE", 10)
        assert value(scraped(registry), "tchannel_up", channel="stuck") == 1
    finally:
        go_on.set()
        asyncio.run_coroutine_threadsafe(close(stuck), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    lines = [record.getMessage() for record in caplog.records]
    assert lines == ["no metrics of channel stuck: its loop is busy"]


async def test_a_channel_that_is_registered_twice_says_so(server, registry):
    register(server, registry=registry)

    with pytest.raises(ValueError, match="channel 'keeper' are registered already, as 'keeper'"):
        register(server, registry=registry)
    with pytest.raises(ValueError, match="registered already"):
        register(server, name="other", registry=registry)


async def test_another_channel_of_the_same_name_says_what_to_do(server, registry):
    register(server, registry=registry)
    other = TChannel("keeper")

    with pytest.raises(ValueError, match=r"another channel are registered as 'keeper': .* name="):
        register(other, registry=registry)
    register(other, name="second", registry=registry)

    assert value(scraped(registry), "tchannel_up", channel="second") == 1


async def test_a_metric_of_the_same_name_says_so_and_leaves_nothing_behind(server, registry):
    prometheus_client.Counter("tchannel_calls", "Mine.", registry=registry)

    for _ in range(2):
        with pytest.raises(ValueError, match=r"Duplicated timeseries.*tchannel_calls_total"):
            register(server, registry=registry)


async def test_a_collector_that_is_registered_twice_says_so(registry):
    registry.register(ChannelCollector())

    with pytest.raises(ValueError, match="Duplicated timeseries"):
        registry.register(ChannelCollector())


async def test_a_channel_may_be_registered_in_several_registries(server, registry):
    other = CollectorRegistry()
    register(server, registry=registry)
    register(server, registry=other)

    assert value(scraped(other), "tchannel_up", channel="keeper") == 1


async def test_what_is_taken_out_is_told_no_longer_and_may_come_back(server, registry):
    register(server, registry=registry)
    unregister(server, registry=registry)
    unregister(server, registry=registry)
    assert values(scraped(registry), "tchannel_up") == []

    register(server, registry=registry)
    assert value(scraped(registry), "tchannel_up") == 1


def test_what_was_never_registered_is_ignored(registry):
    unregister(TChannel("idle"), registry=registry)


async def test_channels_that_come_and_go_leave_nothing_behind(registry):
    for _ in range(5):
        async with TChannel("passing") as channel:
            register(channel, registry=registry)
            assert value(scraped(registry), "tchannel_up", channel="passing") == 1
        assert values(scraped(registry), "tchannel_up") == []

    collector = prometheus._collectors[registry]
    del channel
    gc.collect()
    assert len(collector._channels) == 0


ODD = [
    'quote"',
    "back\\slash",
    "new\nline",
    "lone\udcffsurrogate",
    "ünïcode",
    "nul\0",
    "{a='b'}",
    "x" * 1000,
]


async def test_names_with_odd_characters_are_read_back_as_they_were(server, client, registry):
    register(client, registry=registry)
    for name in ODD:
        if "\udcff" not in name:
            server.raw.register(name, lambda request: b"")
            await client.raw("keeper", name)

    samples = scraped(registry)

    told = {dict(pairs)["endpoint"] for found, pairs in samples if found == "tchannel_calls_total"}
    assert told == {name[:256] for name in ODD if "\udcff" not in name}


def test_names_that_are_the_same_once_they_are_safe_are_one_row():
    rows = [
        CallStats("incoming", "keeper", name, "caller", {"success": 1}, latency=Histogram.of([0.1]))
        for name in ("a\udcff", "a\\udcff", "x" * 300, "x" * 301)
    ]

    summed = {row.endpoint: row for row in prometheus._by_safe_names(rows)}

    assert set(summed) == {"a\\udcff", "x" * 256}
    assert [row.outcomes for row in summed.values()] == [{"success": 2}, {"success": 2}]


def test_buckets_count_what_is_at_most_their_bound():
    histogram = Histogram.of([0.0004, 0.0004, 0.004, 3.0, 100.0])
    family = prometheus._Families().duration

    prometheus._add_histogram(family, ("a", "b", "c", "d"), histogram)

    counts = {s.labels["le"]: s.value for s in family.samples if s.name.endswith("_bucket")}
    assert counts["0.0005"] == 2
    assert counts["0.005"] == 3
    assert counts["2.5"] == 3
    assert counts["5.0"] == 4
    assert counts["30.0"] == 4
    assert counts["+Inf"] == 5
    assert all(counts[str(bound)] == histogram.at_most(bound) for bound in prometheus.BUCKETS)


async def test_opentelemetrys_own_exporter_for_prometheus_has_the_durations(server, client):
    pytest.importorskip("opentelemetry.exporter.prometheus", reason="the extra `otel`")
    from opentelemetry.exporter.prometheus import PrometheusMetricReader
    from opentelemetry.sdk.metrics import MeterProvider

    from tchannel_observe.otel import TChannelInstrumentor

    taken = CollectorRegistry()
    try:
        reader = PrometheusMetricReader(registry=taken)
    except TypeError:  # older ones know the registry of the process alone
        taken = prometheus_client.REGISTRY
        reader = PrometheusMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    server.json.register("get", lambda request: {})
    TChannelInstrumentor.instrument_channel(client, meter_provider=provider)
    try:
        await client.json("keeper", "get", {})
        samples = scraped(taken)
    finally:
        TChannelInstrumentor.uninstrument_channel(client)
        provider.shutdown()

    assert (
        value(
            samples,
            "rpc_client_call_duration_seconds_count",
            rpc_method="keeper/get",
            rpc_response_status_code="success",
        )
        == 1
    )
