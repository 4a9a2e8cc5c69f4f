"""The handshake: what is written, what is accepted, and how it fails."""

import sys

import pytest

from tchannel_wire import (
    Connected,
    Connection,
    ConnectionClosed,
    ConnectionState,
    ErrorCode,
    ErrorMessage,
    InitRequest,
    InitResponse,
    PeerError,
    PingRequest,
    ProtocolError,
    RemotePeer,
    __version__,
    check_init_request,
    decode,
    encode,
    request_host_port,
    response_host_port,
)

GOOD = {"host_port": "10.0.0.1:4040", "process_name": "peer"}


def opener(**options):
    connection = Connection(
        **{"opener": True, "host_port": "127.0.0.1:1", "process_name": "me", "now": 0.0} | options
    )
    return connection, decode(connection.data_to_send())


def accepter(**options):
    return Connection(
        **{"opener": False, "host_port": "127.0.0.1:1", "process_name": "me", "now": 0.0} | options
    )


def test_opener_sends_version_2_and_five_headers_and_nothing_else():
    connection, request = opener(host_port="10.1.2.3:80")

    version = ".".join(map(str, sys.version_info[:3]))
    assert request == InitRequest(
        id=1,
        version=2,
        headers={
            "host_port": "10.1.2.3:80",
            "process_name": "me",
            "tchannel_language": "python",
            "tchannel_language_version": f"{sys.implementation.name}-{version}",
            "tchannel_version": __version__,
        },
    )
    assert not connection.has_data


def test_handshake_opens_both_ends_and_tells_who_is_there(unopened_pair):
    pair = unopened_pair()
    (at_server,) = pair.to_server()
    (at_client,) = pair.to_client()

    assert at_server.remote.host_port == pair.server.remote.host_port == "127.0.0.1:4040"
    assert at_client.remote.process_name == "server[2]"
    assert pair.client.state is pair.server.state is ConnectionState.OPEN
    assert pair.client.next_deadline() is None
    assert pair.server.next_deadline() is None


def test_more_headers_can_be_sent_and_all_are_received(unopened_pair):
    pair = unopened_pair(headers={"zone": "a", "tchannel_version": "x"})
    (connected,) = pair.to_server()

    assert connected.remote.headers["zone"] == "a"
    assert connected.remote.headers["tchannel_version"] == "x"


@pytest.mark.parametrize(
    ("headers", "error"),
    [({"host_port": "x"}, ValueError), ({"process_name": "x"}, ValueError), ({"a": 1}, TypeError)],
)
def test_headers_with_their_own_argument_and_other_types_are_refused(headers, error):
    with pytest.raises(error, match=next(iter(headers))):
        opener(headers=headers)


@pytest.mark.parametrize(
    "text",
    [
        *("", "0.0.0.0:0", "127.0.0.1:0", "[::1]:0", "host", "/tmp/s", "a:b"),
        *("::1:4040", "user@host:1", "[host]:1", "http://host:1", "h:" + "1" * 5000, "[" * 60_000),
    ],
)
def test_peer_that_does_not_listen_has_no_host_port(text):
    remote = RemotePeer(2, {"host_port": text, "process_name": "p"})

    assert remote.host_port is None
    assert remote.is_ephemeral


@pytest.mark.parametrize("text", ["10.0.0.1:80", "host:1", "[::1]:65535", "[fe80::1%eth0]:1"])
def test_peer_that_listens_has_its_host_port(text):
    remote = RemotePeer(2, {"host_port": text, "process_name": "p"})

    assert remote.host_port == text
    assert text in repr(remote)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "localhost:1",
        "[::1]:80",
        "/tmp/socket",
        "0.0.0.0:80",
        "10.0.0.1:0",
        "1.2.3:4",
        "1.2.3.256:4",
    ],
)
def test_opener_writes_0_0_0_0_0_for_what_node_would_close_on(text):
    _, request = opener(host_port=text)

    assert request.headers["host_port"] == "0.0.0.0:0" == request_host_port(text)


@pytest.mark.parametrize("text", ["0.0.0.0:0", "", "127.0.0.1:0", "nowhere"])
def test_accepter_never_answers_with_an_ephemeral_address_on_tcp(text):
    with pytest.raises(ValueError, match="host_port"):
        accepter(host_port=text)
    assert response_host_port(text, unix_socket=True) == "0.0.0.0:0"
    assert accepter(host_port=text, unix_socket=True).state.name == "AWAITING_INIT_REQUEST"


def test_accepter_says_nothing_before_the_init_request_and_answers_with_its_id():
    connection = accepter()
    assert not connection.has_data
    connection.receive(encode(InitRequest(id=77, headers=GOOD)), 0.0)
    response = decode(connection.data_to_send())

    assert isinstance(response, InitResponse)
    assert (response.id, response.version) == (77, 2)
    assert response.headers["host_port"] == "127.0.0.1:1"


