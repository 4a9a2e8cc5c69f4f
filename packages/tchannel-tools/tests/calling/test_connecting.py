"""The channel that makes the calls: its caller name, TLS."""

import datetime
import ipaddress
import ssl

import pytest

from tchannel_tools._calling.calls import Target
from tchannel_tools._calling.connecting import make_channel
from tchannel_tools._terminal.failures import ToolError


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A file with a key and a certificate for "service.test" that is its own authority."""
    x509 = pytest.importorskip("cryptography.x509", reason="cryptography makes the certificates")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "service.test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("service.test"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "own.pem"
    pem = serialization.Encoding.PEM
    path.write_bytes(
        made.public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return str(path)


@pytest.fixture
def to(tcp, certificate):
    """A service that wants TLS and a certificate of its callers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.load_verify_locations(certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    server = tcp("server", hostport="127.0.0.1:0", ssl_server=context)
    server.json.register("get", lambda request: request.body)
    server.listen()
    return ("-p", server.hostport, "server", "get", "[1]", "--timeout", "3s")


async def test_calls_go_through_tls_with_certificates_on_both_sides(tcurl, to, certificate):
    ran = await tcurl(*to, "--ca", certificate, "--cert", certificate)
    named = await tcurl(
        *to, "--ca", certificate, "--cert", certificate, "--server-name", "service.test"
    )
    insecure = await tcurl(*to, "--insecure", "--cert", certificate, "--key", certificate)

    assert [one.code for one in (ran, named, insecure)] == [0, 0, 0]
    assert ran.json["body"] == [1]


async def test_a_certificate_that_is_not_trusted_is_told_with_what_to_try(tcurl, to, certificate):
    untrusted = await tcurl(*to, "--tls", "--cert", certificate)
    misnamed = await tcurl(
        *to, "--ca", certificate, "--cert", certificate, "--server-name", "other.test"
    )

    for ran in (untrusted, misnamed):
        assert ran.code == 125
        assert "--ca, --server-name or --insecure say what to trust" in ran.err
        assert ran.err.count("\n") == 1


async def test_a_plain_call_to_a_tls_port_is_told_to_use_tls(tcurl, to):
    ran = await tcurl(*to)

    assert ran.code == 125
    assert "it wants --tls" in ran.err


@pytest.mark.parametrize("option", ["--ca", "--cert"])
async def test_files_that_are_no_certificates_are_named(tcurl, to, tmp_path, option):
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")

    missing = await tcurl(*to, option, str(tmp_path / "none.pem"))
    useless = await tcurl(*to, option, str(empty))

    assert (missing.code, useless.code) == (125, 125)
    assert missing.err == f"tcurl: {option} {tmp_path}/none.pem: No such file or directory\n"
    assert useless.err.startswith(f"tcurl: {option} {empty}: not usable")


@pytest.mark.parametrize("caller", ["", "x" * 300])
def test_a_caller_name_that_cannot_be_sent_is_a_mistake_in_the_option(caller):
    with pytest.raises(ToolError, match="--cn"):
        make_channel(Target("svc", ("127.0.0.1:1",), caller, 1.0), None)
