"""What is decided before any view: the health probe, and the size of a body."""

import pytest
from django.db import connection
from django.db.utils import OperationalError
from django.test import Client
from pytest_django import Settings

from tests.pages.conftest import make_scene

TOO_MUCH = "x" * (2_621_440 + 1)


def test_the_health_probe_answers_over_plain_http_and_by_address(db: None, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["lavawall.msp.test"]

    response = Client().get("/healthz", HTTP_HOST="172.18.0.4:8000")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_the_health_probe_says_when_there_is_no_database(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        raise OperationalError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", gone)
        response = Client().get("/healthz")

    assert (response.status_code, response.json()) == (503, {"status": "no database"})


def test_a_body_that_is_too_large_is_413_on_pages_and_in_the_api(db: None) -> None:
    scene, client = make_scene(), Client()
    client.force_login(scene.engineer, backend="django.contrib.auth.backends.ModelBackend")

    page = client.post("/sign-in/", {"username": TOO_MUCH})
    api = client.post("/api/v1/rollbacks/", {"reason": TOO_MUCH}, content_type="application/json")

    assert page.status_code == 413
    assert "too large" in page.text
    assert (api.status_code, api.headers["Content-Type"]) == (413, "application/problem+json")
    assert api.json()["type"] == "urn:lavawall:problem:too-large"
