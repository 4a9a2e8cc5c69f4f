"""Certificates for the pages about TLS: an authority, and a service that it knows."""

import datetime as dt
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def write_certificates() -> None:
    """Write ca.pem, service.pem and service.key into the working directory, good for a day."""
    now = dt.datetime.now(dt.UTC)
    authority, service = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))

    def builder(subject: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(_name(subject))
            .issuer_name(_name("authority"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
        )

    # The identifiers of the keys and the usage are what Python asks for since 3.13 (VERIFY_X509_STRICT).
    identifier = x509.SubjectKeyIdentifier.from_public_key(authority.public_key())
    root = (
        builder("authority", authority)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(identifier, critical=False)
        .add_extension(_SIGNS_CERTIFICATES, critical=True)
    )
    leaf = (
        builder("ledger", service)
        .add_extension(
            x509.SubjectAlternativeName(
                [
                    x509.DNSName("ledger.example.org"),
                    x509.UniformResourceIdentifier("spiffe://example.org/ledger"),
                ]
            ),
            critical=False,
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
            critical=False,
        )
    )
    Path("ca.pem").write_bytes(_pem(root.sign(authority, hashes.SHA256())))
    Path("service.pem").write_bytes(_pem(leaf.sign(authority, hashes.SHA256())))
    Path("service.key").write_bytes(
        service.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
