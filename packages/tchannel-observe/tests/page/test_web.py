"""The page over HTTP: what is answered to whom, and with which headers."""

import asyncio
import json
import sys

import pytest
from tornado.web import Application

from tchannel import TChannel
from tchannel_observe.page import Page


async def test_the_page_and_its_files_are_served_with_a_strict_policy(page, fetch):
    for path, kind in (
        ("/", "text/html"),
        ("/page.js", "text/javascript"),
        ("/page.css", "text/css"),
        ("/icon.svg", "image/svg+xml"),
    ):
        answer = await fetch(page, path)

        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith(kind)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "Server" not in answer.headers


async def test_no_file_of_the_page_names_a_resource_of_another_host(page, fetch):
    for path in ("/", "/page.js", "/page.css", "/icon.svg"):
        body = (await fetch(page, path)).body.replace("http://www.w3.org/2000/svg", "")

        assert "http:" not in body
        assert "https:" not in body


@pytest.mark.parametrize("path", ["/", "/page.js", "/stats.json", "/events", "/metrics", "/other"])
async def test_a_name_that_is_not_its_own_is_refused(page, fetch, path):
    answer = await fetch(page, path, Host=f"evil.example:{page.port}")

    assert answer.status == 403
    assert "hosts=[...]" in answer.body


async def test_a_request_without_a_host_is_refused_too(page, fetch):
    assert (await fetch(page, "/stats.json", Host="")).status in {400, 403}


async def test_a_name_that_was_given_is_answered(server, fetch):
    async with Page(server, hosts=["Orders.example"]) as page:
        page.listen()

        answer = await fetch(page, "/stats.json", Host="orders.example:9090")

    assert answer.status == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_probes_are_answered_by_any_name(page, fetch, path):
    answer = await fetch(page, path, Host="probe.example")

    assert (answer.status, answer.body) == (200, "ok\n")


