"""TLS: what both sides say of a failure, names, files that change, limits, permissive mode."""

import asyncio
import gc
import itertools
import logging
import os
import socket
import ssl

import pytest

from tchannel import TChannel, errors
from tchannel.lowlevel import inside
from tchannel.options import Options
from tchannel.tls import TLSFiles

NAME = "service.test"


def serve(channel):
    channel.raw.register("echo", lambda request: request.body)
    channel.raw.register("name", lambda request: channel.name)
    channel.listen()
    return channel


@pytest.fixture
def files(authority):
    """A function that gives the files of a server, or of a client, by the name of its certificate."""

    def make(name=None, authorities=authority.file):
        file = None if name is None else authority.folder / f"{name}.pem"
        return TLSFiles(file, authorities=authorities)

    return make


@pytest.fixture
def other_authority(authority, tmp_path):
    """An authority that nobody trusts; its certificate for the server has the right name."""
    made = type(authority)(tmp_path)
    made.make(NAME)
    return made


def told(caplog):
    return [
        record.getMessage()
        for record in caplog.records
        if "from 127.0.0.1:" in record.getMessage() and record.levelno == logging.WARNING
    ]


# -- what both sides say ----------------------------------------------------------------------


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    ("kind", "at_client", "at_server"),
    [
        (
            "no certificate",
            "demand.* a certificate",
            "the peer shows no certificate, and ssl_server=",
        ),
        ("strange certificate", "the peer refuses our certificate", "certificate is refused"),
        ("expired certificate", "our certificate has expired", "certificate has expired"),
        ("strange server", "the peer's certificate is refused", "refuses our certificate"),
        ("expired server", "the peer's certificate has expired", "our certificate has expired"),
        ("wrong host", "certificate is made out to another name", "the peer"),
        ("plain client", "TLS is expected here", "the peer does not speak TLS"),
    ],
)
async def test_both_sides_say_what_is_wrong_and_it_is_not_tried_again(
    tcp, caplog, authority, other_authority, kind, at_client, at_server, version
):
    authority.make("old.test", days=-1)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_verify_locations(authority.file)
    server.verify_mode = ssl.CERT_REQUIRED
    folder = other_authority.folder if kind == "strange server" else authority.folder
    name = "old.test" if kind == "expired server" else NAME
    server.load_cert_chain(folder / f"{name}.pem")
    client = ssl.create_default_context(cafile=authority.file)
    client.maximum_version = version
    if kind == "strange certificate":
        client.load_cert_chain(other_authority.folder / f"{NAME}.pem")
    elif kind == "expired certificate":
        client.load_cert_chain(authority.folder / "old.test.pem")
    elif kind != "no certificate":
        client.load_cert_chain(authority.folder / "client.test.pem")
    service = serve(tcp("service", hostport="127.0.0.1:0", ssl_server=server))
    caller = tcp(
        "caller",
        ssl_client=None if kind == "plain client" else client,
        server_name="wrong.test" if kind == "wrong host" else name,
        known_peers=[service.hostport],
    )

    with pytest.raises(errors.NoAvailablePeerError, match=at_client) as raised:
        await caller.raw("service", "echo", b"x")
    assert raised.value.attempts == 1
    with pytest.raises(errors.NetworkError, match=at_client) as raised:
        await caller.raw("service", "echo", b"x", hostport=service.hostport, retry_limit=4)
    assert raised.value.attempts == 1
    while len(told(caplog)) < 2:
        await asyncio.sleep(0.001)
    assert len(told(caplog)) == 2
    assert all(at_server in line for line in told(caplog))


async def test_other_known_peers_are_tried_and_the_last_error_names_each(
    tcp, tls, files, other_authority
):
    strict = serve(tcp("strict", hostport="127.0.0.1:0", ssl_server=tls[0]))
    strange = TLSFiles(other_authority.folder / f"{NAME}.pem")
    stranger = serve(tcp("stranger", hostport="127.0.0.1:0", ssl_server=strange))
    caller = tcp("caller", ssl_client=files(), server_name=NAME)
    caller.peers.update([strict.hostport, stranger.hostport])

    with pytest.raises(errors.NoAvailablePeerError) as raised:
        await caller.raw("any", "name")
    for channel in (strict, stranger):
        assert f"{channel.hostport}: " in raised.value.description
    assert "demands a certificate" in raised.value.description
    assert "the peer's certificate is refused" in raised.value.description
    assert raised.value.attempts == 2

    friendly = serve(tcp("friendly", hostport="127.0.0.1:0", ssl_server=files(NAME, None)))
    caller.peers.add(friendly.hostport)
    assert [(await caller.raw("any", "name")).body for _ in range(3)] == [b"friendly"] * 3


# -- names ------------------------------------------------------------------------------------

SPIFFE = "spiffe://example.org/ledger"


