"""Each cell of `outcomes.md`."""

from collections import Counter

import pytest
from matrix.faults import FAULTS, TLS, UNHEALED
from matrix.scene import Scene
from matrix.table import CELLS, SIDES, reasons

from tchannel import TChannel, errors
from tchannel.lowlevel import inside

POSSIBLE = [cell for cell in CELLS if cell.reason is None]


def identify(cell):
    return f"{cell.side}-{cell.fault}-{cell.kind}-{cell.scheme}".replace(" ", "_")


@pytest.mark.parametrize("cell", POSSIBLE, ids=identify)
async def test_a_fault_costs_what_the_table_says(cell, untrusted):
    scene = Scene(cell.kind, cell.scheme, cell.side)
    if cell.fault in TLS:
        scene.ssl_server, scene.ssl_client = untrusted[cell.side]
    async with scene.set_up():
        call = await FAULTS[cell.fault](scene)
        outcome = await (of_the_client if cell.side == "client" else of_the_server)(
            scene, call, healed=cell.fault not in UNHEALED
        )

    assert outcome == cell.outcome


async def of_the_client(scene, call, *, healed):
    """What the call ended with, and over which connection the next one goes."""
    result = await how_it_ended(scene, call)
    if healed:
        await scene.heal()
    accepted = scene.proxy.accepted
    again = await scene.call(size=1)
    if await how_it_ended(scene, again) != "ok":
        return f"{result}, stuck"
    assert await again == b"x"
    assert not inside(scene.client).connections or all(
        not connection.wire.outbound for connection in inside(scene.client).connections
    )
    return f"{result}, {'same' if scene.proxy.accepted == accepted else 'new'}"


async def how_it_ended(scene, call):
    await scene.until_done(call)
    if call.cancelled():
        return "cancelled"
    error = call.exception()
    if error is None:
        return "ok"
    assert isinstance(error, errors.TChannelError), repr(error)
    assert error.peer in (None, scene.proxy.hostport)
    return type(error).__name__.removesuffix("Error")


async def of_the_server(scene, call, *, healed):
    """What became of the handler, and of the connection; a bystander must notice nothing."""
    connections = list(inside(scene.server).connections)
    await scene.until_done(call)
    if not call.cancelled():
        call.exception()
    handled = list(scene.handled)
    if healed:
        await scene.heal()
    bystander = TChannel("bystander", clock=scene.clock)
    scene.others.append(bystander)
    if scene.ssl_server is None:
        answer = bystander.raw("server", "echo", b"me too", hostport=scene.server.hostport)
        await scene.until_done(answer)
        assert (await answer).body == b"me too"
    assert not any(connection.incoming for connection in inside(scene.server).connections)
    assert len(handled) <= 1
    kept = any(connection in inside(scene.server).connections for connection in connections)
    return f"{handled[0] if handled else 'not called'}, {'kept' if kept else 'closed'}"


def test_the_table_has_a_cell_for_each_fault_side_kind_and_scheme():
    counted = Counter((cell.fault, cell.side, cell.kind, cell.scheme) for cell in CELLS)

    assert set(counted.values()) == {1}
    assert set(counted) == {
        (fault, side, kind, scheme)
        for fault in FAULTS
        for side in SIDES
        for kind in ("async", "sync")
        for scheme in ("raw", "json", "thrift", "streaming")
    }


def test_each_cell_that_cannot_occur_says_why():
    assert {cell.reason for cell in CELLS if cell.reason} == set(reasons())
