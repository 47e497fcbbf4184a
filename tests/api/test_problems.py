"""Errors are RFC 9457 problem documents and give nothing away."""

from typing import Any

import pytest
from django.core.cache import cache
from django.urls import path
from rest_framework.test import APIClient
from rest_framework.throttling import UserRateThrottle
from rest_framework.views import APIView

from tenants.access.matrix import Role
from tenants.connections.onboarding import NoConnection
from tenants.microsoft.errors import MicrosoftError
from tests.api.conftest import World

SECRET = "hunter2-client-secret"
RAISED: dict[str, Exception] = {
    "unexpected": RuntimeError(SECRET),
    "value": ValueError(SECRET),
    "microsoft": MicrosoftError("Graph refused the request", "Grant the permission."),
    "unconnected": NoConnection("Contoso has no reader connection. Add one."),
}


class Raising(APIView):
    """Fails in the way that its address names."""

    def get(self, _request: Any, how: str) -> None:
        raise RAISED[how]


urlpatterns = [path("raise/<str:how>/", Raising.as_view())]


@pytest.fixture
def raising(world: World, settings: Any) -> APIClient:
    settings.ROOT_URLCONF = __name__
    return world.client(Role.ENGINEER)


def assert_problem(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document["status"] == status
    assert document["type"].startswith("urn:lavawall:problem:")
    assert document["title"]
    assert document["detail"]
    assert document["instance"].startswith("/")
    return document


@pytest.mark.parametrize("how", ["unexpected", "value"])
def test_what_nobody_expected_is_told_without_internals(
    raising: APIClient, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    document = assert_problem(raising.get(f"/raise/{how}/"), 500)
    assert SECRET not in str(document)
    assert any(record.levelname == "ERROR" and record.exc_info for record in caplog.records)


def test_microsofts_refusal_is_told_with_its_remedy(raising: APIClient) -> None:
    document = assert_problem(raising.get("/raise/microsoft/"), 502)
    assert document["detail"] == "Graph refused the request. Grant the permission."


def test_a_tenant_without_a_connection_is_a_conflict(raising: APIClient) -> None:
    assert_problem(raising.get("/raise/unconnected/"), 409)


def test_an_invalid_body_names_its_fields(engineer: APIClient) -> None:
    document = assert_problem(engineer.post("/api/v1/snapshots/", {"mode": "sideways"}), 400)
    assert set(document["errors"]) == {"tenant", "mode"}


def test_a_body_that_is_no_object_is_invalid(engineer: APIClient) -> None:
    assert_problem(engineer.post("/api/v1/snapshots/", [1, 2]), 400)


def test_a_body_that_is_no_json_is_invalid(engineer: APIClient) -> None:
    assert_problem(engineer.post("/api/v1/snapshots/", "{", content_type="application/json"), 400)


def test_another_media_type_is_refused(engineer: APIClient) -> None:
    assert_problem(engineer.post("/api/v1/snapshots/", "a=b", content_type="text/plain"), 415)


def test_another_method_is_refused(engineer: APIClient, world: World) -> None:
    for method in ("put", "patch", "delete"):
        assert_problem(getattr(engineer, method)(f"/api/v1/tenants/{world.ours.tenant.pk}/"), 405)


@pytest.mark.parametrize(
    "query",
    [
        "changes/?severity=enormous",
        "changes/?since=yesterday",
        "changes/?cursor=nonsense",
        "changes/?cursor=cD1hYmM%3D",
        "changes/?cursor=%FF",
        "snapshots/compare/",
        "snapshots/compare/?base=1&target=x",
        "coverage/",
        "coverage/?tenant=%00",
        "changes/?tenant=%00",
    ],
)
def test_a_wrong_query_is_invalid(engineer: APIClient, query: str) -> None:
    assert assert_problem(engineer.get(f"/api/v1/{query}"), 400)["errors"]


def test_an_unknown_resource_type_is_invalid_and_gets_advice(engineer: APIClient) -> None:
    document = assert_problem(
        engineer.post("/api/v1/snapshots/", {"tenant": "Contoso", "types": ["conditionalAccesPolicy"]}), 400
    )
    assert "conditionalAccessPolicy" in str(document["errors"]["types"])


@pytest.mark.parametrize("row_id", ["9" * 19, "9" * 40, "0", "x"])
def test_an_impossible_id_is_not_found(engineer: APIClient, row_id: str) -> None:
    assert_problem(engineer.get(f"/api/v1/changes/{row_id}/"), 404)


def test_too_many_requests_are_told_when_to_come_back(
    engineer: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.clear()
    monkeypatch.setattr(UserRateThrottle, "rate", "2/min", raising=False)
    answers = [engineer.get("/api/v1/tenants/") for _ in range(3)]
    assert [answer.status_code for answer in answers[:2]] == [200, 200]
    assert_problem(answers[2], 429)
    assert 0 < int(answers[2]["Retry-After"]) <= 60


def test_answers_are_not_kept_by_caches(engineer: APIClient) -> None:
    assert engineer.get("/api/v1/tenants/")["Cache-Control"] == "no-store"
    assert engineer.get("/api/v1/changes/0/")["Cache-Control"] == "no-store"
