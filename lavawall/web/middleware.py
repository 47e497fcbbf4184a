"""Middleware that runs first: the health probe and the limit on the request body."""

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from lavawall.api.problems import too_large

Answer = Callable[[HttpRequest], HttpResponse]
HEALTH_PATH = "/healthz"


def health_probe(answer: Answer) -> Answer:
    """Answers /healthz over plain HTTP and for any host name, as used by probes: 200, or 503 without the
    database.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        return _health() if request.path == HEALTH_PATH else answer(request)

    return middleware


def body_limit(answer: Answer) -> Answer:
    """Refuses too large bodies with 413 before they are read."""

    def middleware(request: HttpRequest) -> HttpResponse:
        length = request.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return answer(request)
        if request.path.startswith("/api/"):
            return too_large(request)
        return render(request, "413.html", status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

    return middleware


def _health() -> HttpResponse:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        response = JsonResponse({"status": "no database"}, status=HTTPStatus.SERVICE_UNAVAILABLE)
    else:
        response = JsonResponse({"status": "ok"})
    response["Cache-Control"] = "no-store"
    return response
