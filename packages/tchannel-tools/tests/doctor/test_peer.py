"""``tchannel doctor``: what is wrong with a peer, and how to mend it."""

import asyncio
import ssl

import pytest

import tchannel_wire as wire
from tchannel_hyperbahn import Router

CHECKS = ("resolve", "connect", "handshake", "address", "ping", "checksums", "bad checksum")


async def test_nothing_is_wrong_with_our_own_service(doctor, keyvalue):
    code, found = await doctor(keyvalue.hostport, "--service", "keyvalue-server")

    assert code == 0
    assert {name: verdict for name, (verdict, *_) in found.items()} == {
        **dict.fromkeys(CHECKS, "ok"),
        "TLS": "skipped",
        "time to live": "ok",
        "fragments": "ok",
        "draining": "ok",
        "health": "ok",
        "reflection": "ok",
    }
    assert "KeyValue" in found["reflection"][1]


async def test_the_report_has_no_line_over_80_columns_and_is_summed_up(tool, keyvalue):
    ran = await tool("doctor", keyvalue.hostport, "--service", "keyvalue-server")

    assert ran.code == 0
    assert ran.out.startswith(f"{keyvalue.hostport}:\n  ok       resolve       127.0.0.1\n")
    assert max(map(len, ran.out.splitlines())) <= 80
    assert ran.err == "tchannel doctor: 0 wrong, 0 notes, 12 ok, 1 skipped\n"


async def test_nobody_listens(doctor):
    code, found = await doctor("127.0.0.1:1")

    assert code == 125
    verdict, text, mend = found["connect"]
    assert (verdict, text) == ("wrong", "Connection refused")
    assert "nothing listens there" in mend
    assert "handshake" not in found


async def test_there_is_no_such_host(doctor):
    code, found = await doctor("no.such.host.invalid:4040")

    assert code == 125
    assert found["resolve"][:1] == ("wrong",)
    assert "is the name right" in found["resolve"][2]


async def test_there_is_no_such_socket(doctor, tmp_path):
    code, found = await doctor(f"unix:{tmp_path}/none")

    assert code == 125
    assert "there is no such socket" in found["connect"][2]


@pytest.mark.parametrize(
    ("greeting", "protocol"),
    [(b"SSH-2.0-OpenSSH_9.6\r\n", "SSH"), (b"220 mail.example ESMTP\r\n", "SMTP or FTP")],
)
async def test_a_peer_that_greets_in_another_protocol_is_called_by_it(
    doctor, scripted, greeting, protocol
):
    scripted.greets = greeting

    code, found = await doctor(scripted.hostport)
    assert code == 125
    assert found["handshake"][:2] == ("wrong", f"it speaks {protocol}, and no TChannel")


