"""Look at the documentation site in Chromium: phone and desktop, light and dark, without a network.

Usage: ``python scripts/look_at_site.py build/docs build/looks`` (``make docs-look``)

Each page is opened from its file. It fails where a page is wider than the screen, asks another host for
anything or has a script that fails, and where the search finds nothing. Of some pages the contrast is
looked at besides (by axe), and pictures are put into the second folder, for human eyes.
"""

import shutil
import sys
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

SCREENS = {"phone": (390, 844), "desktop": (1280, 800)}
PICTURES = ("index", "tutorial", "guide/tls", "reference/options", "performance")
SEARCHED = "search.html?q=deadline"
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def look(page: Page, address: str) -> list[str]:
    """Open a page; what is wrong with it."""
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
    page.goto(address)
    if "search.html" in address:
        page.wait_for_selector("#search-results li", timeout=20_000)
    if (pixels := page.evaluate(TOO_WIDE)) > 0:
        wrong.append(f"{pixels} pixels wider than the screen")
    return wrong


def hard_to_read(page: Page) -> list[str]:
    """What axe finds of too little contrast, one line each."""
    found = Axe().run(page, options={"runOnly": ["color-contrast"]}).response["violations"]
    return [
        f"hard to read: {each['html'][:120]}: {each['any'][0]['message'][:160]}"
        for one in found
        for each in one["nodes"]
    ]


def look_with(browser: Browser, site: Path, pictures: Path, screen: str, scheme: str) -> int:
    """Look at all pages as one reader does; how many things are wrong."""
    width, height = SCREENS[screen]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        offline=True,
    )
    asked: list[str] = []
    count = 0
    names = sorted(
        path.relative_to(site).with_suffix("").as_posix()
        for path in site.rglob("*.html")
        if not path.is_relative_to(site / "_static") and path.stem not in {"genindex", "search"}
    )
    for name in [*names, SEARCHED]:
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        address = (site / f"{name}.html").as_uri() if name in names else f"{site.as_uri()}/{name}"
        wrong = look(page, address)
        if name in PICTURES or name == SEARCHED:
            wrong += hard_to_read(page)
            short = name.partition(".")[0].replace("/", "-")
            page.screenshot(path=pictures / f"{short}-{screen}-{scheme}.png")
        for line in wrong:
            print(f"{name} ({screen}, {scheme}): {line}", flush=True)
        count += len(wrong)
        page.close()
    for url in sorted({url for url in asked if not url.startswith(("file:", "data:"))}):
        print(f"({screen}, {scheme}): asked for {url}")
        count += 1
    print(f"{screen}, {scheme}: {len(names) + 1} pages")
    context.close()
    return count


def main() -> int:
    """Look as four readers; the exit code."""
    site, pictures = (Path(argument).resolve() for argument in sys.argv[1:3])
    pictures.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("there is no chromium here (Debian: the package chromium)", file=sys.stderr)
        return 2
    arguments = ["--no-sandbox", "--allow-file-access-from-files"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        count = sum(
            look_with(browser, site, pictures, screen, scheme)
            for screen in SCREENS
            for scheme in ("light", "dark")
        )
        browser.close()
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