@pytest.mark.parametrize("how", ["files", "context", "unix"])
async def test_a_uri_is_looked_for_among_the_uri_names(tcp, authority, files, tmp_path, how):
    authority.make("ledger", uri=SPIFFE)
    hostport = f"unix:{tmp_path}/socket" if how == "unix" else "127.0.0.1:0"
    server = serve(tcp("server", hostport=hostport, ssl_server=files("ledger", None)))
    context = ssl.create_default_context(cafile=authority.file)
    context.check_hostname = False
    client = context if how == "context" else files()

    caller = tcp("caller", ssl_client=client, server_name=SPIFFE)
    assert (await caller.raw("any", "echo", b"x", hostport=server.hostport)).body == b"x"

    for wrong in ("spiffe://example.org/other", "spiffe://example.org/ledge"):
        stranger = tcp("caller", ssl_client=client, server_name=wrong)
        with pytest.raises(errors.NetworkError, match=f"made out to {SPIFFE}, not to {wrong}"):
            await stranger.raw("any", "echo", b"x", hostport=server.hostport, retry_limit=3)
        assert inside(stranger).connections == set()


async def test_a_uri_is_never_taken_from_a_certificate_that_nobody_signed(
    tcp, other_authority, files
):
    other_authority.make("ledger", uri=SPIFFE)
    server = serve(
        tcp(
            "server",
            hostport="127.0.0.1:0",
            ssl_server=TLSFiles(other_authority.folder / "ledger.pem"),
        )
    )
    caller = tcp("caller", ssl_client=files(), server_name=SPIFFE)
    with pytest.raises(errors.NetworkError, match="certificate is refused"):
        await caller.raw("any", "echo", hostport=server.hostport)


async def test_a_context_that_looks_for_hosts_says_that_it_finds_no_uri(tcp, tls):
    caller = tcp("caller", ssl_client=tls[1], server_name=SPIFFE)
    server = serve(tcp("server", hostport="127.0.0.1:0", ssl_server=tls[0]))
    with pytest.raises(errors.NetworkError, match="give it TLSFiles, or a context with"):
        await caller.raw("any", "echo", hostport=server.hostport)


# -- files that change ------------------------------------------------------------------------


async def subject_at(server, authority):
    """Return the common name in the certificate that a server shows."""
    context = ssl.create_default_context(cafile=authority.file)
    context.check_hostname = False
    _, writer = await asyncio.open_connection(server.host, server.port, ssl=context)
    certificate = writer.get_extra_info("peercert")
    writer.close()
    return certificate["subject"][0][0][1]


def replace(file, by):
    new = file.with_suffix(".new")
    new.write_bytes(by.read_bytes())
    os.replace(new, file)


async def test_files_are_read_again_when_they_change_and_bad_ones_are_not_used(
    make_channel, clock, settle, authority, tmp_path, caplog
):
    caplog.set_level(logging.INFO, logger="tchannel")
    file = tmp_path / "service.pem"
    file.write_bytes((authority.folder / f"{NAME}.pem").read_bytes())
    server = make_channel("server", hostport="127.0.0.1:0", ssl_server=TLSFiles(file))
    server.listen()
    assert await subject_at(server, authority) == NAME

    replace(file, authority.make("renewed.test"))
    await clock.advance(2)
    assert await subject_at(server, authority) == "renewed.test"
    assert any("were read again" in record.getMessage() for record in caplog.records)

    file.write_text("half a certificate")
    await clock.advance(2)
    for _ in range(3):
        assert await subject_at(server, authority) == "renewed.test"
    bad = [one for one in caplog.records if "cannot be used, the former stay" in one.getMessage()]
    assert len(bad) == 1
    with pytest.raises(ssl.SSLError):
        server.reload_tls()
    assert await subject_at(server, authority) == "renewed.test"

    replace(file, authority.folder / f"{NAME}.pem")
    server.reload_tls()
    assert await subject_at(server, authority) == NAME
    closing = server.close(grace=0)
    await clock.advance(5)
    await closing


async def test_a_client_shows_the_certificate_that_it_has_read_last(
    tcp, tls, authority, tmp_path, files
):
    file = tmp_path / "client.pem"
    file.write_bytes((authority.folder / "client.test.pem").read_bytes())
    seen = []
    server = tcp("server", hostport="127.0.0.1:0", ssl_server=tls[0])
    server.raw.register("who", lambda request: seen.append(request.transport.peer_certificate))
    server.listen()
    files = TLSFiles(file, authorities=authority.file)
    client = tcp("client", ssl_client=files, server_name=NAME)
    await client.raw("server", "who", hostport=server.hostport)
    replace(file, authority.make("new-client.test"))
    client.reload_tls()
    # The connection that is open stays as it is.
    await client.raw("server", "who", hostport=server.hostport)
    for connection in list(inside(client).connections):
        connection.close()
    await client.raw("server", "who", hostport=server.hostport, retry_limit=2)

    names = [certificate["subject"][0][0][1] for certificate in seen]
    assert names == ["client.test", "client.test", "new-client.test"]


