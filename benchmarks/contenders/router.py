"""The development router, in a process of its own between server and client."""

from __future__ import annotations

import asyncio
from typing import Any

import worker

try:
    from tchannel_hyperbahn import Router
except ImportError as error:
    worker.report_missing(error)


def server(task: dict[str, Any]) -> None:
    async def main() -> None:
        router = Router(hostport="127.0.0.1:0")
        router.listen()
        worker.serve_control()
        port = int(router.hostport.rpartition(":")[2])
        worker.say("ready", port=port, info=worker.info("-", task["loop"], "router"))
        await asyncio.Event().wait()

    worker.run_loop(main(), task["loop"])


def client(task: dict[str, Any]) -> None:
    raise worker.MissingError("the router is no client")


if __name__ == "__main__":
    worker.run_worker(server, client)
