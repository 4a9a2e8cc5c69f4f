"""Calls between two channels, in any order with all that can happen to them.

Hypothesis chooses what happens next and shrinks what fails to the fewest steps. The channels are joined
in memory and their clock stands still, so that the model knows how each call must end.
"""

import asyncio

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tchannel import Response, TChannel, errors
from tchannel.lowlevel import inside
from tchannel.options import Options
from tchannel_testing import ManualClock
from tchannel_testing.memory import join

SIZES = st.sampled_from([0, 10, 70_000, 200_000])


class Call:
    """A call and what the model knows of it."""

    def __init__(self, number, kind, future, ends_at):
        self.number = number
        self.kind = kind  # the endpoint
        self.future = future
        self.ends_at = ends_at
        self.told = []
        #: What may become of it; a deadline or a cancel leaves one.
        self.expected = {"echo": {"ok"}, "fail": {"BadRequest"}}.get(kind)
        future.add_done_callback(self.told.append)

    @property
    def outcome(self):
        if self.future.cancelled():
            return "cancelled"
        error = self.future.exception()
        return "ok" if error is None else type(error).__name__.removesuffix("Error")


class Channels(RuleBasedStateMachine):
    """Two channels, each of which calls the other."""

    def __init__(self):
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = ManualClock()
        self.calls = []
        self.gates = {}
        self.running = {}
        self.ended = {}
        self.number = 0
        self.connected = False
        #: From the moment that one end lets go of the connection until there is another.
        self.losing = False
        self.run(self.open())

    def run(self, coroutine):
        return self.runner.run(coroutine)

    async def open(self):
        # A call that times out would be a sign that its peer has vanished, and the next one would
        # go over a new connection: in memory nobody listens for one. So nothing ends this one but
        # what is done to it, however long it carries no call.
        options = Options(keepalive=False, unused_timeout=1e6)
        self.client = TChannel("client", clock=self.clock, options=options)
        self.server = TChannel("server", clock=self.clock, options=options)
        for channel in (self.client, self.server):
            self.register(channel)
        await self.connect()
        (self.hostport,) = self.client.peers.hosts

    async def connect(self):
        await self.clock.elapse(0, turns=40)
        assert not inside(self.server).connections
        join(self.client, self.server)
        (accepted,) = inside(self.server).connections
        self.caller = accepted.address
        self.connected, self.losing = True, False
        await self.clock.elapse(0)

    def register(self, channel):
        @channel.raw.register("echo")
        def echo(request):
            return request.body

        @channel.raw.register("fail")
        async def fail(request):
            raise errors.BadRequestError("no")

        @channel.raw.register("wait")
        async def wait(request):
            number = int(request.headers)
            self.running[number] = self.running.get(number, 0) + 1
            try:
                await self.gates[number].wait()
                return Response(request.body, request.headers)
            finally:
                self.ended[number] = self.ended.get(number, 0) + 1

        @channel.raw.register("stream", stream=True)
        async def stream(request):
            number = int(request.headers)
            self.running[number] = self.running.get(number, 0) + 1
            try:
                yield b"<"
                await self.gates[number].wait()
                async for chunk in request.body:
                    yield chunk
            finally:
                self.ended[number] = self.ended.get(number, 0) + 1

    def open_calls(self, kind=None):
        return [
            call
            for call in self.calls
            if not call.future.done() and (kind is None or call.kind in kind)
        ]

    # -- what happens -------------------------------------------------------------------------------

    @precondition(lambda self: self.connected)
    @rule(
        kind=st.sampled_from(["echo", "fail", "wait", "stream"]),
        size=SIZES,
        timeout=st.integers(1, 20),
        back=st.booleans(),
        settle=st.booleans(),
    )
    def call(self, kind, size, timeout, back, settle):
        self.run(self.start(kind, size, timeout, back, settle))

    async def start(self, kind, size, timeout, back, settle):
        self.number += 1
        number = self.number
        self.gates[number] = asyncio.Event()
        body = bytes([number % 256]) * size
        if back:  # the server calls whoever called it, over the same connection
            caller, hostport = self.server, self.caller
        else:
            caller, hostport = self.client, self.hostport
        future = caller.raw("any", kind, body, str(number), timeout=timeout, hostport=hostport)
        expected = b"<" + body if kind == "stream" else body

        async def checked():
            response = await future
            assert response.body == expected
            return response

        ends_at = self.clock.time() + timeout
        call = Call(number, kind, asyncio.ensure_future(checked()), ends_at)
        self.calls.append(call)
        if self.losing:
            call.expected = {"Network", *(call.expected or ())}
        if settle:
            await self.clock.elapse(0)

    @precondition(lambda self: self.open_calls(("wait", "stream")))
    @rule(data=st.data())
    def go_on(self, data):
        """Let a handler finish: if it still has time its call is answered."""
        call = data.draw(st.sampled_from(self.open_calls(("wait", "stream"))))
        self.gates[call.number].set()
        call.expected = {"ok", *(call.expected or ())}
        self.run(self.clock.elapse(0, turns=40))

    @precondition(lambda self: self.open_calls())
    @rule(data=st.data(), settle=st.booleans())
    def cancel(self, data, settle):
        call = data.draw(st.sampled_from(self.open_calls()))

        async def cancel():
            if call.future.cancel():
                call.expected = {"cancelled", *(call.expected or ())}
            if settle:
                await self.clock.elapse(0)

        self.run(cancel())

    @rule(seconds=st.sampled_from([0, 0.5, 3, 30]))
    def wait(self, seconds):
        self.run(self.clock.elapse(0, turns=40))  # what has been answered has arrived before
        self.connected = not self.losing
        self.run(self.clock.elapse(seconds, turns=20))

    @precondition(lambda self: self.connected)
    @rule(end=st.sampled_from(["client", "server"]), settle=st.booleans())
    def lose_the_connection(self, end, settle):
        async def lose():
            for connection in list(inside(getattr(self, end)).connections):
                connection.abort()
            if settle:
                await self.clock.elapse(0)
                self.connected = False

        self.losing = True
        for call in self.open_calls():
            call.expected = {"Network", *(call.expected or ())}
        self.run(lose())

    @precondition(lambda self: self.losing)
    @rule()
    def connect_again(self):
        self.run(self.connect())

    # -- what holds ---------------------------------------------------------------------------------

    @invariant()
    def each_call_ends_once_and_as_it_must(self):
        for call in self.calls:
            if not call.future.done():
                continue
            assert len(call.told) <= 1
            allowed = set(call.expected or ())
            if self.clock.time() >= call.ends_at:
                allowed.add("Timeout")
            assert call.outcome in allowed, f"call {call.number} ({call.kind}): {call.outcome}"

    @invariant()
    def no_handler_runs_or_ends_twice(self):
        assert all(count == 1 for count in self.running.values())
        assert all(count == 1 for count in self.ended.values())

    def teardown(self):
        self.run(self.finish())
        self.runner.close()

    async def finish(self):
        """After the longest timeout every call has ended, every handler too, and nothing is held."""
        await self.clock.elapse(0, turns=40)
        await self.clock.elapse(60, turns=20)
        left = [call.number for call in self.calls if not call.future.done()]
        assert not left, f"calls without an end: {left}"
        self.each_call_ends_once_and_as_it_must()
        assert set(self.running) == set(self.ended)
        for channel in (self.client, self.server):
            for connection in inside(channel).connections:
                assert not connection.incoming
                assert not connection.wire.outbound
        for channel in (self.client, self.server):
            closing = channel.close(grace=1)
            while not closing.done():
                await self.clock.elapse(1)
            await closing
        others = asyncio.all_tasks() - {asyncio.current_task()}
        assert not others, f"left behind: {others}"


# The same choices each time: a change is blamed only for what it did.
Channels.TestCase.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None, derandomize=True
)
TestChannels = Channels.TestCase