def test_what_cannot_be_used_is_refused_at_once(authority, tmp_path, tls):
    with pytest.raises(FileNotFoundError):
        TChannel("x", ssl_server=TLSFiles(tmp_path / "nothing.pem"))
    with pytest.raises(ValueError, match="a server needs a certificate"):
        TChannel("x", ssl_server=TLSFiles(authorities=authority.file))
    with pytest.raises(TypeError, match="certificate must be the path of a file"):
        TLSFiles(7)
    with pytest.raises(TypeError, match="a key needs a certificate"):
        TLSFiles(key="key.pem")
    with pytest.raises(RuntimeError, match="no files to read again"):
        TChannel("x", ssl_server=tls[0]).reload_tls()
    assert repr(TLSFiles("a.pem", "b.key")) == "TLSFiles('a.pem', 'b.key')"


# -- TLS and plain on one port ----------------------------------------------------------------


async def test_in_permissive_mode_callers_with_and_without_tls_are_served(tcp, tls):
    server = serve(tcp("server", hostport="127.0.0.1:0", ssl_server=tls[0], ssl_permissive=True))
    seen = []
    server.raw.register("who", lambda request: seen.append(request.transport.peer_certificate))
    for client in (tcp("plain"), tcp("tls", ssl_client=tls[1], server_name=NAME)):
        for _ in range(2):
            await client.raw("server", "who", hostport=server.hostport)

    assert [certificate is None for certificate in seen] == [True, True, False, False]


def test_permissive_mode_needs_tls():
    with pytest.raises(ValueError, match="ssl_permissive needs ssl_server="):
        TChannel("x", ssl_permissive=True)


# -- handshakes in flight ---------------------------------------------------------------------


def half_handshake(server):
    """Begin TLS, and say nothing more."""
    outgoing = ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=NAME)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    opened = socket.create_connection((server.host, server.port))
    opened.sendall(outgoing.read())
    return opened


async def test_handshakes_in_flight_are_limited_and_the_others_wait_for_their_turn(
    tcp, tls, monkeypatch
):
    options = Options(max_tls_handshakes=3, handshake_timeout=0.4)
    server = serve(tcp("server", hostport="127.0.0.1:0", ssl_server=tls[0], options=options))
    begun = 0
    context = type(inside(server).tls_server.context(0.0))
    wrap_bio = context.wrap_bio

    def count(self, *args, server_side=False, **kwargs):
        nonlocal begun
        begun += server_side
        return wrap_bio(self, *args, server_side=server_side, **kwargs)

    monkeypatch.setattr(context, "wrap_bio", count)
    opened = [half_handshake(server) for _ in range(20)]
    while begun < 3:
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.05)
    assert begun == 3
    assert len(inside(server).listener.arriving) == 20

    # Once those have had their time, others have their turn.
    client = tcp("client", ssl_client=tls[1], server_name=NAME)
    response = await client.raw("server", "echo", b"x", hostport=server.hostport, retry_limit=4)
    assert response.body == b"x"
    for one in opened:
        one.close()


async def test_handshakes_begin_one_after_another_and_the_loop_has_turns_between(
    tcp, tls, monkeypatch
):
    server = serve(tcp("server", hostport="127.0.0.1:0", ssl_server=tls[0]))
    context = type(inside(server).tls_server.context(0.0))
    wrap_bio = context.wrap_bio
    turn, begun = 0, []

    def note(self, *args, **kwargs):
        begun.append(turn)
        return wrap_bio(self, *args, **kwargs)

    monkeypatch.setattr(context, "wrap_bio", note)
    opened = [half_handshake(server) for _ in range(50)]
    while len(begun) < 50:
        turn += 1
        await asyncio.sleep(0)

    assert all(later - earlier >= 2 for earlier, later in itertools.pairwise(begun))
    for one in opened:
        one.close()


async def test_handshakes_that_are_dropped_leave_nothing_to_the_collector(tcp, tls):
    server = serve(tcp("server", hostport="127.0.0.1:0", ssl_server=tls[0]))
    gc.collect()
    gc.disable()
    try:
        for _ in range(10):
            half_handshake(server).close()
        await asyncio.sleep(0.01)
        while inside(server).listener.arriving:
            await asyncio.sleep(0.001)
        # asyncio's protocol has a buffer of a quarter of a MiB; uvloop has one of its own.
        left = [one for one in gc.get_objects() if type(one) is asyncio.sslproto.SSLProtocol]
        assert left == []
    finally:
        gc.enable()


async def test_who_says_nothing_costs_no_handshake(tcp, tls):
    options = Options(max_tls_handshakes=1)
    server = serve(tcp("server", hostport="127.0.0.1:0", ssl_server=tls[0], options=options))
    silent = [socket.create_connection((server.host, server.port)) for _ in range(50)]
    client = tcp("client", ssl_client=tls[1], server_name=NAME)

    assert (await client.raw("server", "echo", b"x", hostport=server.hostport)).body == b"x"
    for one in silent:
        one.close()
    while inside(server).listener.arriving:
        await asyncio.sleep(0.001)
