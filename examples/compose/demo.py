"""A router, a service with its live page, a caller, and a scraper of /metrics in Prometheus' place.

    python demo.py          ends by itself, and fails when the metrics do not show the calls
    python demo.py --keep   runs until Ctrl-C, with the page at http://127.0.0.1:9090/

Each but the scraper, which is this program, is a process of its own; none needs Docker.
"""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

HERE = Path(__file__).parent
PERIOD = 0.5  # seconds between two scrapes; Prometheus' own default is a minute
ENOUGH = 20  # calls that the metrics have to show
PATIENCE = 30  # seconds until they have to


class Failed(Exception):
    """What ends the demo with exit code 1."""


@contextmanager
def process(name: str, ready: str, argv: Sequence[str]) -> Iterator[str]:
    """Run a process until the block ends; gives the line that says that it is ready."""
    running = subprocess.Popen([sys.executable, *argv], stdout=subprocess.PIPE, text=True)
    try:
        assert running.stdout is not None
        for line in running.stdout:
            if ready in line.lower():
                break
        else:
            raise Failed(f"{name} ended before it said {ready!r}")
        print(f"{name}: {line.strip()} (process {running.pid})", flush=True)
        yield line
    finally:
        running.terminate()
        rest, _ = running.communicate(timeout=30)
        if rest:
            print(f"{name}: {rest.strip()}", flush=True)


def scrape(url: str) -> dict[str, float]:
    """Calls that the service answered, by their outcomes, as the metrics say."""
    began = time.perf_counter()
    with urllib.request.urlopen(url, timeout=10) as answer:
        text = answer.read().decode()
    outcomes: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            of_greet = sample.labels.get("endpoint") == "greet"
            if sample.name == "tchannel_calls_total" and of_greet and sample.value:
                outcome = sample.labels["outcome"]
                outcomes[outcome] = outcomes.get(outcome, 0) + sample.value
    took = (time.perf_counter() - began) * 1000
    print(f"scraper: {len(text)} bytes in {took:.1f} ms from {url}, greet {outcomes}", flush=True)
    return outcomes


def run(keep: bool) -> None:
    """Start all of it, and scrape."""
    with ExitStack() as stack:
        argv = ["-m", "tchannel_hyperbahn", "router", "--port", "0"]
        line = stack.enter_context(process("router", "listening on", argv))
        router = line.lower().split("listening on ")[1].split()[0]
        argv = [str(HERE / "service.py"), router, "9090" if keep else "0"]
        line = stack.enter_context(process("service", "page at", argv))
        page = line.split("page at ")[1].split()[0]
        stack.enter_context(process("caller", "calling", [str(HERE / "caller.py"), router]))
        until = time.monotonic() + PATIENCE
        while True:
            time.sleep(5 if keep else PERIOD)
            outcomes = scrape(f"{page}metrics")
            if not keep and outcomes.get("success", 0) >= ENOUGH:
                return
            if not keep and time.monotonic() > until:
                raise Failed(f"after {PATIENCE} s the metrics show {outcomes} only")


def main() -> int:
    """Return the exit code."""
    try:
        run("--keep" in sys.argv[1:])
    except KeyboardInterrupt:
        print("ended")
    except Failed as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
