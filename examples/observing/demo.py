"""Calls the service of server.py, in this process, and shows what Prometheus would scrape of it."""

from __future__ import annotations

import asyncio
import time
import urllib.request

from prometheus_client import start_http_server
from server import make_server

from tchannel import TChannel
from tchannel_observe.prometheus import register

CALLS = 200


async def main() -> None:
    http, thread = start_http_server(0, "127.0.0.1")
    url = f"http://127.0.0.1:{http.server_port}/metrics"
    async with make_server("127.0.0.1:0") as server, TChannel("demo") as client:
        server.listen()
        register(client)
        await asyncio.gather(
            *[
                client.json("observed", "greet", {"name": "Ada"}, hostport=server.hostport)
                for _ in range(CALLS)
            ],
            return_exceptions=True,
        )
        began = time.perf_counter()
        text = await asyncio.to_thread(scrape, url)
        took = (time.perf_counter() - began) * 1000
    http.shutdown()
    thread.join()
    http.server_close()
    shown = [line for line in text.splitlines() if line.startswith("tchannel_calls_total")]
    assert shown, "nothing was counted"
    print("\n".join(shown))
    print(f"{len(text)} bytes of metrics, scraped in {took:.1f} ms from {url}")


def scrape(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


if __name__ == "__main__":
    asyncio.run(main())