@pytest.mark.parametrize("path", ["/stats.json", "/events", "/metrics"])
async def test_what_the_page_of_another_site_asks_for_is_refused(page, fetch, path):
    answer = await fetch(page, path, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors")

    assert answer.status == 403


async def test_a_link_from_another_site_may_be_followed(page, fetch):
    answer = await fetch(page, "/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")

    assert answer.status == 200


async def test_no_header_lets_other_sites_read(page, fetch):
    answer = await fetch(page, "/stats.json", Origin="http://evil.example")

    assert not [name for name in answer.headers if name.startswith("Access-Control")]
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_nothing_can_be_changed(page, fetch, method):
    answer = await fetch(page, "/stats.json", method)

    assert (answer.status, answer.body) == (405, "405 Method Not Allowed\n")


@pytest.mark.parametrize("path", ["/", "/stats.json", "/livez", "/events", "/metrics"])
async def test_heads_are_answered_without_a_body(page, fetch, path):
    answer = await fetch(page, path, "HEAD")

    assert answer.body == ""


async def test_what_is_not_there_says_where_the_page_is(page, fetch):
    answer = await fetch(page, "/nothing")

    assert (answer.status, answer.body) == (404, "There is nothing here; the page is at /.\n")
    assert "Content-Security-Policy" in answer.headers


@pytest.mark.parametrize("path", ["/../../etc/passwd", "/%2e%2e/page.py", "//", "/page.js/x"])
async def test_only_the_files_of_the_page_are_files(page, fetch, path):
    assert (await fetch(page, path)).status == 404


async def test_the_json_tells_what_the_page_shows(page, fetch, server):
    async with TChannel("web") as client:
        call = client.json("orders", "wait", None, hostport=server.hostport, timeout=30)
        while not server.stats().in_flight:
            await asyncio.sleep(0)

        view = json.loads((await fetch(page, "/stats.json")).body)

        call.cancel()
    channel = view["channel"]
    assert channel["name"] == "orders"
    assert channel["in_flight"]["total"] == 1
    (row,) = channel["in_flight"]["rows"]
    assert (row["call"], row["direction"]) == ("orders::wait", "served")
    assert row["other"].startswith("web at 127.0.0.1:")
    assert [row["address"] for row in channel["connections"]["rows"]]


async def test_the_number_of_rows_can_be_asked_for_within_bounds(page, fetch):
    for rows, status in (("1", 200), ("999999", 200), ("-1", 400), ("x", 400), ("9" * 99, 400)):
        assert (await fetch(page, f"/stats.json?rows={rows}")).status == status


async def test_an_unknown_channel_is_said_to_be_unknown(page, fetch):
    answer = await fetch(page, "/stats.json?channel=nobody")

    assert (answer.status, answer.body) == (404, "There is no such channel.\n")


async def test_a_draining_channel_is_alive_and_not_ready(page, fetch, server):
    async with TChannel("web") as client:
        call = client.json("orders", "wait", None, hostport=server.hostport, timeout=30)
        while not server.stats().in_flight:
            await asyncio.sleep(0)
        closing = server.close(grace=30)

        ready, live = await fetch(page, "/readyz"), await fetch(page, "/livez")

        call.cancel()
        await closing
    assert (live.status, live.body) == (200, "ok\n")
    assert ready.status == 503
    assert ready.body.startswith("orders is ")
    assert (await fetch(page, "/readyz")).body == "orders is closed\n"


async def test_metrics_without_prometheus_say_what_is_missing(page, fetch, monkeypatch):
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    monkeypatch.setitem(sys.modules, "prometheus_client.exposition", None)

    answer = await fetch(page, "/metrics")

    assert answer.status == 501
    assert "tchannel-observe[prometheus]" in answer.body
    assert answer.headers["Content-Type"].startswith("text/plain")


# -- events ------------------------------------------------------------------------------------


async def test_views_come_by_themselves(page, events):
    stream = await events(page)

    first, second = await stream.next(), await stream.next()

    assert first["channel"]["name"] == second["channel"]["name"] == "orders"
    assert first["at"] < second["at"]


async def test_a_further_viewer_is_refused(server, events, fetch):
    async with Page(server, viewers=1) as page:
        page.listen()
        await (await events(page)).next()

        answer = await fetch(page, "/events")

    assert (answer.status, answer.headers["Retry-After"]) == (503, "10")
    assert answer.body == "1 look at this page already.\n"


async def test_who_goes_away_is_forgotten(page, events):
    stream = await events(page)
    await stream.next()
    assert len(page.viewers) == 1

    stream.writer.close()
    while len(page.viewers):
        await asyncio.sleep(0)


async def test_a_closed_page_ends_its_streams(server, events):
    page = Page(server)
    page.listen()
    stream = await events(page)
    await stream.next()

    await page.close()

    with pytest.raises(EOFError):
        await stream.next()


# -- mounted -----------------------------------------------------------------------------------


async def test_a_page_can_be_mounted_in_an_application_that_is_there(server, fetch, page):
    class Mounted:
        port = None

    async with Page(server) as mounted:
        application = Application(mounted.routes("/debug/tchannel"))
        http = application.listen(0, "127.0.0.1")
        try:
            (socket,) = http._sockets.values()
            Mounted.port = socket.getsockname()[1]
            redirect = await fetch(Mounted, "/debug/tchannel?channel=orders")
            found = {
                path: (await fetch(Mounted, f"/debug/tchannel/{path}")).status
                for path in ("", "page.js", "stats.json", "readyz", "events/")
            }
            refused = await fetch(Mounted, "/debug/tchannel/", Host="evil.example")
        finally:
            http.stop()
            await http.close_all_connections()

    assert (redirect.status, redirect.headers["Location"]) == (302, "tchannel/?channel=orders")
    assert found == {"": 200, "page.js": 200, "stats.json": 200, "readyz": 200, "events/": 404}
    assert refused.status == 403
