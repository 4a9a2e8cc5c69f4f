"""The rows of the matrix: each function does one thing to a scene and returns the call that meets it.

A fault of the side "client" comes from the network or the server, one of the side "server" from the
network or the client. What a side receives is spoiled on the way to it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from matrix.scene import LARGE, Scene

import tchannel_wire as wire
from tchannel import TChannel
from tchannel_testing.proxy import (
    Direction,
    add_frame,
    flip_byte,
    is_frame_type,
    repeat_frame,
    replace_frame,
)

__all__ = ["FAULTS", "TLS", "UNHEALED"]

_Call = asyncio.Future[bytes]

FAULTS: dict[str, Callable[[Scene], Awaitable[_Call]]] = {}

#: The faults that need certificates from the start.
TLS = {"TLS failure"}

#: The faults that nobody takes away before the next call.
UNHEALED = {"half-open", "TLS failure"}

_REQUESTS = (int(wire.FrameType.CALL_REQUEST), int(wire.FrameType.CALL_REQUEST_CONTINUE))
_RESPONSES = (int(wire.FrameType.CALL_RESPONSE), int(wire.FrameType.CALL_RESPONSE_CONTINUE))
_INIT_REQUEST = int(wire.FrameType.INIT_REQUEST)
_INIT_RESPONSE = int(wire.FrameType.INIT_RESPONSE)

_GARBAGE = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"


def _fault(name: str) -> Callable[[Any], Any]:
    def register(function: Any) -> Any:
        FAULTS[name] = function
        return function

    return register


def _towards(scene: Scene) -> Direction:
    """What the side that is looked at receives."""
    return scene.proxy.downstream if scene.side == "client" else scene.proxy.upstream


def _calls(scene: Scene) -> tuple[int, ...]:
    """The types of the frames of calls that it receives."""
    return _RESPONSES if scene.side == "client" else _REQUESTS


def _first(scene: Scene) -> tuple[int, ...]:
    """The type of the first of them."""
    return _calls(scene)[:1]


def _error(code: int, text: str) -> bytes:
    return wire.encode(wire.ErrorMessage(id=wire.NO_MESSAGE_ID, code=code, description=text))


# -- connecting ------------------------------------------------------------------------------------


@_fault("connect refused")
async def connect_refused(scene: Scene) -> _Call:
    await scene.proxy.close()
    return await scene.call()


@_fault("black hole")
async def black_hole(scene: Scene) -> _Call:
    await scene.warm_up()
    scene.proxy.set(black_hole=True)
    return await scene.call()


@_fault("handshake never answered")
async def handshake_never_answered(scene: Scene) -> _Call:
    _towards(scene).set(withhold=is_frame_type(_INIT_REQUEST, _INIT_RESPONSE))
    return await scene.call()


@_fault("handshake garbage")
async def handshake_garbage(scene: Scene) -> _Call:
    garbage = replace_frame(_GARBAGE, types=(_INIT_REQUEST, _INIT_RESPONSE))
    _towards(scene).set(rewrite=garbage)
    return await scene.call()


@_fault("TLS failure")
async def tls_failure(scene: Scene) -> _Call:
    return await scene.call()


@_fault("spoofed address")
async def spoofed_address(scene: Scene) -> _Call:
    called: list[bytes] = []
    victim = TChannel("server", "127.0.0.1:0", clock=scene.clock)
    scene.others.append(victim)
    victim.raw.register("echo", lambda request: called.append(request.body) or request.body)
    victim.listen()

    def announce(frame: bytes) -> bytes:
        message = wire.decode(frame)
        assert isinstance(message, wire.InitRequest | wire.InitResponse)
        headers = {**message.headers, "host_port": victim.hostport}
        return wire.encode(type(message)(id=message.id, headers=headers))

    _towards(scene).set(rewrite=replace_frame(announce, types=(_INIT_REQUEST, _INIT_RESPONSE)))
    call = await scene.call()
    await scene.until_done(call)
    deceived = scene.client if scene.side == "client" else scene.server
    to_victim = deceived.raw("server", "echo", b"for the victim", hostport=victim.hostport)
    await scene.until_done(to_victim)
    assert called == [b"for the victim"], "the call went to whoever announced the address"
    return call


# -- the end of a connection -----------------------------------------------------------------------


@_fault("reset before request")
async def reset_before_request(scene: Scene) -> _Call:
    await scene.warm_up()
    # It has left the client, and never reaches the server.
    scene.proxy.upstream.set(cut_after_bytes=1, cut_with_reset=True)
    return await scene.call()


@_fault("reset after request")
async def reset_after_request(scene: Scene) -> _Call:
    await scene.warm_up()
    scene.go_on.clear()
    call = await scene.call()
    await scene.until_running()
    scene.proxy.reset()
    await scene.settle()
    scene.go_on.set()
    return call


@_fault("reset within a request")
async def reset_within_a_request(scene: Scene) -> _Call:
    await scene.warm_up()
    scene.proxy.upstream.set(cut_after_frames=1, cut_with_reset=True)
    return await scene.call(LARGE)


@_fault("reset within a response")
async def reset_within_a_response(scene: Scene) -> _Call:
    await scene.warm_up()
    scene.proxy.downstream.set(cut_after_bytes=LARGE // 2, cut_with_reset=True)
    return await scene.call(LARGE)


@_fault("half-open")
async def half_open(scene: Scene) -> _Call:
    await scene.warm_up()
    scene.go_on.clear()
    call = await scene.call()
    await scene.until_running()
    scene.proxy.half_open("upstream" if scene.side == "client" else "client")
    await scene.settle()
    scene.go_on.set()
    return call


@_fault("draining")
async def draining(scene: Scene) -> _Call:
    await scene.warm_up()
    notice = _error(wire.ErrorCode.DECLINED, "draining: restarting")
    _towards(scene).set(rewrite=add_frame(notice, types=_first(scene), before=True))
    return await scene.call()


# -- bytes -----------------------------------------------------------------------------------------


@_fault("one byte a second")
async def one_byte_a_second(scene: Scene) -> _Call:
    await scene.warm_up()
    _towards(scene).set(bandwidth=1)
    return await scene.call()


@_fault("corrupted byte")
async def corrupted_byte(scene: Scene) -> _Call:
    await scene.warm_up()
    of_the_type = flip_byte(2, types=_first(scene))
    _towards(scene).set(rewrite=of_the_type)
    return await scene.call()


@_fault("wrong checksum")
async def wrong_checksum(scene: Scene) -> _Call:
    await scene.warm_up()
    of_the_body = flip_byte(-1, types=_first(scene))
    _towards(scene).set(rewrite=of_the_body)
    return await scene.call()


# -- frames ----------------------------------------------------------------------------------------


def _stray(scene: Scene) -> bytes:
    response = wire.CallResponse(id=0x7777, headers={"as": "raw"}, chunks=[b"", b"", b"stray"])
    return wire.encode(response)


@_fault("duplicate response")
async def duplicate_response(scene: Scene) -> _Call:
    await scene.warm_up()
    if scene.side == "client":
        scene.proxy.downstream.set(rewrite=repeat_frame(types=_RESPONSES))
    else:
        twice = _stray(scene) * 2
        scene.proxy.upstream.set(rewrite=add_frame(twice, types=_first(scene), before=True))
    return await scene.call()


@_fault("response for an unknown id")
async def response_for_an_unknown_id(scene: Scene) -> _Call:
    await scene.warm_up()
    _towards(scene).set(rewrite=add_frame(_stray(scene), types=_first(scene), before=True))
    return await scene.call()


@_fault("response after timeout")
async def response_after_timeout(scene: Scene) -> _Call:
    await scene.warm_up()
    if scene.side == "client":
        scene.proxy.downstream.set(withhold=is_frame_type(*_RESPONSES))
    else:
        scene.go_on.clear()
    call = await scene.call()
    await scene.until_done(call)
    scene.go_on.set()
    return call


@_fault("cancel crossing the response")
async def cancel_crossing_the_response(scene: Scene) -> _Call:
    await scene.warm_up()
    if scene.side == "client":
        scene.proxy.downstream.set(withhold=is_frame_type(*_RESPONSES))
    else:
        scene.proxy.upstream.set(withhold=is_frame_type(wire.FrameType.CANCEL))
        scene.go_on.clear()
    call = await scene.call()
    await scene.until_running()
    await scene.settle()
    call.cancel()
    await scene.settle()
    scene.go_on.set()
    await scene.settle()
    return call


@_fault("error frame with id 0xFFFFFFFF")
async def error_frame_with_id_0xffffffff(scene: Scene) -> _Call:
    await scene.warm_up()
    fatal = _error(wire.ErrorCode.FATAL, "I do not understand")
    _towards(scene).set(rewrite=add_frame(fatal, types=_first(scene), before=True))
    return await scene.call()


@_fault("notice with id 0xFFFFFFFF")
async def notice_with_id_0xffffffff(scene: Scene) -> _Call:
    await scene.warm_up()
    notice = _error(wire.ErrorCode.UNEXPECTED, "something else went wrong")
    _towards(scene).set(rewrite=add_frame(notice, types=_first(scene), before=True))
    return await scene.call()
