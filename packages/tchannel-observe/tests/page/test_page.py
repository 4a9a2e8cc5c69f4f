"""The page as a service has it: its arguments, when it looks, and that it leaves nothing behind."""

import asyncio
import gc
import weakref

import pytest

from tchannel import TChannel
from tchannel_observe.page import Page


@pytest.fixture
def clock():
    return pytest.importorskip("tchannel_testing.clock").ManualClock()


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"period": 0}, ValueError, "period must be from 0.1 to 60"),
        ({"period": "2"}, TypeError, "period must be a number"),
        ({"minutes": 1000}, ValueError, "minutes"),
        ({"rows": 0}, ValueError, "rows"),
        ({"rows": True}, TypeError, "rows"),
        ({"viewers": 0}, ValueError, "viewers"),
        ({"hosts": "orders.example"}, TypeError, "hosts must be a list"),
    ],
)
async def test_a_wrong_argument_is_named(arguments, error, text):
    with pytest.raises(error, match=text):
        Page(**arguments)


async def test_only_channels_are_shown():
    with pytest.raises(TypeError, match="channels must be of type TChannel"):
        Page("orders")


async def test_it_listens_on_the_loopback_interface_unless_told_otherwise(page):
    assert page.url == f"http://127.0.0.1:{page.port}/"


async def test_nothing_listens_before_it_is_told_to(server):
    async with Page(server) as page:
        assert (page.url, page.port) == (None, None)


@pytest.mark.parametrize(
    ("port", "address", "error", "text"),
    [
        ("9090", "127.0.0.1", TypeError, "port must be an int"),
        (True, "127.0.0.1", TypeError, "port must be an int"),
        (70000, "127.0.0.1", ValueError, "port must be from 0 to 65535"),
        (0, "", ValueError, "every interface"),
        (0, None, TypeError, "address must be a str"),
    ],
)
async def test_a_wrong_place_is_named_before_anything_is_opened(server, port, address, error, text):
    async with Page(server) as page:
        with pytest.raises(error, match=text):
            page.listen(port, address)

        assert page.url is None


async def test_the_port_of_a_channel_is_refused(server):
    async with Page(server) as page:
        with pytest.raises(ValueError, match="that of the channel orders"):
            page.listen(server.port)


async def test_a_port_in_use_is_an_error_of_the_system(server, page):
    async with Page(server) as other:
        with pytest.raises(OSError, match="in use"):
            other.listen(page.port)


async def test_it_listens_once(page):
    with pytest.raises(RuntimeError, match="is served at http://127"):
        page.listen()


async def test_a_closed_page_does_not_begin_again(server):
    page = Page(server)
    await page.close()
    await page.close()

    with pytest.raises(RuntimeError, match="closed"):
        page.listen()


@pytest.mark.parametrize("prefix", ["tchannel", "/tchannel/", "/"])
async def test_a_prefix_has_a_slash_before_and_none_behind(server, prefix):
    async with Page(server) as page:
        with pytest.raises(ValueError, match="prefix must be like"):
            page.routes(prefix)


@pytest.mark.extra
async def test_it_looks_once_in_each_period_and_keeps_no_timer_when_it_is_closed(server, clock):
    page = Page(server, period=2.0, clock=clock)
    page.start()
    await clock.elapse(10)

    looks = len(page._seen["orders"].history.rates["incoming"])
    assert looks == 5

    await page.close()
    assert clock.pending == 0


@pytest.mark.extra
async def test_while_nobody_watches_no_connection_is_told_one_by_one(server, clock, monkeypatch):
    asked = []
    stats = server.stats
    monkeypatch.setattr(server, "stats", lambda most: asked.append(most) or stats(most))

    async with Page(server, period=2.0, rows=20, clock=clock) as page:
        await clock.elapse(2)
        assert set(asked) == {0}
        asked.clear()

        class Stream:
            def send(self, data):
                return asyncio.get_running_loop().create_future()

            def end(self):
                pass

        page.watch(Stream(), "orders")
        await clock.elapse(2)
    assert set(asked) == {20}


async def test_all_channels_of_the_loop_are_shown_by_default(server):
    async with TChannel("ledger"), Page() as page:
        names = [one["label"] for one in page.view()["channels"]]

        assert {"ledger", "orders"} <= set(names)
        assert page.view("ledger")["channel"]["name"] == "ledger"

    assert "ledger" not in [one["label"] for one in Page().view()["channels"]]


async def test_channels_of_one_name_are_told_apart():
    async with TChannel("twin") as first, TChannel("twin") as second, Page(first, second) as page:
        keys = [one["key"] for one in page.view()["channels"]]

        assert keys == ["twin", "twin (2)"]
        assert page.view("twin (2)")["channel"]["key"] == "twin (2)"
        # In the order that they were given, at each look.
        assert [one["key"] for one in page.view()["channels"]] == keys


async def test_a_channel_that_nobody_holds_is_not_kept_by_the_page():
    async with Page() as page:
        channel = TChannel("short-lived")
        page.view("short-lived")
        gone = weakref.ref(channel)
        await channel.close()
        page._look()
        del channel
        gc.collect()

        assert gone() is None


async def test_without_any_channel_it_says_so_and_is_not_ready():
    async with Page(TChannel("only")) as page:
        page._all_channels = list
        view = page.view()

        assert view["channel"] is None
        assert [one["text"] for one in view["findings"]] == ["There is no channel."]
        assert page.unready() == "there is no channel"


@pytest.mark.parametrize("address", ["::1", "localhost", "::", "0.0.0.0"])
async def test_it_listens_at_the_address_that_is_given(server, fetch, address):
    async with Page(server) as page:
        try:
            page.listen(0, address)
        except OSError as error:  # a machine without IPv6
            pytest.skip(f"{address}: {error}")
        if address == "::1":
            assert page.url == f"http://[::1]:{page.port}/"
            return

        assert (await fetch(page, "/livez")).status == 200
