"""The page in a real browser: Debian's Chromium without a window, and axe-core looking at it.

The screenshots are kept in ``build/page`` for people to look at.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tchannel import Options, TChannel, errors
from tchannel_observe.page import Page

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.once,
]

PHONE, DESK = (390, 844), (1280, 800)
SHOTS = Path(__file__).resolve().parents[4] / "build" / "page"

# What a hostile caller would call itself and its endpoint.
HOSTILE = (
    "<img src=x onerror=\"document.title='stolen'\">'\"`\u202e{{7*7}}<script>alert(1)</script>"
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(chromium: str, skip_here: Callable[[str], None]) -> AsyncIterator[Any]:
    """A browser without a window."""
    try:
        from playwright.async_api import async_playwright
    except ImportError:
        skip_here("playwright is not installed (requirements/test-browser.txt)")
        raise AssertionError
    # Chromium's sandbox is not for root, as whom tests may run in a container.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        await browser.close()


class Seen:
    """A page in the browser, and what went wrong there."""

    def __init__(self, tab: Any) -> None:
        self.tab = tab
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        tab.on("console", lambda message: self.complaints.append(message.text))
        tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        tab.on("dialog", self._dialog)
        tab.on("request", lambda request: self.hosts.add(request.url.split("/")[2]))

    def _dialog(self, dialog: Any) -> None:
        self.complaints.append(f"a dialog: {dialog.message}")

    async def text(self, selector: str) -> str:
        found: str = await self.tab.inner_text(selector)
        return found

    async def wait_for(self, selector: str, text: str) -> None:
        await self.tab.locator(selector, has_text=text).first.wait_for(timeout=20_000)


@pytest_asyncio.fixture(loop_scope="module")
async def look(browser: Any) -> AsyncIterator[Callable[..., Any]]:
    """A function that opens a page in the browser."""
    contexts = []

    async def look(
        page: Page, size: tuple[int, int] = DESK, scheme: str = "light", query: str = ""
    ) -> Seen:
        context = await browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,
            reduced_motion="reduce",
        )
        contexts.append(context)
        seen = Seen(await context.new_page())
        await seen.tab.goto(f"{page.url}{query}")
        await seen.tab.wait_for_selector("#options tbody tr", timeout=20_000)
        return seen

    yield look
    for context in contexts:
        await context.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def busy() -> AsyncIterator[Page]:
    """The page of a service that has seen better days, and of another one in the same process."""
    options = Options(slow_call=0.1, max_calls=500)
    async with (
        TChannel("orders", hostport="127.0.0.1:0", options=options) as server,
        TChannel("ledger") as other,
        TChannel(HOSTILE[:200], process_name=HOSTILE) as hostile,
        TChannel("web", known_peers=["127.0.0.1:1"], options=Options(retry_delay=0.001)) as web,
    ):

        @server.json.register
        async def place(request: Any) -> Any:
            return request.body

        @server.json.register
        async def report(request: Any) -> Any:
            await asyncio.sleep(0.11)
            return request.body

        @server.json.register
        async def refund(request: Any) -> None:
            raise KeyError(HOSTILE)

        @server.json.register
        async def wait(request: Any) -> None:
            await asyncio.sleep(600)

        server.listen()
        calls = []
        for _ in range(12):
            calls.append(
                hostile.json("orders", "wait", None, hostport=server.hostport, timeout=600)
            )
        async with Page(server, web, other, period=0.25) as page:
            page.listen()
            await hostile.json("orders", "report", 1, hostport=server.hostport)
            for number in range(20):
                for endpoint in ("place", "refund", "place", HOSTILE):
                    try:
                        await hostile.json("orders", endpoint, number, hostport=server.hostport)
                    except errors.TChannelError:
                        pass
            with pytest.raises(errors.TChannelError):
                await web.json("orders", "place", 1)
            yield page
            for call in calls:
                call.cancel()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_the_page_can_be_read_by_everybody(busy, look, size, scheme):
    from axe_playwright_python.async_playwright import Axe

    seen = await look(busy, size, scheme)
    await seen.tab.click("#minutes summary")
    await seen.tab.wait_for_selector("#minutes tbody tr")

    found = await Axe().run(seen.tab)

    SHOTS.mkdir(parents=True, exist_ok=True)
    name = f"{size[0]}x{size[1]}-{scheme}"
    await seen.tab.screenshot(path=SHOTS / f"{name}.png")
    await seen.tab.screenshot(path=SHOTS / f"{name}-whole.png", full_page=True)
    assert found.violations_count == 0, found.generate_report()
    # Nothing is beside the screen.
    width = await seen.tab.evaluate("document.documentElement.scrollWidth")
    assert width <= size[0]
    assert seen.complaints == []
    assert seen.hosts == {f"127.0.0.1:{busy.port}"}


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_what_is_wrong_stands_on_the_first_screen(busy, look, size):
    seen = await look(busy, size)
    await seen.wait_for("#findings li.bad", "of the calls served failed")

    box = await seen.tab.locator("#findings li").first.bounding_box()

    assert 0 < box["y"] < size[1] / 2
    assert "unexpected-error" in await seen.text("#findings")
    assert "orders::refund" in await seen.text("#findings")
    assert re.fullmatch(r"\([12]\) orders", await seen.tab.title())


async def test_names_that_peers_made_up_are_text_and_nothing_else(busy, look):
    seen = await look(busy)
    await seen.wait_for("#failed tbody", "<img src=x")

    for part in ("#in_flight tbody", "#connections tbody", "#endpoints tbody"):
        assert "<img src=x" in await seen.text(part)
    assert await seen.tab.locator("main img").count() == 0
    assert await seen.tab.locator("main script").count() == 0
    assert "stolen" not in await seen.tab.title()
    # What turns the direction of writing is shown, not done.
    assert "\\u202e" in await seen.text("#in_flight tbody")
    assert "\u202e" not in await seen.text("body")
    assert seen.complaints == []


async def test_failed_and_slow_calls_are_told_with_what_went_wrong(busy, look):
    seen = await look(busy)

    await seen.wait_for("#failed tbody tr", "orders::refund")
    await seen.wait_for("#slow tbody tr", "orders::report")
    row = await seen.tab.locator("#failed tbody tr", has_text="orders::refund").first.inner_text()
    assert "unexpected-error" in row
    assert "KeyError" in row


async def test_the_page_goes_on_by_itself_and_can_be_paused(busy, look):
    seen = await look(busy)
    assert await seen.text("#live") == "Live"

    before = await seen.text("#about")
    await seen.tab.wait_for_function(
        "was => document.getElementById('about').innerText !== was", arg=before
    )
    await seen.tab.click("#pause")
    await seen.wait_for("#live", "Paused at")
    assert await seen.tab.get_attribute("#pause", "aria-pressed") == "true"
    frozen = await seen.text("main")
    looks = busy._seen["orders"].snapshot
    for _ in range(3):
        while busy._seen["orders"].snapshot is looks:
            await asyncio.sleep(0.01)
        looks = busy._seen["orders"].snapshot
    assert await seen.text("main") == frozen

    await seen.tab.click("#pause")
    await seen.wait_for("#live", "Live")
    assert await seen.tab.get_attribute("#pause", "aria-pressed") == "false"


async def test_each_channel_of_the_process_has_its_view(busy, look):
    seen = await look(busy)

    assert (await seen.text("#channels")).count("\n") == 2
    await seen.tab.locator("#channels a", has_text="ledger").click()
    await seen.tab.wait_for_selector("#options tbody tr")

    assert await seen.text("h1") == "ledger"
    assert "No call is in flight." in await seen.text("#in_flight")
    assert await seen.tab.get_attribute("#channels [aria-current]", "data-key") == "ledger"
    # The loop of a busy machine may be late; of this channel there is nothing to say.
    findings = await seen.text("#findings")
    assert "Nothing that shows here." in findings or "The event loop was late" in findings


async def test_a_channel_whose_peer_is_away_says_so(busy, look):
    seen = await look(busy, query="?channel=web")

    await seen.wait_for("#failed tbody tr", "orders::place")
    assert "127.0.0.1:1" in await seen.text("#peers tbody")


async def test_everything_is_reached_by_the_keyboard(busy, look):
    seen = await look(busy)
    reached = []
    for _ in range(40):
        await seen.tab.keyboard.press("Tab")
        reached.append(
            await seen.tab.evaluate(
                "(() => { const e = document.activeElement; const s = getComputedStyle(e);"
                " return [e.innerText, e.matches('body') || s.outlineStyle !== 'none'] })()"
            )
        )

    names = [name for name, _ in reached]
    for wanted in ("Skip to what is", "Pause", "ledger", "Overview", "The charts as", "Show"):
        assert any(name.startswith(wanted) for name in names)
    # Where the focus is can be seen.
    assert all(visible for _, visible in reached)

    await seen.tab.locator("#in_flight .more").focus()
    await seen.tab.keyboard.press("Enter")
    assert await seen.tab.get_attribute("#in_flight .more", "aria-expanded") == "true"
    assert await seen.tab.locator("#in_flight tbody tr").count() == 12


async def test_tables_are_tables_to_a_screen_reader_on_a_phone_too(busy, look):
    seen = await look(busy, PHONE)

    tree = await seen.tab.locator("#in_flight").aria_snapshot()

    assert "table" in tree
    assert "columnheader" in tree
    assert "rowheader" in tree
    assert await seen.tab.get_by_role("img", name="Latency of calls served").count() == 1


async def test_a_process_that_goes_away_and_comes_back(look):
    async with TChannel("fragile") as channel:
        page = Page(channel, period=0.25)
        page.listen()
        port = page.port
        seen = await look(page)
        await page.close()

        await seen.wait_for("#live.off", "Not live since")
        assert "not live" in await seen.text("#announcement")

        async with Page(channel, period=0.25) as again:
            again.listen(port)
            await seen.wait_for("#live", "Live")


async def test_without_a_script_the_json_is_named(busy, browser):
    context = await browser.new_context(java_script_enabled=False)
    tab = await context.new_page()

    await tab.goto(busy.url)

    text = await tab.inner_text("main")
    await context.close()
    assert "stats.json" in text


async def test_a_page_of_another_name_can_read_nothing(busy, browser, chromium):
    from playwright.async_api import async_playwright

    # A name of somebody else that was made to point here: DNS rebinding.
    arguments = ["--no-sandbox", "--host-resolver-rules=MAP evil.example 127.0.0.1"]
    async with async_playwright() as playwright:
        fooled = await playwright.chromium.launch(executable_path=chromium, args=arguments)
        tab = await fooled.new_page()
        answer = await tab.goto(f"http://evil.example:{busy.port}/stats.json")
        text = await tab.inner_text("body")
        await fooled.close()

    assert answer.status == 403
    assert "orders" not in text


async def test_the_json_is_what_the_page_shows(busy, look):
    seen = await look(busy)

    await seen.tab.click("#json")

    shown = json.loads(await seen.tab.inner_text("pre"))
    assert shown["channel"]["name"] == "orders"
