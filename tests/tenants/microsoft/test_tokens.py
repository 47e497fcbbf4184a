import logging
from datetime import UTC, datetime

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tenants.microsoft.connection import CertificateCredential, SecretCredential
from tenants.microsoft.errors import (
    AuthenticationFailed,
    InvalidAnswer,
    MicrosoftError,
    ServiceUnavailable,
    Throttled,
    TokenExpired,
)
from tests.tenants.microsoft.cloud import CLIENT, DIRECTORY, SECRET, Call, Cloud, Say, app_certificate
from tests.tenants.microsoft.conftest import MakeClient

ME = "/v1.0/organization"


def refusal(number: int, text: str = "refused", status: int = 401) -> Say:
    return Say(
        status,
        {
            "error": "invalid_client",
            "error_description": f"AADSTS{number}: {text} Trace ID: 1 Correlation ID: 2 Timestamp: 3",
            "error_codes": [number],
            "correlation_id": "c-1",
        },
    )


def refuse_tokens(cloud: Cloud, say: Say) -> None:
    cloud.token_answer = lambda call: cloud.discovery() if call.method == "GET" else say


def test_a_secret_signs_in_and_the_token_is_kept(cloud: Cloud, make_client: MakeClient) -> None:
    cloud.on("GET", ME, Say(body={"value": []}))
    client = make_client()
    client.get(ME)
    client.get(ME)
    assert len(cloud.tokens) == 1
    asked = next(call.body for call in cloud.sign_ins if call.method == "POST")
    assert asked["client_secret"] == SECRET
    assert asked["scope"] == f"{cloud.url}/.default"
    assert all(call.headers["authorization"] == f"Bearer {cloud.tokens[0]}" for call in cloud.calls)


def test_a_certificate_signs_in_with_an_assertion_signed_by_its_key(
    cloud: Cloud, make_client: MakeClient, pem: str
) -> None:
    credential = CertificateCredential(pem)
    make_client(credential=credential).token()
    asked = next(call.body for call in cloud.sign_ins if call.method == "POST")
    key = credential.certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    claims = jwt.decode(
        asked["client_assertion"],
        key,
        algorithms=["PS256"],
        audience=f"{cloud.url}/{DIRECTORY}/oauth2/v2.0/token",
    )
    assert claims["iss"] == claims["sub"] == CLIENT
    assert "client_secret" not in asked


def test_check_reads_the_roles_of_the_token(cloud: Cloud, make_client: MakeClient) -> None:
    cloud.roles = ["Policy.Read.All", "AuditLog.Read.All"]
    facts = make_client().check()
    assert (facts.directory_id, facts.app_id) == (DIRECTORY, CLIENT)
    assert facts.roles == ("AuditLog.Read.All", "Policy.Read.All")


def test_a_token_without_roles_has_none(cloud: Cloud, make_client: MakeClient) -> None:
    cloud.roles = []
    assert make_client().check().roles == ()


def test_a_token_that_is_none_is_refused_with_a_sentence(cloud: Cloud, make_client: MakeClient) -> None:
    refuse_tokens(cloud, Say(body={"token_type": "Bearer", "expires_in": 60, "access_token": "opaque"}))
    with pytest.raises(AuthenticationFailed, match="cannot be read"):
        make_client().check()


def test_a_refused_token_is_renewed_once(cloud: Cloud, make_client: MakeClient) -> None:
    cloud.on("GET", ME, Say(401, {"error": {"code": "InvalidAuthenticationToken"}}), Say(body={"id": "x"}))
    assert make_client().get(ME) == {"id": "x"}
    sent = [call.headers["authorization"] for call in cloud.calls]
    assert sent == [f"Bearer {token}" for token in cloud.tokens]
    assert len(set(sent)) == 2


def test_a_fresh_token_that_is_refused_too_ends_it(cloud: Cloud, make_client: MakeClient) -> None:
    cloud.on("GET", ME, Say(401, {"error": {"code": "InvalidAuthenticationToken", "message": "no"}}))
    with pytest.raises(TokenExpired, match="InvalidAuthenticationToken"):
        make_client().get(ME)
    assert len(cloud.calls) == 2


@pytest.mark.parametrize(
    ("number", "text", "reason", "remedy"),
    [
        (7000215, "Invalid client secret provided.", "wrong_secret", "not its ID"),
        (7000222, "The provided client secret keys are expired.", "expired_secret", "new secret"),
        (700027, "The certificate is not registered on application.", "certificate_not_registered", "Upload"),
        (700027, "The key was expired.", "expired_certificate", "new certificate"),
        (90002, "Tenant not found.", "unknown_directory", "directory"),
        (900023, "Specified tenant identifier is not valid.", "unknown_directory", "directory"),
        (700016, "Application was not found in the directory.", "unknown_application", "client ID"),
        (7000229, "The client application is missing service principal.", "not_consented", "consent"),
        (65001, "No consent.", "not_consented", "consent"),
        (7000112, "Application is disabled.", "other", "enable"),
        (53003, "Blocked by Conditional Access.", "other", "Check"),
    ],
)
def test_each_refusal_of_sign_in_says_what_to_do(
    cloud: Cloud, make_client: MakeClient, number: int, text: str, reason: str, remedy: str
) -> None:
    refuse_tokens(cloud, refusal(number, text))
    with pytest.raises(AuthenticationFailed) as caught:
        make_client().token()
    assert caught.value.reason == reason
    assert remedy in caught.value.remedy
    assert caught.value.code == f"AADSTS{number}"
    assert caught.value.request_id == "c-1"
    assert SECRET not in str(caught.value)


