"""grpc's synchronous client, called from plain threads, against grpc's own aio server."""

from __future__ import annotations

from typing import Any

import grpc_aio
import worker


def client(task: dict[str, Any]) -> None:
    import grpc

    workload = task["workload"]
    body = worker.body_of(workload["size"])
    with grpc.insecure_channel(f"127.0.0.1:{task['port']}", options=grpc_aio.OPTIONS) as channel:
        echo = channel.unary_unary(grpc_aio.METHOD)
        worker.require_equal(body, echo(body, timeout=30))
        worker.say("ready", info=worker.info("-", "threads", f"grpcio {grpc.__version__}"))
        worker.obey_with_threads([lambda: echo(body, timeout=30)] * workload["in_flight"])


if __name__ == "__main__":
    worker.run_worker(grpc_aio.server, client)
