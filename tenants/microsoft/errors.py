"""Errors of requests to Microsoft, each with a message and a remedy for users. Raised by this package; shown
by commands, pages and coverage. Never contains a secret or token.
"""

from collections.abc import Mapping
from typing import Self

from tenants.errors import DomainError


class MicrosoftError(DomainError):
    """`what` happened (one sentence), the `remedy` (what to do), Microsoft's error `code` and request id."""

    http_status = 502
    default_remedy = "Try again. If the problem persists, give the request ID to Microsoft support."

    def __init__(self, what: str, remedy: str = "", *, code: str = "", request_id: str = "") -> None:
        self.what = what.strip().rstrip(".")
        super().__init__(f"{self.what}.", remedy=remedy or self.default_remedy)
        self.code = code
        self.request_id = request_id


class AuthenticationFailed(MicrosoftError):
    default_remedy = "Check the connection's directory ID, client ID and credential."

    def __init__(
        self, what: str, remedy: str = "", *, reason: str = "other", code: str = "", request_id: str = ""
    ) -> None:
        super().__init__(what, remedy, code=code, request_id=request_id)
        self.reason = reason


class TokenExpired(MicrosoftError):
    default_remedy = (
        "Check that the app registration is still enabled in this tenant and that this machine's clock "
        "is correct."
    )


class PermissionMissing(MicrosoftError):
    default_remedy = (
        "Grant the required application permission to the app registration, and give admin consent in "
        "the tenant."
    )

    def __init__(
        self,
        what: str,
        remedy: str = "",
        *,
        permissions: tuple[str, ...] = (),
        code: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(what, remedy, code=code, request_id=request_id)
        self.permissions = permissions

    def naming(self, permissions: tuple[str, ...]) -> Self:
        """The same error, raised by a caller who knows which permissions the request needs."""
        names = " or ".join(permissions)
        remedy = f"Grant the app registration the permission {names}, and give admin consent in the tenant."
        return type(self)(
            self.what, remedy, permissions=permissions, code=self.code, request_id=self.request_id
        )


class LicenceMissing(MicrosoftError):
    default_remedy = "The tenant needs the licence for this feature. Without it there is nothing to read."


class NotFound(MicrosoftError):
    default_remedy = "It may have been deleted in the meantime. Take a new snapshot and check again."


class BadRequest(MicrosoftError):
    default_remedy = "Microsoft does not accept the request; its message says which part."


class Conflict(MicrosoftError):
    default_remedy = (
        "An object with the same identity already exists, or the object has changed in the meantime. "
        "Read it again first."
    )


class WriteRefused(MicrosoftError):
    default_remedy = "The request changed nothing; the message says why."


class BatchRefused(MicrosoftError):
    """Some parts of a batch were refused, the others were applied. `refusals` maps positions of parts to
    errors.
    """

    def __init__(self, refusals: Mapping[int, MicrosoftError], parts: int) -> None:
        first = refusals[min(refusals)]
        super().__init__(
            f"{len(refusals)} of {parts} requests of a batch were refused, for example: {first.what}",
            first.remedy,
            code=first.code,
            request_id=first.request_id,
        )
        self.refusals = dict(refusals)


class ReadOnlyConnection(MicrosoftError):
    default_remedy = (
        "Writes are sent only through the tenant's writer connection, as a step of an approved plan."
    )


class Throttled(MicrosoftError):
    default_remedy = (
        "Wait a few minutes and try again. Other applications may be using up the tenant's request budget."
    )


class ServiceUnavailable(MicrosoftError):
    default_remedy = "Microsoft's service has a problem. Wait a few minutes and try again."


class InvalidAnswer(MicrosoftError):
    default_remedy = (
        "Check that the endpoints are correct and that no proxy or sign-in page responds instead of "
        "Microsoft."
    )


class AnswerTooLarge(InvalidAnswer):
    default_remedy = (
        "Check that no proxy responds instead of Microsoft. If the object or listing really is this "
        "large, report it: it exceeds what Lavawall can read."
    )


class Unreachable(MicrosoftError):
    default_remedy = "Check the address, name resolution, firewall and proxy of this machine, then try again."


class CertificateUntrusted(MicrosoftError):
    default_remedy = (
        "If you expect a proxy or an emulator with its own certificate authority, set "
        "REQUESTS_CA_BUNDLE to a file with that authority's certificate. Otherwise do not connect."
    )


class OutcomeUnknown(MicrosoftError):
    default_remedy = "The write may or may not have been applied. Read the object before you repeat anything."
