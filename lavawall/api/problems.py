"""API errors as RFC 9457 problem documents. Never discloses internal details or objects that the actor cannot
see.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as InvalidModel
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from changes.services import AlreadyAcknowledged
from snapshots.catalog.registry import UnknownResourceType
from tenants.access.permissions import NotVisible, Refused
from tenants.connections.onboarding import NoConnection
from tenants.errors import DomainError, InternalError, logged
from tenants.microsoft.errors import MicrosoftError
from tenants.web.rest import PROBLEM_MEDIA_TYPE

NOT_FOUND = "The object does not exist, or you do not have access to it."


@dataclass(frozen=True)
class Problem:
    """The problem document for one kind of exception. Without a detail, the exception's own message is used."""

    status: HTTPStatus
    kind: str
    title: str
    detail: str = ""


PROBLEMS: tuple[tuple[type[Exception], Problem], ...] = (
    (NotVisible, Problem(HTTPStatus.NOT_FOUND, "not-found", "Not found", NOT_FOUND)),
    (Http404, Problem(HTTPStatus.NOT_FOUND, "not-found", "Not found", NOT_FOUND)),
    (exceptions.NotFound, Problem(HTTPStatus.NOT_FOUND, "not-found", "Not found", NOT_FOUND)),
    (Refused, Problem(HTTPStatus.FORBIDDEN, "refused", "Refused")),
    (
        PermissionDenied,
        Problem(HTTPStatus.FORBIDDEN, "refused", "Refused", "You do not have permission to do this."),
    ),
    (AlreadyAcknowledged, Problem(HTTPStatus.CONFLICT, "conflict", "Already acknowledged")),
    (NoConnection, Problem(HTTPStatus.CONFLICT, "no-connection", "The tenant is not connected")),
    (UnknownResourceType, Problem(HTTPStatus.BAD_REQUEST, "invalid", "Unknown resource type")),
    (
        MicrosoftError,
        Problem(HTTPStatus.BAD_GATEWAY, "microsoft", "Microsoft's service refused the request or failed"),
    ),
)
"""The first match is used."""


def problem_response(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler, called for every exception raised by a view."""
    request = context["request"]
    # Also for views that render HTML.
    request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
    if isinstance(error, InvalidModel):
        error = exceptions.ValidationError(error.messages)
    for kind, problem in PROBLEMS:
        if isinstance(error, kind):
            set_rollback()
            return _document(problem, problem.detail or str(error), request)
    if isinstance(error, exceptions.APIException):
        return _of_framework(error, context)
    set_rollback()
    if isinstance(error, DomainError) and not isinstance(error, InternalError):
        status = HTTPStatus(error.http_status)
        return _document(Problem(status, _kind(status), status.phrase), str(error), request)
    internal = logged(error, f"{request.method} {request.path}")
    problem = Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "Internal error")
    return _document(problem, str(internal), request, reference=internal.reference)


def too_large(request: HttpRequest) -> JsonResponse:
    """Returned before any view is called, so without DRF."""
    problem = Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", "Request too large")
    detail = f"The body has more than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes. Split the request."
    return JsonResponse(
        _content(problem, detail, request.path), status=problem.status.value, content_type=PROBLEM_MEDIA_TYPE
    )


def _of_framework(error: exceptions.APIException, context: dict[str, Any]) -> Response:
    """Authentication, validation, throttling, media types: DRF sets the status and headers."""
    handled = exception_handler(error, context)
    status = HTTPStatus(error.status_code)
    headers = dict(handled.headers) if handled is not None else {}
    if isinstance(error, exceptions.ValidationError):
        invalid = Problem(status, "invalid", "Not valid")
        errors = error.detail if isinstance(error.detail, dict) else {"non_field_errors": error.detail}
        return _document(
            invalid, "The errors field lists what to correct.", context["request"], headers, errors=errors
        )
    return _document(
        Problem(status, _kind(status), status.phrase), str(error.detail), context["request"], headers
    )


def _kind(status: HTTPStatus) -> str:
    return "invalid" if status == HTTPStatus.BAD_REQUEST else status.phrase.lower().replace(" ", "-")


def _document(
    problem: Problem,
    detail: str,
    request: Any,
    headers: dict[str, str] | None = None,
    **members: Any,
) -> Response:
    document = {**_content(problem, detail, request.path), **members}
    # Removes the content type of DRF's response, which would override ours.
    forwarded = {name: value for name, value in (headers or {}).items() if name.lower() != "content-type"}
    return Response(document, status=problem.status.value, headers=forwarded, content_type=PROBLEM_MEDIA_TYPE)


def _content(problem: Problem, detail: str, path: str) -> dict[str, Any]:
    return {
        "type": f"urn:lavawall:problem:{problem.kind}",
        "title": problem.title,
        "status": problem.status.value,
        "detail": detail,
        "instance": path,
    }
