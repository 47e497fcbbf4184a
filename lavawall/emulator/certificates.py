"""The emulator's own certificate authority, its server certificate, and certificates for app registrations."""

import base64
import hashlib
import ipaddress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(days=365)
SKEW = timedelta(hours=1)


@dataclass(frozen=True)
class ServerCertificate:
    """PEM texts of the authority and of the server certificate with its key."""

    authority: str
    chain: str
    key: str = field(repr=False)


@dataclass(frozen=True)
class AppCertificate:
    """A certificate an app signs in with; `pem` holds key and certificate, as a connection is given it."""

    pem: str = field(repr=False)
    public_pem: str
    not_after: datetime

    @property
    def der(self) -> bytes:
        return x509.load_pem_x509_certificate(self.public_pem.encode()).public_bytes(
            serialization.Encoding.DER
        )

    @property
    def thumbprint(self) -> str:
        return hashlib.sha1(self.der, usedforsecurity=False).hexdigest().upper()

    @property
    def key_credential(self) -> str:
        return base64.b64encode(self.der).decode()


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
    end: datetime,
) -> x509.CertificateBuilder:
    start = min(datetime.now(UTC) - SKEW, end - LIFETIME)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )


def make_server_certificate() -> ServerCertificate:
    """A fresh authority and a certificate for localhost, 127.0.0.1 and ::1 signed by it."""
    end = datetime.now(UTC) + LIFETIME
    authority_key, server_key = (
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP256R1()),
    )
    issuer = _name("Lavawall emulator authority")
    authority = (
        _builder(issuer, issuer, authority_key.public_key(), end)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=True,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    names = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        x509.IPAddress(ipaddress.ip_address("::1")),
    ]
    server = (
        _builder(_name("localhost"), issuer, server_key.public_key(), end)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )
    authority_pem = authority.public_bytes(serialization.Encoding.PEM).decode()
    server_pem = server.public_bytes(serialization.Encoding.PEM).decode()
    return ServerCertificate(authority=authority_pem, chain=server_pem + authority_pem, key=_pem(server_key))


@cache
def signing_key() -> rsa.RSAPrivateKey:
    """The key of this process: signs tokens and serves as key of app certificates. Made once, it is slow."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def make_app_certificate(common_name: str, *, expired: bool = False) -> AppCertificate:
    """A self-signed certificate for an app registration; an expired one for tests of exactly that."""
    key = signing_key()
    end = datetime.now(UTC) + (timedelta(days=-1) if expired else LIFETIME)
    certificate = _builder(_name(common_name), _name(common_name), key.public_key(), end).sign(
        key, hashes.SHA256()
    )
    public = certificate.public_bytes(serialization.Encoding.PEM).decode()
    return AppCertificate(pem=_pem(key) + public, public_pem=public, not_after=end)
