from dataclasses import FrozenInstanceError

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tenants.microsoft.connection import (
    CLOUDS,
    CertificateCredential,
    ConnectionConfig,
    Endpoints,
    InvalidConnection,
    SecretCredential,
)
from tenants.microsoft.errors import AuthenticationFailed, MicrosoftError, PermissionMissing
from tenants.microsoft.request import Request, UnsafePath
from tests.tenants.microsoft.cloud import CLIENT, DIRECTORY, SECRET, app_certificate

LOCAL = Endpoints("https://127.0.0.1:8443", "https://localhost", "https://[::1]:9", "https://127.9.9.9")


def split(pem: str) -> tuple[str, str]:
    key, _, certificate = pem.partition("-----BEGIN CERTIFICATE-----")
    return key, "-----BEGIN CERTIFICATE-----" + certificate


def test_endpoints_are_kept_as_origins() -> None:
    endpoints = Endpoints(
        "https://Login.Example/", "https://g.example:443", "https://a.example:8443/", "https://m.x"
    )
    assert endpoints.login_url == "https://login.example"
    assert endpoints.graph_url == "https://g.example"
    assert endpoints.arm_url == "https://a.example:8443"


@pytest.mark.parametrize(
    "url",
    [
        "http://graph.microsoft.com",
        "graph.microsoft.com",
        "",
        "https://",
        "https://graph.microsoft.com/v1.0",
        "https://user:word@graph.microsoft.com",
        "https://graph.microsoft.com?x=1",
        "https://graph.microsoft.com#x",
    ],
)
def test_an_endpoint_that_is_no_https_origin_is_refused(url: str) -> None:
    with pytest.raises(InvalidConnection, match="graph_url must be"):
        Endpoints("https://l.example", url, "https://a.example", "https://m.example")


def test_every_cloud_has_its_own_graph() -> None:
    assert set(CLOUDS) == {"commercial", "gcc_high", "dod", "china"}
    assert len({cloud.graph_url for cloud in CLOUDS.values()}) == 4
    assert not any(cloud.is_loopback for cloud in CLOUDS.values())


def test_an_unlimited_pace_is_for_this_machine_only() -> None:
    credential = SecretCredential(SECRET)
    assert ConnectionConfig(DIRECTORY, CLIENT, LOCAL, credential, pace="unlimited").pace == "unlimited"
    mixed = Endpoints(LOCAL.login_url, LOCAL.graph_url, LOCAL.arm_url, "https://manage.office.com")
    for endpoints in (mixed, *CLOUDS.values()):
        with pytest.raises(InvalidConnection, match="only against loopback"):
            ConnectionConfig(DIRECTORY, CLIENT, endpoints, credential, pace="unlimited")


def test_an_unknown_pace_is_refused() -> None:
    with pytest.raises(InvalidConnection, match="'published' or 'unlimited'"):
        ConnectionConfig(DIRECTORY, CLIENT, LOCAL, SecretCredential(SECRET), pace="fast")  # type: ignore[arg-type]


def test_pacing_is_keyed_by_the_directory_unless_told_otherwise() -> None:
    credential = SecretCredential(SECRET)
    assert ConnectionConfig(DIRECTORY, CLIENT, LOCAL, credential).tenant_key == DIRECTORY
    assert ConnectionConfig(DIRECTORY, CLIENT, LOCAL, credential, tenant_key="t").tenant_key == "t"


@pytest.mark.parametrize("directory", ["", "../common", "a/b", "x?y"])
def test_a_directory_id_that_could_change_the_address_is_refused(directory: str) -> None:
    with pytest.raises(InvalidConnection, match="directory ID"):
        ConnectionConfig(directory, CLIENT, LOCAL, SecretCredential(SECRET))


def test_an_empty_secret_or_client_id_is_refused() -> None:
    with pytest.raises(InvalidConnection, match="empty"):
        SecretCredential("  ")
    with pytest.raises(InvalidConnection, match="client ID"):
        ConnectionConfig(DIRECTORY, "", LOCAL, SecretCredential(SECRET))


def test_secrets_do_not_show_in_what_is_printed(pem: str) -> None:
    for credential in (SecretCredential(SECRET), CertificateCredential(pem)):
        shown = repr(ConnectionConfig(DIRECTORY, CLIENT, LOCAL, credential))
        assert SECRET not in shown
        assert "PRIVATE" not in shown


def test_the_order_of_key_and_certificate_does_not_matter(pem: str) -> None:
    key, certificate = split(pem)
    reordered = CertificateCredential(certificate + key)
    assert reordered.certificate == CertificateCredential(pem).certificate


def test_an_unusable_pem_text_says_what_is_missing(pem: str) -> None:
    key, certificate = split(pem)
    other_key, _ = split(app_certificate())
    locked = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"word"),
    )
    elliptic = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    broken_key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
    broken_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    for text, sentence in (
        ("", "not PEM text"),
        ("hello", "not PEM text"),
        (key, "contains no certificate"),
        (certificate, "contains no private key"),
        (other_key + certificate, "does not match"),
        (locked.decode() + certificate, "passphrase"),
        (elliptic.decode() + certificate, "RSA key"),
        (broken_key + certificate, "private key in the PEM text cannot be read"),
        (key + broken_certificate, "certificate in the PEM text cannot be read"),
    ):
        with pytest.raises(InvalidConnection, match=sentence):
            CertificateCredential(text)


def test_a_request_survives_being_stored() -> None:
    request = Request(
        "PATCH",
        "/v1.0/groups/1",
        body={"a": [1, None]},
        headers={"X": "y"},
        service="intune",
        why="Restore a.",
    )
    assert Request.from_json(request.to_json()) == request


@pytest.mark.parametrize("data", [{}, {"method": "GET"}, {"method": "GET", "path": "/a", "extra": 1}])
def test_something_else_is_no_stored_request(data: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="Not a valid stored request"):
        Request.from_json(data)


@pytest.mark.parametrize(
    "path",
    [
        "v1.0/groups",
        "//evil.example/x",
        "/%2fevil.example/x",
        "https://evil.example/x",
        "/v1.0/../beta/x",
        "/v1.0/%2e%2e/x",
        "/v1.0/./x",
        "/v1.0/a b",
        "/v1.0/a\r\nX: y",
        "/v1.0/a%0d%0a",
        "/v1.0/a\\b",
        "/v1.0/a#b",
        "",
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(UnsafePath, match="path"):
        Request("GET", path)


def test_methods_and_headers_that_are_not_the_callers_are_refused() -> None:
    with pytest.raises(ValueError, match="method"):
        Request("TRACE", "/v1.0/x")
    with pytest.raises(ValueError, match="Authorization"):
        Request("GET", "/v1.0/x", headers={"Authorization": "Bearer x"})


def test_values_cannot_be_changed_after_they_were_made() -> None:
    request = Request("GET", "/v1.0/x")
    with pytest.raises(FrozenInstanceError):
        request.method = "DELETE"  # type: ignore[misc]


def test_an_error_reads_as_two_sentences() -> None:
    assert str(MicrosoftError("It broke.", "Mend it.")) == "It broke. Mend it."
    assert str(PermissionMissing("Refused")).startswith("Refused. Grant")
    assert AuthenticationFailed("x", reason="wrong_secret").reason == "wrong_secret"
