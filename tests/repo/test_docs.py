"""The pages of docs/: their Python runs as it stands, and their links lead somewhere."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
# Its blocks are files, not parts of one program.
TUTORIAL = ROOT / "docs" / "tutorial.md"
RUN = [
    page
    for page in PAGES
    if page != TUTORIAL and re.search(r"^```python$", page.read_text(), re.MULTILINE)
]
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


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return bound.getsockname()[1]


def follow(page, folder):
    commands = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [
            *(sys.executable, ROOT / "scripts" / "follow_page.py", page, folder),
            *(f"4040={free_port()}", f"21300={free_port()}"),
        ],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
        env={**os.environ, "PATH": commands, "FOLLOW_INSTALLED": "1"},
    )


@pytest.mark.timeout(180)
def test_the_tutorial_works_when_it_is_followed_to_the_letter(tmp_path):
    done = follow(TUTORIAL, tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r": [1-9]\d+ steps$", done.stdout)


def test_a_page_that_says_what_is_not_printed_is_not_followed(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```console\n$ echo one\none\n$ echo two\nthree\n```\n")

    done = follow(page, tmp_path)

    assert done.returncode == 1
    assert "$ echo two\ntwo\n\ninstead of\nthree" in done.stderr


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
