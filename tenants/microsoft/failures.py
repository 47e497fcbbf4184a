"""Converts an error response of Graph or ARM into an error with a remedy. Called by the client for each final
response. Raises nothing and does not decide about retries.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from tenants.microsoft.errors import (
    BadRequest,
    Conflict,
    InvalidAnswer,
    LicenceMissing,
    MicrosoftError,
    NotFound,
    PermissionMissing,
    ServiceUnavailable,
    Throttled,
    TokenExpired,
    WriteRefused,
)
from tenants.microsoft.request import Response

LICENCE_CODES = frozenset(
    {"Authentication_RequestFromNonPremiumTenantOrB2CTenant", "AadPremiumLicenseRequired"}
)
# A 400 that only mentions a licence property does not mean a missing licence, so each status has its own
# pattern.
LICENCE_WORDS: Mapping[int, re.Pattern[str]] = {
    400: re.compile(r"not applicable to target tenant", re.IGNORECASE),
    403: re.compile(r"licen[cs]e|premium|not applicable to target tenant", re.IGNORECASE),
}

NOT_IMPLEMENTED = 501
_BY_STATUS: Mapping[int, type[MicrosoftError]] = {
    400: BadRequest,
    401: TokenExpired,
    403: PermissionMissing,
    404: NotFound,
    409: Conflict,
    412: Conflict,
    429: Throttled,
}


# Azure error codes are more specific than the status. Remedies by code.
REMEDIES: Mapping[str, str] = {
    "AuthorizationFailed": (
        "Give the app registration the Azure role Reader on the subscription (for writing: the roles "
        "that the docs list for the type), then wait a few minutes."
    ),
    "LinkedAuthorizationFailed": "Give the app registration its Azure role on the linked resource as well.",
    "SubscriptionNotFound": (
        "Check the subscription ID, and give the app registration the Azure role Reader on it. If the "
        "subscription no longer exists, remove it from the tenant's list."
    ),
    "InvalidAuthenticationTokenTenant": "The subscription belongs to another directory. Add it to that tenant instead.",
    "MissingSubscriptionRegistration": (
        "Register the resource provider on the subscription, or ignore this: no resource of this type "
        "can exist there yet."
    ),
    "ReadOnlyDisabledSubscription": "The subscription is disabled. Re-enable it in Azure billing.",
    "DisabledSubscription": "The subscription is disabled. Re-enable it in Azure billing.",
    "ScopeLocked": "An Azure lock prevents this. Remove the lock, then plan again.",
}
FORBIDDEN = frozenset({"SubscriptionNotFound"})
"""Codes that mean "not visible", which does not prove that the object is absent."""


class Refusal(NamedTuple):
    code: str
    message: str


def error_for(method: str, path: str, response: Response, *, writes: bool) -> MicrosoftError:
    refusal = read_refusal(response)
    kind = _kind(response.status, refusal, writes=writes)
    said = ": ".join(part for part in refusal if part) or "no reason given"
    verb = "redirected" if 300 <= response.status < 400 else "answered"
    return kind(
        f"Microsoft {verb} {method} {path} with {response.status} ({said})",
        REMEDIES.get(refusal.code, ""),
        code=refusal.code or str(response.status),
        request_id=response.request_id,
    )


def _kind(status: int, refusal: Refusal, *, writes: bool) -> type[MicrosoftError]:
    if status < 400:
        return InvalidAnswer
    if status == NOT_IMPLEMENTED and writes:
        return WriteRefused
    if status >= 500:
        return ServiceUnavailable
    if refusal.code in FORBIDDEN:
        return PermissionMissing
    words = LICENCE_WORDS.get(status)
    if words and (refusal.code in LICENCE_CODES or words.search(refusal.message)):
        return LicenceMissing
    return _BY_STATUS.get(status, WriteRefused if writes else BadRequest)


def read_refusal(response: Response) -> Refusal:
    """Code and message of an OData error body, on one line and shortened."""
    error = response.body.get("error") if isinstance(response.body, dict) else None
    if isinstance(error, dict):
        return Refusal(tidy(error.get("code"), 80), tidy(error.get("message"), 300))
    return Refusal(tidy(error, 80) if isinstance(error, str) else "", "")


def tidy(text: object, limit: int) -> str:
    line = " ".join(str(text or "").split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