async def test_a_port_for_http_is_told_as_one(doctor):
    async def serve(reader, writer):
        if (await reader.read(4096)).startswith(b"GET "):
            writer.write(b"HTTP/1.0 200 OK\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        hostport = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        code, found = await doctor(hostport)

    assert code == 125
    assert found["handshake"][1] == "it speaks HTTP, and no TChannel"
    assert "is the port right?" in found["handshake"][2]


async def test_a_port_for_tls_is_told_as_one(doctor, tcp, certificate):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server = tcp("secret", hostport="127.0.0.1:0", ssl_server=context)
    server.listen()

    code, found = await doctor(server.hostport)
    assert code == 125
    assert "it speaks TLS" in found["handshake"][1]
    assert found["handshake"][2].startswith("connect by TLS: --tls")

    code, found = await doctor(server.hostport, "--tls")
    assert code == 125
    assert "--ca gives the certificate to trust" in found["TLS"][2]

    code, found = await doctor(server.hostport, "--ca", str(certificate))
    assert code == 0
    assert found["TLS"][0] == "ok"
    assert "TLSv1.3" in found["TLS"][1]


async def test_tls_where_none_is_spoken_is_told_with_what_is(doctor, service):
    code, found = await doctor(service.hostport, "--tls")

    assert code == 125
    assert "it speaks TChannel without TLS" in found["TLS"][1]
    assert found["TLS"][2] == "leave out --tls"


@pytest.mark.parametrize(
    ("says", "text"),
    [
        (lambda message: [], "it does not introduce itself"),
        (lambda message: None, "it closes the connection without a word"),
        (lambda message: [b"\0\1\2\3garbage, and more of it"], "it sends what is no frame"),
        (
            lambda message: [wire.ErrorMessage(code=0xFF, description="go\x1b[31m away")],
            "it answers: go",
        ),
        (
            lambda message: [wire.InitResponse(id=1, headers={"host_port": "127.0.0.1:1"})],
            "it introduces itself wrongly: init header 'process_name' is missing",
        ),
        (
            lambda message: [
                wire.InitResponse(
                    id=1, version=3, headers={"host_port": "127.0.0.1:1", "process_name": "x"}
                )
            ],
            "protocol version 3 is not 2",
        ),
    ],
)
async def test_a_peer_that_introduces_itself_wrongly_is_told(doctor, scripted, says, text):
    scripted.says[wire.InitRequest] = says

    code, found = await doctor(scripted.hostport)
    assert code == 125
    assert text in found["handshake"][1]
    assert "\x1b" not in found["handshake"][1]


@pytest.mark.parametrize(
    ("announces", "verdict", "text"),
    [
        ("0.0.0.0:0", "wrong", "is to believe that it does not listen"),
        ("127.0.0.1:0", "wrong", "is to believe that it does not listen"),
        ("nonsense", "wrong", "which is no address"),
        ("localhost:4040", "note", "which is no IPv4 address"),
        ("127.0.0.1:1", "wrong", "which cannot be connected to from here: Connection refused"),
    ],
)
async def test_an_address_that_nobody_reaches_is_told(doctor, scripted, announces, verdict, text):
    scripted.announces = announces

    code, found = await doctor(scripted.hostport)
    assert found["address"][0] == verdict
    assert text in found["address"][1]
    assert code == (124 if verdict == "wrong" else 0)


async def test_an_address_of_another_process_is_told(doctor, scripted, service):
    scripted.announces = service.hostport

    code, found = await doctor(scripted.hostport)
    assert code == 124
    assert "where another process listens" in found["address"][1]


async def test_pings_without_an_answer_are_a_note(doctor, scripted):
    scripted.says[wire.PingRequest] = lambda message: []

    code, found = await doctor(scripted.hostport)
    assert code == 0
    assert found["ping"][0] == "note"
    assert "without ping_interval" in found["ping"][2]


async def test_a_checksum_that_is_not_understood_is_told_with_those_that_are(doctor, scripted):
    def only_crc32(request):
        return (
            [scripted.answer(request)] if request.checksum_type == wire.ChecksumType.CRC32 else []
        )

    scripted.says[wire.CallRequest] = only_crc32
    code, found = await doctor(scripted.hostport)
    assert code == 124
    assert found["checksums"][0] == "wrong"
    assert "crc32c (no answer)" in found["checksums"][1]
    assert found["checksums"][2] == "call it with crc32"


async def test_a_peer_that_does_not_look_at_checksums_is_noted(doctor, scripted):
    scripted.says[wire.CallRequest] = lambda request: [scripted.answer(request)]

    code, found = await doctor(scripted.hostport)
    assert code == 0
    assert found["bad checksum"][0] == "note"


async def test_a_ttl_taken_for_another_unit_is_told(doctor, scripted):
    def in_seconds(request):
        if request.ttl_ms < 200:
            return [wire.ErrorMessage(id=request.id, code=1, description="timed out")]
        return [scripted.answer(request)]

    scripted.says[wire.CallRequest] = in_seconds
    code, found = await doctor(scripted.hostport)
    assert code == 124
    assert "it takes the ttl for another unit" in found["time to live"][2]


async def test_calls_of_several_frames_that_fail_are_told(doctor, scripted):
    scripted.says[wire.CallRequest] = lambda request: (
        None if request.more else [scripted.answer(request)]
    )

    code, found = await doctor(scripted.hostport, "--service", "any")
    assert code == 124
    assert found["fragments"][0] == "wrong"
    assert "it closes the connection" in found["fragments"][1]


async def test_a_peer_that_is_about_to_leave_is_told(doctor, scripted):
    scripted.says[wire.CallRequest] = lambda request: [
        wire.ErrorMessage(code=4, description="draining: going away"),
        wire.ErrorMessage(id=request.id, code=4, description="draining: going away"),
    ]

    code, found = await doctor(scripted.hostport)
    assert code == 124
    assert found["draining"][:2] == ("wrong", "it is about to leave: 'draining: going away'")


async def test_a_service_that_says_it_is_ill_is_told_with_its_words(doctor, scripted):
    ill = b"\x0c\0\0\x02\0\x01\0\x0b\0\x02\0\0\0\x0bno database\0\0"

    def answer(request):
        response = scripted.answer(request)
        return [
            wire.CallResponse(
                id=request.id,
                code=1,
                headers=response.headers,
                checksum_type=request.checksum_type,
                chunks=[b"", b"\0\0", ill],
            )
        ]

    scripted.says[wire.CallRequest] = answer
    code, found = await doctor(scripted.hostport, "--service", "any")
    assert code == 124
    assert found["health"][:2] == ("wrong", "any says that it is not well: no database")


async def test_a_router_tells_whether_the_service_is_advertised(doctor, tcp):
    server = tcp("known", hostport="127.0.0.1:0")
    server.listen()
    async with Router("127.0.0.1:0") as router:
        options = ("--service", "known", "--router", router.hostport)
        code, found = await doctor(server.hostport, *options)
        assert code == 124
        assert found["advertised"][:2] == (
            "wrong",
            f"nobody has advertised 'known' with {router.hostport}",
        )

        await server.advertise(routers=[router.hostport])
        code, found = await doctor(server.hostport, *options)
        assert code == 0
        assert found["advertised"][:2] == ("ok", f"known is at {server.hostport}")
        assert found["through it"][0] == "ok"

        other = tcp("known", hostport="127.0.0.1:0")
        other.listen()
        code, found = await doctor(other.hostport, *options)
        assert code == 124
        assert f"and not at {other.hostport}" in found["advertised"][1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "say whom to examine"),
        (["--local", "127.0.0.1:1"], "--local looks at the installation"),
        (["nonsense"], "the peer: "),
        (["127.0.0.1:0"], "nobody listens on port 0"),
        (["127.0.0.1:1", "--timeout", "x"], "--timeout is a time"),
    ],
)
async def test_a_mistake_is_one_line(tool, options, said):
    ran = await tool("doctor", *options)

    assert (ran.code, ran.out) == (125, "")
    assert ran.err.startswith("tchannel doctor: ")
    assert said in ran.err
    assert ran.err.count("\n") == 1
