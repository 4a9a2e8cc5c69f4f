"""The pages of docs/: their Python runs as it stands, and their links lead somewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
RUN = [page for page in PAGES if re.search(r"^```python$", page.read_text(), re.MULTILINE)]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def name(page):
    return page.relative_to(ROOT).as_posix()


def anchors(page):
    """The anchors that a page has, as the forge and the site make them of its headings."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
    return set(plain)


@pytest.mark.parametrize("page", RUN, ids=name)
def test_the_python_of_a_page_runs_as_one_program(page, tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", ROOT / "scripts" / "run_page.py", page],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        cwd=tmp_path,
    )

    assert done.returncode == 0, done.stderr
    assert re.search(r": [1-9]\d* blocks$", done.stdout)


@pytest.mark.parametrize(
    "page", [*PAGES, *ROOT.glob("*.md"), *ROOT.glob("packages/*/README.md")], ids=name
)
def test_each_link_to_a_file_or_heading_of_ours_leads_there(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for link in LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} leads nowhere"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), f"{link}: no such heading"


def test_each_page_is_in_the_index():
    index = (ROOT / "docs" / "index.md").read_text()
    pages = {name(page)[len("docs/") : -len(".md")] for page in PAGES} - {"index"}
    pages = {page for page in pages if not page.startswith("images/")}

    assert {page for page in pages if not re.search(rf"^{page}$", index, re.MULTILINE)} == set()
