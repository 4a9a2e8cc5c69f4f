"""thriftpy2's own RPC on asyncio: no multiplexing, so one connection per call in flight."""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any

import medium
import worker

IDL = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "idl")


def load() -> tuple[ModuleType, str]:
    import thriftpy2

    module = thriftpy2.load(os.path.join(IDL, "keyvalue.thrift"), "keyvalue_thrift")
    return module, f"thriftpy2 {thriftpy2.__version__}"


class Handler:
    """The service; its methods are coroutines because thriftpy2 awaits them."""

    async def getValue(self, key: str) -> str:  # noqa: N802 - the IDL's name
        return "world"

    async def echoMedium(self, value: object) -> object:  # noqa: N802 - the IDL's name
        return value


def server(task: dict[str, Any]) -> None:
    keyvalue, version = load()
    from thriftpy2.rpc import make_aio_server

    loop = worker.new_loop(task["loop"])
    port = worker.free_port()  # thriftpy2 refuses port 0
    listener = make_aio_server(
        keyvalue.KeyValue, Handler(), "127.0.0.1", port, client_timeout=None, loop=loop
    )
    listener.init_server()
    worker.serve_control()
    worker.say("ready", port=port, info=worker.info("async def", task["loop"], version))
    loop.run_forever()


def client(task: dict[str, Any]) -> None:
    keyvalue, version = load()
    from thriftpy2.rpc import make_aio_client

    workload = task["workload"]

    async def main() -> None:
        clients = [
            await make_aio_client(keyvalue.KeyValue, "127.0.0.1", task["port"], timeout=30_000)
            for _ in range(workload["in_flight"])
        ]
        if workload["kind"] == "thrift-medium":
            fields = medium.medium_fields()
            fields["position"] = keyvalue.Point(**fields["position"])
            value = keyvalue.Medium(**fields)
            worker.require_equal(value, await clients[0].echoMedium(value))
            lanes = [lambda one=one: one.echoMedium(value) for one in clients]
        else:
            worker.require_equal("world", await clients[0].getValue("hello"))
            lanes = [lambda one=one: one.getValue("hello") for one in clients]
        facts = worker.info("-", task["loop"], f"{version}, {len(clients)} connections")
        worker.say("ready", info=facts)
        await worker.AsyncClient(lanes).obey()

    worker.run_loop(main(), task["loop"])


if __name__ == "__main__":
    worker.run_worker(server, client)
