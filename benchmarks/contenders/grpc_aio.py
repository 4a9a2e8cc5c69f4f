"""grpc.aio with generic handlers: the payload is bytes, no protobuf message in between."""

from __future__ import annotations

import asyncio
from typing import Any

import worker

METHOD = "/benchmark.Echo/Echo"
# No limit on the message's size; several benchmark servers may follow each other on one port.
OPTIONS = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))


def server(task: dict[str, Any]) -> None:
    import grpc

    async def echo(request: bytes, context: object) -> bytes:
        return request

    def echo_plain(request: bytes, context: object) -> bytes:
        return request

    handler = task["workload"]["handler"]

    async def main() -> None:
        listener = grpc.aio.server(options=OPTIONS)
        method = grpc.unary_unary_rpc_method_handler(echo if handler == "async def" else echo_plain)
        service, _, name = METHOD[1:].partition("/")
        listener.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(service, {name: method}),)
        )
        port = listener.add_insecure_port("127.0.0.1:0")
        await listener.start()
        worker.serve_control()
        facts = worker.info(handler, task["loop"], f"grpcio {grpc.__version__}")
        worker.say("ready", port=port, info=facts)
        await asyncio.Event().wait()

    worker.run_loop(main(), task["loop"])


def client(task: dict[str, Any]) -> None:
    import grpc

    async def main() -> None:
        workload = task["workload"]
        body = worker.body_of(workload["size"])
        async with grpc.aio.insecure_channel(
            f"127.0.0.1:{task['port']}", options=OPTIONS
        ) as channel:
            echo = channel.unary_unary(METHOD)
            worker.require_equal(body, await echo(body, timeout=30))
            worker.say("ready", info=worker.info("-", task["loop"], f"grpcio {grpc.__version__}"))
            lanes = [lambda: echo(body, timeout=30)] * workload["in_flight"]
            await worker.AsyncClient(lanes).obey()

    worker.run_loop(main(), task["loop"])


if __name__ == "__main__":
    worker.run_worker(server, client)
