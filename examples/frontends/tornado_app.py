"""A Tornado front end: HTTP outside, TChannel inside, on one loop.

SERVICE=127.0.0.1:4040 python examples/frontends/tornado_app.py
"""

from __future__ import annotations

import asyncio
import json
import os

import tornado.web

from tchannel import TChannel, errors

DEADLINE = 2.0


class Value(tornado.web.RequestHandler):
    """One value: GET and PUT."""

    def initialize(self, channel: TChannel) -> None:
        self.channel = channel

    async def get(self, key: str) -> None:
        response = await self.channel.json("keyvalue", "get", {"key": key}, deadline=DEADLINE)
        self.set_status(404 if response.status else 200)
        self.write(response.body)

    async def put(self, key: str) -> None:
        try:
            value = json.loads(self.request.body)
        except ValueError:
            raise tornado.web.HTTPError(400, reason="the body is no JSON") from None
        await self.channel.json("keyvalue", "set", {"key": key, "value": value}, deadline=DEADLINE)
        self.set_status(204)

    def write_error(self, status_code: int, **kwargs: object) -> None:
        """What a failed call means to who asked; nothing of the insides."""
        error = kwargs["exc_info"][1]
        if isinstance(error, errors.TimeoutError):
            status_code = 504
        elif isinstance(error, errors.RetryableError | errors.UnhealthyError):
            status_code = 503
        elif isinstance(error, errors.TChannelError):
            status_code = 502
        self.set_status(status_code)
        self.finish({"error": self._reason})


def make_app(channel: TChannel) -> tornado.web.Application:
    """The application; it calls by that channel."""
    return tornado.web.Application([(r"/values/([^/]+)", Value, {"channel": channel})])


async def main() -> None:
    """Serve until the process ends."""
    async with TChannel("front-end", known_peers=os.environ["SERVICE"].split(",")) as channel:
        make_app(channel).listen(8080, "127.0.0.1")
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
