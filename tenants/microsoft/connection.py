"""The settings of a connection as plain values: cloud endpoints, app registration and credential. Created by
the services that decrypt credentials; used by the token source and the client. Opens no socket.
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cached_property
from types import MappingProxyType
from typing import Literal
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from tenants.errors import InvalidInput


class InvalidConnection(InvalidInput):
    """Invalid endpoints, IDs or credential of a connection; the message says what to enter instead."""


_PEM_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.+?-----END \1-----", re.DOTALL)


@dataclass(frozen=True)
class Endpoints:
    """Origins of one cloud: sign-in, Graph, Azure Resource Manager, Office 365 Management Activity."""

    login_url: str
    graph_url: str
    arm_url: str
    management_url: str

    def __post_init__(self) -> None:
        for each in fields(self):
            object.__setattr__(self, each.name, _origin(each.name, getattr(self, each.name)))

    @property
    def is_loopback(self) -> bool:
        return all(is_loopback(urlsplit(getattr(self, each.name)).hostname or "") for each in fields(self))


def _origin(name: str, url: str) -> str:
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise InvalidConnection(f"{name} is not a valid URL: {url!r}.") from error
    if parts.scheme != "https" or not parts.hostname:
        raise InvalidConnection(
            f"{name} must be an https URL such as https://graph.microsoft.com, not {url!r}."
        )
    if parts.username or parts.password or parts.query or parts.fragment or parts.path.strip("/"):
        raise InvalidConnection(f"{name} must be a host with an optional port, without path, user or query.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"https://{host}" + (f":{port}" if port and port != 443 else "")


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


# Sources: learn.microsoft.com/graph/deployments and .../office/office-365-management-api (API operations);
# the activity API's host in the cloud operated by 21Vianet is known from tools that use it.
CLOUDS: Mapping[str, Endpoints] = MappingProxyType(
    {
        "commercial": Endpoints(
            login_url="https://login.microsoftonline.com",
            graph_url="https://graph.microsoft.com",
            arm_url="https://management.azure.com",
            management_url="https://manage.office.com",
        ),
        "gcc_high": Endpoints(
            login_url="https://login.microsoftonline.us",
            graph_url="https://graph.microsoft.us",
            arm_url="https://management.usgovcloudapi.net",
            management_url="https://manage.office365.us",
        ),
        "dod": Endpoints(
            login_url="https://login.microsoftonline.us",
            graph_url="https://dod-graph.microsoft.us",
            arm_url="https://management.usgovcloudapi.net",
            management_url="https://manage.protection.apps.mil",
        ),
        "china": Endpoints(
            login_url="https://login.chinacloudapi.cn",
            graph_url="https://microsoftgraph.chinacloudapi.cn",
            arm_url="https://management.chinacloudapi.cn",
            management_url="https://manage.office365.cn",
        ),
    }
)


@dataclass(frozen=True)
class SecretCredential:
    secret: str = field(repr=False)

    def __post_init__(self) -> None:
        if not self.secret.strip():
            raise InvalidConnection("The client secret is empty. Enter the secret's value (not its ID).")


@dataclass(frozen=True)
class CertificateCredential:
    """A private key and its certificate in one PEM text. Rejected if they do not match."""

    pem: str = field(repr=False)

    def __post_init__(self) -> None:
        if self.certificate.public_key() != self._private_key.public_key():
            raise InvalidConnection(
                "The private key does not match the certificate. Put the matching pair into one PEM file."
            )

    @cached_property
    def certificate(self) -> x509.Certificate:
        blocks = [block for kind, block in self._blocks if kind == "CERTIFICATE"]
        if not blocks:
            raise InvalidConnection(
                "The PEM text contains no certificate. Append the certificate to the private key."
            )
        try:
            return x509.load_pem_x509_certificate(blocks[0].encode())
        except ValueError:
            raise InvalidConnection(
                "The certificate in the PEM text cannot be read. Export it again as PEM."
            ) from None

    @cached_property
    def _private_key(self) -> RSAPrivateKey:
        blocks = [block for kind, block in self._blocks if kind.endswith("PRIVATE KEY")]
        if not blocks:
            raise InvalidConnection(
                "The PEM text contains no private key. Put it into one PEM file with the certificate."
            )
        try:
            key = serialization.load_pem_private_key(blocks[0].encode(), password=None)
        except TypeError:
            raise InvalidConnection(
                "The private key has a passphrase. Export it without one; it is stored encrypted here."
            ) from None
        except ValueError:
            raise InvalidConnection(
                "The private key in the PEM text cannot be read. Export it again as PEM."
            ) from None
        if not isinstance(key, RSAPrivateKey):
            raise InvalidConnection(
                "Microsoft's sign-in needs an RSA key. Create a certificate with an RSA key."
            )
        return key

    @cached_property
    def _blocks(self) -> list[tuple[str, str]]:
        blocks = [(match[1], match[0]) for match in _PEM_BLOCK.finditer(self.pem)]
        if not blocks:
            raise InvalidConnection(
                "This is not PEM text. Provide one PEM file with the private key and the certificate."
            )
        return blocks

    @property
    def private_key_pem(self) -> str:
        return self._private_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    @property
    def certificate_pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def not_valid_after(self) -> datetime:
        return self.certificate.not_valid_after_utc


@dataclass(frozen=True)
class ConnectionConfig:
    """Everything that is needed to sign in to one tenant as one app registration."""

    directory_id: str
    client_id: str
    endpoints: Endpoints
    credential: SecretCredential | CertificateCredential
    pace: Literal["published", "unlimited"] = "published"
    tenant_key: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9.-]+", self.directory_id):
            raise InvalidConnection(
                "The directory ID must be the tenant's GUID (or one of its domain names)."
            )
        if not self.client_id:
            raise InvalidConnection(
                "The client ID is missing. Enter the application (client) ID of the app registration."
            )
        if self.pace not in {"published", "unlimited"}:
            raise InvalidConnection(f"Unknown pace {self.pace!r}. Use 'published' or 'unlimited'.")
        if self.pace == "unlimited" and not self.endpoints.is_loopback:
            raise InvalidConnection(
                "An unlimited pace is allowed only against loopback addresses. Use pace='published' here."
            )
        if not self.tenant_key:
            object.__setattr__(self, "tenant_key", self.directory_id)
