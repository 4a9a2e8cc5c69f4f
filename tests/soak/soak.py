"""Calls of all kinds for a long time, while peers are killed and come back: ``python soak.py --seconds 600``.

Every call ends once, what may be handled once is not handled twice, and nothing grows: at each rest the
load stops, and objects, tasks, timers, descriptors and memory are counted. Its assertions are counts;
how fast the machine is does not matter to them. The exit status is 0 when all held.
"""

import argparse
import asyncio
import gc
import itertools
import logging
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

from server import Service

from tchannel import TChannel, errors
from tchannel.lowlevel import inside
from tchannel.sync import TChannel as SyncTChannel
from tchannel_testing import data as testing_data

_SERVER = Path(__file__).with_name("server.py")

#: How many callers work at once.
_WORKERS = 12
#: How many rests there are; the first ones see caches fill and pools grow.
_RESTS = 12
_WARM_UP = 4

#: What may be more in the second half of the rests than in the first.
_OBJECTS = 300
_MEMORY = 6 << 20


class Rest(NamedTuple):
    """What is held while nothing happens."""

    objects: int
    tasks: int
    timers: int
    descriptors: int
    memory: int


class Peer:
    """A service in a process of its own, which is killed and comes back on its port."""

    def __init__(self) -> None:
        self.hostport = ""
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it, the first time on any port."""
        port = self.hostport.rpartition(":")[2] or "0"
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(_SERVER), port),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        self.hostport = (await self._process.stdout.readline()).decode().strip()

    async def kill(self) -> None:
        """End it at once; its sockets are reset by the system."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            await process.communicate()