def test_an_unknown_directory_is_recognised_at_discovery(cloud: Cloud, make_client: MakeClient) -> None:
    cloud.token_answer = lambda _: refusal(90002, "Tenant not found.", status=400)
    with pytest.raises(AuthenticationFailed) as caught:
        make_client().token()
    assert caught.value.reason == "unknown_directory"
    assert DIRECTORY in str(caught.value)


def test_an_unknown_refusal_repeats_what_microsoft_said_without_its_trace_ids(
    cloud: Cloud, make_client: MakeClient
) -> None:
    refuse_tokens(
        cloud, Say(400, {"error": "invalid_request", "error_description": "AADSTS1: Odd.\r\nTrace ID: 9"})
    )
    with pytest.raises(AuthenticationFailed, match=r"\(AADSTS1: Odd\.\)") as caught:
        make_client().token()
    assert "Trace" not in str(caught.value)


def test_an_expired_certificate_is_refused_before_anything_is_sent(
    cloud: Cloud, make_client: MakeClient
) -> None:
    with pytest.raises(AuthenticationFailed) as caught:
        make_client(credential=CertificateCredential(app_certificate(days=-2))).token()
    assert caught.value.reason == "expired_certificate"
    assert cloud.sign_ins == []


def test_sign_in_waits_when_it_is_throttled(
    cloud: Cloud, make_client: MakeClient, waits: list[float]
) -> None:
    answers = iter([Say(429, {}, {"Retry-After": "7"}), cloud.issue()])
    cloud.token_answer = lambda call: cloud.discovery() if call.method == "GET" else next(answers)
    assert make_client().token() == cloud.tokens[0]
    assert waits == [7]


def test_sign_in_that_stays_throttled_is_given_up(
    cloud: Cloud, make_client: MakeClient, waits: list[float]
) -> None:
    refuse_tokens(cloud, Say(429, {}))
    with pytest.raises(Throttled, match="sign-in"):
        make_client().token()
    assert len(waits) == 5


def test_an_answer_without_a_token_is_no_success(cloud: Cloud, make_client: MakeClient) -> None:
    refuse_tokens(cloud, Say(body={"error": "temporarily_unavailable"}))
    with pytest.raises(AuthenticationFailed, match="temporarily_unavailable"):
        make_client().token()


def test_a_broken_sign_in_service_is_named(cloud: Cloud, make_client: MakeClient) -> None:
    refuse_tokens(cloud, Say(500, {}))
    with pytest.raises(ServiceUnavailable, match="sign-in"):
        make_client().token()


@pytest.mark.parametrize(
    "say",
    [
        Say(raw=b"<html>hello</html>"),
        Say(302, None, {"Location": "https://example.com"}),
        Say(403, raw=b"<p>"),
    ],
)
def test_a_sign_in_answer_that_is_no_json_is_refused(cloud: Cloud, make_client: MakeClient, say: Say) -> None:
    refuse_tokens(cloud, say)
    with pytest.raises(InvalidAnswer, match="without a JSON object"):
        make_client().token()


def test_the_secret_is_not_sent_to_a_host_that_discovery_names(cloud: Cloud, make_client: MakeClient) -> None:
    seen: list[Call] = []

    def lure(call: Call) -> Say:
        seen.append(call)
        return cloud.discovery("https://localhost:1")

    cloud.token_answer = lure
    with pytest.raises(InvalidAnswer, match="different host"):
        make_client().token()
    assert [call.method for call in seen] == ["GET"]


def test_no_secret_or_token_is_logged_or_printed(
    cloud: Cloud, make_client: MakeClient, pem: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    cloud.on("GET", ME, Say(body={"id": "x"}))
    for credential in (SecretCredential(SECRET), CertificateCredential(pem)):
        client = make_client(credential=credential)
        client.get(ME)
        shown = repr(client) + repr(client.config) + repr(credential) + str(vars(client))
        assert SECRET not in shown
        assert "PRIVATE KEY" not in shown
        assert all(token not in shown for token in cloud.tokens)
    refuse_tokens(cloud, refusal(7000215))
    with pytest.raises(MicrosoftError):
        make_client().token()
    assert caplog.text
    key_lines = pem.splitlines()[1:10]
    for text in (SECRET, "client_assertion=", *cloud.tokens, *key_lines):
        assert text not in caplog.text


def test_credentials_in_a_netrc_file_do_not_replace_the_token(
    cloud: Cloud, make_client: MakeClient, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = f"{tmp_path}/netrc"
    with open(netrc, "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write("machine 127.0.0.1 login other password person\n")
    monkeypatch.setenv("NETRC", netrc)
    cloud.on("GET", ME, Say(body={"id": "x"}))
    make_client().get(ME)
    assert cloud.calls[0].headers["authorization"] == f"Bearer {cloud.tokens[0]}"


def test_the_certificates_date_is_known() -> None:
    credential = CertificateCredential(app_certificate(days=10))
    assert 9 <= (credential.not_valid_after - datetime.now(UTC)).days <= 10