@pytest.mark.parametrize("version", [2, 3, 65535])
def test_accepter_takes_version_2_and_newer(version):
    (event,) = accepter().receive(encode(InitRequest(id=1, version=version, headers=GOOD)), 0.0)

    assert isinstance(event, Connected)
    assert event.remote.version == version


BAD_REQUESTS = {
    "version 1": InitRequest(id=1, version=1, headers=GOOD),
    "no host_port": InitRequest(id=1, headers={"process_name": "p"}),
    "no process_name": InitRequest(id=1, headers={"host_port": "1.1.1.1:1"}),
    "too many headers": InitRequest(id=1, headers=GOOD | {str(i): "" for i in range(127)}),
    "a ping first": PingRequest(id=1),
    "a response": InitResponse(id=1, headers=GOOD),
}


def assert_fatal(connection, events):
    (closed,) = events
    assert isinstance(closed, ConnectionClosed)
    assert isinstance(closed.error, ProtocolError)
    assert closed.error.code == ErrorCode.FATAL
    assert connection.state is ConnectionState.CLOSED
    answer = decode(connection.data_to_send())
    assert isinstance(answer, ErrorMessage)
    assert (answer.id, answer.code) == (0xFFFFFFFF, ErrorCode.FATAL)
    assert answer.description == closed.error.description


@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_bad_init_request_is_answered_with_a_fatal_error(name):
    connection = accepter()

    assert_fatal(connection, connection.receive(encode(BAD_REQUESTS[name]), 0.0))


BAD_RESPONSES = {
    "version 1": InitResponse(id=1, version=1, headers=GOOD),
    "version 3": InitResponse(id=1, version=3, headers=GOOD),
    "another id": InitResponse(id=2, headers=GOOD),
    "no host_port": InitResponse(id=1, headers={"process_name": "p"}),
    "a request": InitRequest(id=1, headers=GOOD),
}


@pytest.mark.parametrize("name", BAD_RESPONSES)
def test_bad_init_response_is_answered_with_a_fatal_error(name):
    connection, _ = opener()

    assert_fatal(connection, connection.receive(encode(BAD_RESPONSES[name]), 0.0))


def test_init_request_that_is_cut_off_is_fatal():
    frame = encode(InitRequest(id=1, headers=GOOD))[:-3]
    frame = len(frame).to_bytes(2, "big") + frame[2:]
    connection = accepter()

    assert_fatal(connection, connection.receive(frame, 0.0))


@pytest.mark.parametrize("id", [1, 99, 0xFFFFFFFF])
@pytest.mark.parametrize("code", [ErrorCode.BUSY, ErrorCode.FATAL, 0x42])
def test_error_frame_with_any_id_ends_the_handshake(id, code):
    connection, _ = opener()
    frame = encode(ErrorMessage(id=id, code=code, description="go away"))
    (closed,) = connection.receive(frame, 0.0)

    assert isinstance(closed.error, PeerError)
    assert (closed.error.code, closed.error.description) == (code, "go away")
    assert not connection.has_data


@pytest.mark.parametrize("make", [lambda: opener(now=10.0)[0], lambda: accepter(now=10.0)])
def test_handshake_must_be_done_in_time(make):
    connection = make()
    due = connection.next_deadline()
    assert 15.0 <= due <= 15.02
    assert connection.expire(14.99) == []
    (closed,) = connection.expire(due)

    assert isinstance(closed.error, PeerError)
    assert closed.error.code == ErrorCode.TIMEOUT
    assert "5 seconds" in str(closed.error)
    assert connection.next_deadline() is None
    assert not connection.has_data


def test_stream_that_ends_before_the_handshake_is_an_error():
    connection, _ = opener()
    (closed,) = connection.receive_eof(0.0)

    assert isinstance(closed.error, PeerError)
    assert closed.error.code == ErrorCode.NETWORK


def test_second_init_is_fatal(pair):
    frame = encode(InitRequest(id=5, headers=GOOD))

    assert_fatal(pair.server, pair.server.receive(frame, pair.now))


def test_of_very_long_headers_no_more_is_kept_than_of_any_others():
    headers = {
        "host_port": "h" * 20_000 + ":80",
        "process_name": "p" * 20_000,
        **{f"key{number}": "v" * 100 for number in range(100)},
        "tchannel_language": "go",
    }
    remote = check_init_request(InitRequest(id=1, headers=headers))

    kept = remote.headers
    assert sum(len(key) + len(value) for key, value in kept.items()) <= 4096
    assert remote.process_name == "p" * 1024
    assert remote.host_port is None
    assert kept["key0"] == "v" * 100
    assert kept["tchannel_language"] == "go"


def test_headers_of_four_thousand_characters_are_kept_whole():
    headers = {"host_port": "10.0.0.7:4040", "process_name": "p" * 4_000}
    assert check_init_request(InitRequest(id=1, headers=headers)).headers == headers
