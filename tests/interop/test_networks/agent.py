"""A service of ours in a network namespace: ``agent.py NAME HOSTPORT [ROUTER...]``.

It says where it listens as a line of JSON, makes calls as it is told on standard input, and closes at
its end. The commands are those of `thirdparty.process`.
"""

import asyncio
import json
import sys
import time
from typing import Any

from tchannel import Request, TChannel, errors
from tchannel.lowlevel import inside


class Agent:
    """A channel that serves ``who``, and calls whom it is told to.

    Args:
        name: of the service.
        hostport: where it listens.

    """

    def __init__(self, name: str, hostport: str) -> None:
        self.channel = TChannel(name, hostport)

        @self.channel.raw.register("who")
        def who(request: Request) -> str:
            return name

        @self.channel.raw.register("slow")
        async def slow(request: Request) -> str:
            await asyncio.sleep(float(request.body))
            return name

    async def op_call(self, service: str, count: int = 1, **arguments: Any) -> list[list[Any]]:
        """Call one after the other: for each, who answered or the error's class, and the seconds."""
        outcomes = []
        endpoint, body = arguments.pop("endpoint", "who"), arguments.pop("body", "")
        for _ in range(count):
            began = time.monotonic()
            try:
                response = await self.channel.raw(service, endpoint, body, **arguments)
                outcome = response.body.decode()
            except errors.TChannelError as error:
                outcome = type(error).__name__
            outcomes.append([outcome, round(time.monotonic() - began, 3)])
        return outcomes

    async def op_know(self, peers: list[str]) -> None:
        """Know these peers from now on."""
        for peer in peers:
            self.channel.peers.add(peer)

    async def op_state(self) -> dict[str, int]:
        """How many connections there are, and calls under way."""
        connections = inside(self.channel).connections
        calls = sum(len(one.incoming) + len(one.wire.outbound) for one in connections)
        return {"connections": len(connections), "calls": calls}


async def main(name: str, hostport: str, *routers: str) -> None:
    """Serve until standard input ends."""
    agent = Agent(name, hostport)
    loop = asyncio.get_running_loop()
    async with agent.channel as channel:
        channel.listen()
        if routers:
            await channel.advertise(routers=routers, period=1.0, jitter=0)
        say({"event": "ready", "hostport": channel.hostport})
        commands = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
        answering: set[asyncio.Task[None]] = set()
        while line := await commands.readline():
            task = asyncio.create_task(answer(agent, json.loads(line)))
            answering.add(task)
            task.add_done_callback(answering.discard)
        for task in answering:
            task.cancel()


async def answer(agent: Agent, command: dict[str, Any]) -> None:
    """Do what a command says, and say what came of it."""
    number, op = command.pop("id"), command.pop("op")
    try:
        result = await getattr(agent, f"op_{op}")(**command)
    except Exception as error:
        say({"id": number, "failure": repr(error)})
        raise
    say({"id": number, "result": result})


def say(message: dict[str, Any]) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
