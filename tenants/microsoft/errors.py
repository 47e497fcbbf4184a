"""Everything that can go wrong on the way to Microsoft, each as a sentence and a remedy that can be shown.

Raised by this package, shown by commands, pages and coverage. Holds no secret and no token.
"""

from collections.abc import Mapping
from typing import Self

from tenants.errors import DomainError


class MicrosoftError(DomainError):
    """`what` happened (one sentence), the `remedy` (what to do), Microsoft's error `code` and request id."""

    http_status = 502
    default_remedy = "Try again; if it persists, give Microsoft's support the request id."

    def __init__(self, what: str, remedy: str = "", *, code: str = "", request_id: str = "") -> None:
        self.what = what.strip().rstrip(".")
        super().__init__(f"{self.what}.", remedy=remedy or self.default_remedy)
        self.code = code
        self.request_id = request_id


class AuthenticationFailed(MicrosoftError):
    default_remedy = "Check the connection's directory id, client id and credential."

    def __init__(
        self, what: str, remedy: str = "", *, reason: str = "other", code: str = "", request_id: str = ""
    ) -> None:
        super().__init__(what, remedy, code=code, request_id=request_id)
        self.reason = reason


class TokenExpired(MicrosoftError):
    default_remedy = (
        "Check that the app registration is still enabled in this tenant "
        "and that the clock of this machine is right."
    )


class PermissionMissing(MicrosoftError):
    default_remedy = (
        "Grant the app registration the application permission that this needs, "
        "and give admin consent in the tenant."
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
        """The same refusal, told by a caller who knows which permissions the request needs."""
        names = " or ".join(permissions)
        remedy = f"Grant the app registration the permission {names}, and give admin consent in the tenant."
        return type(self)(
            self.what, remedy, permissions=permissions, code=self.code, request_id=self.request_id
        )


class LicenceMissing(MicrosoftError):
    default_remedy = (
        "The tenant needs the licence for this feature; without it there is nothing to read here."
    )


class NotFound(MicrosoftError):
    default_remedy = "It may have been deleted in the meantime: take a new snapshot and look again."


class BadRequest(MicrosoftError):
    default_remedy = "The request does not fit what Microsoft accepts here; the message says which part."


class Conflict(MicrosoftError):
    default_remedy = (
        "Something with the same identity exists already, or it changed meanwhile: read it again first."
    )


class WriteRefused(MicrosoftError):
    default_remedy = "Nothing was changed by this request; the message says why."


class BatchRefused(MicrosoftError):
    """Some parts of a batch were refused, and the others done. `refusals` are told by the parts' positions."""

    def __init__(self, refusals: Mapping[int, MicrosoftError], parts: int) -> None:
        first = refusals[min(refusals)]
        super().__init__(
            f"{len(refusals)} of {parts} requests of a batch were refused, such as: {first.what}",
            first.remedy,
            code=first.code,
            request_id=first.request_id,
        )
        self.refusals = dict(refusals)


class ReadOnlyConnection(MicrosoftError):
    default_remedy = "Writes go through the tenant's writer connection, as a step of an approved plan."


class Throttled(MicrosoftError):
    default_remedy = (
        "Wait some minutes and try again; other applications may be using up the tenant's budget."
    )


class ServiceUnavailable(MicrosoftError):
    default_remedy = "Microsoft's service has a problem: wait some minutes and try again."


class InvalidAnswer(MicrosoftError):
    default_remedy = (
        "Check that the endpoints are right and that no proxy or sign-in page answers in Microsoft's place."
    )


class AnswerTooLarge(InvalidAnswer):
    default_remedy = (
        "Check that no proxy answers in Microsoft's place; if the object or listing really is that large, "
        "report it: it is beyond what Lavawall reads."
    )


class Unreachable(MicrosoftError):
    default_remedy = "Check the address, name resolution, firewall and proxy of this machine, then try again."


class CertificateUntrusted(MicrosoftError):
    default_remedy = (
        "If a proxy or an emulator with an own certificate authority is expected there, "
        "set REQUESTS_CA_BUNDLE to a file with that authority's certificate; otherwise do not connect."
    )


class OutcomeUnknown(MicrosoftError):
    default_remedy = "It may or may not have been done: read the object before anything is repeated."
