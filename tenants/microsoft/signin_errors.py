"""Converts an error of Microsoft's sign-in service (an AADSTS code) into a message with a remedy. Called by
the token source. Codes: learn.microsoft.com/entra/identity-platform/reference-error-codes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tenants.microsoft.connection import ConnectionConfig
from tenants.microsoft.errors import AuthenticationFailed
from tenants.microsoft.failures import tidy
from tenants.microsoft.request import JSON


@dataclass(frozen=True)
class _Refusal:
    reason: str
    what: str
    remedy: str


_UNKNOWN_DIRECTORY = _Refusal(
    "unknown_directory",
    "There is no directory {directory_id} in this cloud",
    "Check the directory (tenant) ID, and that the connection uses the endpoints of the correct cloud.",
)
_NOT_CONSENTED = _Refusal(
    "not_consented",
    "The application {client_id} has no consent in directory {directory_id}",
    "Ask an administrator of that tenant to give admin consent to the app registration, then try again.",
)
_CERTIFICATE_UNKNOWN = _Refusal(
    "certificate_not_registered",
    "The certificate is not registered on the application {client_id}",
    "Upload the certificate (public part) to the app registration, or connect with the registered "
    "certificate.",
)
_CERTIFICATE_EXPIRED = _Refusal(
    "expired_certificate",
    "The certificate of the application {client_id} has expired",
    "Create a new certificate, upload it to the app registration, and store it with the connection.",
)
_DISABLED = _Refusal(
    "other",
    "The application {client_id} is disabled in directory {directory_id}",
    "Ask an administrator of that tenant to re-enable its enterprise application.",
)
_WRONG_CLOUD = _Refusal(
    "other",
    "Directory {directory_id} does not know the service for which a token was requested",
    "Check that the sign-in and Graph endpoints of the connection belong to the same cloud.",
)

_REFUSALS: Mapping[int, _Refusal] = {
    7000215: _Refusal(
        "wrong_secret",
        "The client secret of the application {client_id} is wrong",
        "Store the secret's value (not its ID) in the connection. Create a new secret if the value is lost.",
    ),
    7000222: _Refusal(
        "expired_secret",
        "The client secret of the application {client_id} has expired",
        "Create a new secret in the app registration, and store it in the connection.",
    ),
    700027: _CERTIFICATE_UNKNOWN,
    700024: _Refusal(
        "other",
        "The sign-in assertion is not valid at this time",
        "Check that this machine's clock is correct.",
    ),
    90002: _UNKNOWN_DIRECTORY,
    900023: _UNKNOWN_DIRECTORY,
    700016: _Refusal(
        "unknown_application",
        "The application {client_id} is not known in directory {directory_id}",
        "Check the client ID and directory ID. A multi-tenant app first needs admin consent in this tenant.",
    ),
    7000229: _NOT_CONSENTED,
    65001: _NOT_CONSENTED,
    7000112: _DISABLED,
    500011: _WRONG_CLOUD,
}


def authentication_failed(config: ConnectionConfig, body: JSON, status: int) -> AuthenticationFailed:
    answer = body if isinstance(body, dict) else {}
    description = str(answer.get("error_description") or "")
    number = _number(answer.get("error_codes"), description)
    request_id = str(answer.get("correlation_id") or "")
    refusal = _REFUSALS.get(number)
    if refusal is _CERTIFICATE_UNKNOWN and "expired" in description.lower():
        refusal = _CERTIFICATE_EXPIRED
    if refusal is None:
        said = tidy(description.partition("Trace ID")[0] or answer.get("error"), 200) or f"status {status}"
        return AuthenticationFailed(
            f"Microsoft refused to sign in the application {config.client_id} ({said})",
            code=f"AADSTS{number}" if number else str(answer.get("error") or status),
            request_id=request_id,
        )
    names = {"client_id": config.client_id, "directory_id": config.directory_id}
    return AuthenticationFailed(
        refusal.what.format(**names),
        refusal.remedy,
        reason=refusal.reason,
        code=f"AADSTS{number}",
        request_id=request_id,
    )


def certificate_expired(config: ConnectionConfig, day: str) -> AuthenticationFailed:
    """Checked before anything is sent: the certificate's expiry date is enough."""
    return AuthenticationFailed(
        f"{_CERTIFICATE_EXPIRED.what.format(client_id=config.client_id)} on {day}",
        _CERTIFICATE_EXPIRED.remedy,
        reason=_CERTIFICATE_EXPIRED.reason,
    )


def _number(codes: object, description: str) -> int:
    if isinstance(codes, list) and codes and isinstance(codes[0], int):
        return codes[0]
    match = re.search(r"AADSTS(\d+)", description)
    return int(match[1]) if match else 0
