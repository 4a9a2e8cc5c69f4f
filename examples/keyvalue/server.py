"""A key-value service: json and raw `get`, `set` and `list` on a dict in memory.

Run it with ``python examples/keyvalue/server.py [HOST:PORT]``; it prints where it listens, serves until
SIGTERM or Ctrl-C, and then closes gracefully.
"""

from __future__ import annotations

import asyncio
import sys

from tchannel import Response, TChannel
from tchannel.status import FAILED


def not_found(key: str) -> dict[str, str]:
    """What a json caller gets, as an application error, for a key that is not there."""
    return {"type": "not-found", "message": f"no value under {key!r}"}


def make_channel(hostport: str) -> TChannel:
    """Return the service, not listening yet."""
    channel = TChannel("keyvalue", hostport=hostport)
    values: dict[str, object] = {}
    blobs: dict[bytes, bytes] = {}

    @channel.json.register("get")
    def get_json(request):
        key = request.body["key"]
        if key not in values:
            return Response(not_found(key), status=FAILED)
        return {"value": values[key]}

    @channel.json.register("set")
    async def set_json(request):
        values[request.body["key"]] = request.body["value"]

    @channel.json.register("list")
    def list_json(request):
        return {"keys": sorted(values)}

    # The raw endpoints take the key in arg2 (the headers) and the value in arg3 (the body).
    @channel.raw.register("get-raw")
    def get_raw(request):
        if request.headers not in blobs:
            return Response(b"no value under " + request.headers, status=FAILED)
        return blobs[request.headers]

    @channel.raw.register("set-raw")
    def set_raw(request):
        blobs[request.headers] = request.body

    @channel.raw.register("list-raw")
    def list_raw(request):
        return b"\n".join(sorted(blobs))

    @channel.json.register("slow")
    async def slow(request):
        await asyncio.sleep(request.body["seconds"])

    return channel


async def main() -> None:
    """Serve until told to stop."""
    hostport = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:0"
    channel = make_channel(hostport)
    channel.listen()
    print(f"listening on {channel.hostport}", flush=True)
    await channel.serve_until_signal()
    print("closed", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