class Soak:
    """The load, and the account of it."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.started: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.kills = 0
        self.rests: list[Rest] = []
        self.peers = [Peer() for _ in range(3)]
        self.service = Service("127.0.0.1:0")
        self.client: TChannel
        self.sync: SyncTChannel
        self._keys = itertools.count()
        self._working = asyncio.Event()
        self._module = testing_data.load(service="soak")

    # -- the load -------------------------------------------------------------------------------

    async def run(self, seconds: float) -> None:
        """Work for so long, with rests, and look at what was counted."""
        self.service.channel.listen()
        try:
            for peer in self.peers:
                await peer.start()
            known = [peer.hostport for peer in self.peers]
            self.client = TChannel("soaker", known_peers=known)
            self.sync = SyncTChannel("sync-soaker", known_peers=known)
            for _ in range(_RESTS):
                await self._work(seconds / _RESTS)
                await self._rest()
            await self.client.close()
            await asyncio.to_thread(self.sync.close)
            await self.service.channel.close()
        finally:
            for peer in self.peers:
                await peer.kill()

    async def _work(self, seconds: float) -> None:
        self._working.set()
        workers = [asyncio.create_task(self._call_and_call()) for _ in range(_WORKERS)]
        workers.append(asyncio.create_task(self._kill_and_restart()))
        await asyncio.sleep(seconds)
        self._working.clear()
        await asyncio.gather(*workers)

    async def _kill_and_restart(self) -> None:
        while self._working.is_set():
            await asyncio.sleep(self.random.uniform(0.2, 0.8))
            peer = self.random.choice(self.peers)
            await peer.kill()
            self.kills += 1
            await asyncio.sleep(self.random.uniform(0, 0.3))
            await peer.start()

    async def _call_and_call(self) -> None:
        kinds = [
            *(self._echo, self._large, self._json, self._thrift, self._streamed, self._in_sync),
            *(self._times_out, self._cancelled, self._abandoned, self._refused, self._once),
        ]
        while self._working.is_set():
            kind = self.random.choice(kinds)
            name = kind.__name__.strip("_")
            self.started[name] += 1
            try:
                outcome = await kind()
            except (errors.TChannelError, asyncio.CancelledError) as error:
                # Peers are killed all the time: which error it is does not matter here.
                outcome = type(error).__name__
            self.ended[name] += 1
            self.outcomes[outcome] += 1

    async def _counted(self, call: "asyncio.Future[Any]") -> Any:
        """Wait for a call, and count the times that its end is told."""
        told: list[object] = []
        call.add_done_callback(told.append)
        try:
            return await call
        finally:
            await asyncio.sleep(0)
            assert len(told) == 1, f"{call!r} has ended {len(told)} times"

    async def _echo(self) -> str:
        response = await self._counted(self.client.raw("soak", "echo", b"small", timeout=5))
        assert response.body == b"small"
        return "ok"

    async def _large(self) -> str:
        body = bytes(self.random.randrange(100_000, 400_000))
        response = await self._counted(self.client.raw("soak", "echo", body, timeout=5))
        assert response.body == body
        return "ok"

    async def _json(self) -> str:
        response = await self._counted(self.client.json("soak", "json", [1, "two"], timeout=5))
        assert response.body == {"you said": [1, "two"]}
        return "ok"

    async def _thrift(self) -> str:
        request = self._module.EverythingService.upper("shout")
        response = await self._counted(self.client.thrift(request, timeout=5))
        assert response.body == "SHOUT"
        return "ok"

    async def _streamed(self) -> str:
        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(5):
                yield b"x" * 20_000
                await asyncio.sleep(0)

        call = self.client.raw("soak", "stream", chunks(), stream=True, timeout=5)
        response = await self._counted(call)
        async with response.body as body:
            assert len(await body.read()) == 100_000
        return "ok"

    async def _in_sync(self) -> str:
        future = await asyncio.to_thread(self.sync.raw, "soak", "echo", b"sync", timeout=5)
        response = await asyncio.wrap_future(future)
        assert response.body == b"sync"
        return "ok"

    async def _times_out(self) -> str:
        await self._counted(self.client.raw("soak", "slow", b"5", timeout=0.05))
        raise AssertionError("it must time out")

    async def _cancelled(self) -> str:
        call = self.client.raw("soak", "slow", b"5", timeout=10)
        asyncio.get_running_loop().call_later(self.random.uniform(0, 0.03), call.cancel)
        try:
            await self._counted(call)
        except errors.NetworkError:
            return "NetworkError"  # the peer was killed first
        except asyncio.CancelledError:
            return "cancelled"
        raise AssertionError("it must be cancelled")

    async def _abandoned(self) -> str:
        """A stream of which only the beginning is read."""
        call = self.client.raw("soak", "endless", stream=True, timeout=10)
        response = await self._counted(call)
        async with response.body as body:
            await anext(body)
        return "ok"

    async def _refused(self) -> str:
        endpoint = self.random.choice(["busy", "broken", "unknown"])
        await self._counted(self.client.raw("soak", endpoint, retry_limit=1, timeout=5))
        raise AssertionError("it must be refused")

    async def _once(self) -> str:
        """To the service of this process, without retries: it must not be handled again."""
        key = str(next(self._keys)).encode()
        call = self.client.raw(
            "soak", "once", key, hostport=self.service.channel.hostport, retry_on="n"
        )
        assert (await self._counted(call)).body == key
        return "ok"

    # -- the rests ------------------------------------------------------------------------------

    async def _rest(self) -> None:
        """Wait until nothing is under way, and count."""
        for channel in (self.client, self.service.channel):
            async with asyncio.timeout(30):
                while any(
                    connection.incoming or connection.wire.outbound
                    for connection in inside(channel).connections
                ):
                    await asyncio.sleep(0.05)
        self.service.seen.clear()
        # One call to each peer: so that each has its connection at every rest.
        for peer in self.peers:
            await self.client.raw("soak", "echo", b"", hostport=peer.hostport, timeout=10)
        await asyncio.sleep(0.3)
        for _ in range(3):
            gc.collect()
        loop: Any = asyncio.get_running_loop()
        self.rests.append(
            Rest(
                objects=len(gc.get_objects()),
                tasks=len(asyncio.all_tasks()),
                timers=sum(not handle.cancelled() for handle in loop._scheduled),
                descriptors=len(os.listdir("/proc/self/fd")),
                memory=_resident(),
            )
        )

    def faults(self) -> list[str]:
        """What did not hold."""
        found = []
        if self.started != self.ended:
            found.append(f"calls without an end: {self.started - self.ended}")
        if self.service.twice:
            found.append(f"handled twice: {self.service.twice[:10]}")
        missing = {"ok", "TimeoutError", "cancelled", "NetworkError"} - set(self.outcomes)
        if missing:
            found.append(f"never happened: {missing}")
        early = self.rests[_WARM_UP : (_WARM_UP + _RESTS) // 2]
        late = self.rests[(_WARM_UP + _RESTS) // 2 :]
        # The least of each half: what one rest has more than others is on its way out.
        for field, allowed in (
            ("objects", _OBJECTS), ("tasks", 0), ("timers", 2), ("descriptors", 2),
            ("memory", _MEMORY),
        ):  # fmt: skip
            before = min(getattr(rest, field) for rest in early)
            after = min(getattr(rest, field) for rest in late)
            if after > before + allowed:
                found.append(f"{field} grew from {before} to {after}")
        return found

    def report(self) -> str:
        """The figures."""
        lines = [
            f"calls: {self.ended.total()}, each with one end; peers killed: {self.kills}",
            "kinds: " + ", ".join(f"{name} {n}" for name, n in sorted(self.ended.items())),
            "outcomes: " + ", ".join(f"{name} {n}" for name, n in sorted(self.outcomes.items())),
        ]
        for field in Rest._fields:
            values = [getattr(rest, field) for rest in self.rests]
            lines.append(f"{field}: {' '.join(map(str, values))}")
        return "\n".join(lines)


def _resident() -> int:
    """Bytes of memory that this process has."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def main() -> int:
    """Soak, and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long; default 60")
    parser.add_argument("--seed", type=int, default=None, help="default: another one each time")
    arguments = parser.parse_args()
    logging.disable()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    seed = random.randrange(1 << 32) if arguments.seed is None else arguments.seed
    began = time.monotonic()

    async def soak() -> Soak:
        made = Soak(seed)
        await made.run(arguments.seconds)
        return made

    made = asyncio.run(soak())
    print(f"seed {seed}, {time.monotonic() - began:.0f} s")
    print(made.report())
    for fault in made.faults():
        print(f"FAILED: {fault}")
    return 1 if made.faults() else 0


if __name__ == "__main__":
    sys.exit(main())
