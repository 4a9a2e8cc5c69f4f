"""``/metrics`` beside the page, with the extra `prometheus`."""

import pytest

from tchannel import TChannel
from tchannel_observe.page import Page

pytestmark = pytest.mark.extra
prometheus_client = pytest.importorskip("prometheus_client", reason="the extra `prometheus`")


async def test_the_metrics_are_those_of_the_channels_that_the_page_shows(server, fetch):
    async with TChannel("web") as client, Page(server, client) as page:
        page.listen()
        await client.json("orders", "place", 1, hostport=server.hostport)

        answer = await fetch(page, "/metrics")

    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert 'tchannel_up{channel="orders"} 1.0' in answer.body
    assert 'tchannel_up{channel="web"} 1.0' in answer.body
    assert 'endpoint="place"' in answer.body


async def test_openmetrics_are_given_to_who_asks_for_them(page, fetch):
    answer = await fetch(page, "/metrics", Accept="application/openmetrics-text; version=1.0.0")

    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert answer.body.endswith("# EOF\n")


async def test_a_registry_that_is_given_is_shown_instead(server, fetch):
    mine = prometheus_client.CollectorRegistry()
    prometheus_client.Counter("orders_placed", "Orders.", registry=mine).inc(3)
    async with Page(server, registry=mine) as page:
        page.listen()

        answer = await fetch(page, "/metrics")

    assert "orders_placed_total 3.0" in answer.body
    assert "tchannel_up" not in answer.body
