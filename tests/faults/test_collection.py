"""Whatever goes wrong on the way from Microsoft: the type is marked with the reason, and nothing is called deleted."""

from collections.abc import Sequence
from contextlib import closing
from typing import Any

import pytest
from django.db import transaction

from changes.detection import detect
from changes.models import Change
from lavawall.emulator import Emulator
from lavawall.emulator.faults import Behaviour
from snapshots.canonical.form import canonicalise
from snapshots.catalog import registry
from snapshots.catalog.spec import ResourceType
from snapshots.collection import capture, type_reading
from snapshots.models import Snapshot, Version
from snapshots.selectors import coverage_as_json
from snapshots.store import content_store
from tenants.connections.onboarding import config_of
from tenants.microsoft.client import GraphClient
from tenants.microsoft.errors import MicrosoftError
from tenants.models import Tenant
from tests.factories.cloud import impatient_client, onboarded, path_of
from tests.suites import representative

KEY = "namedLocation"
OTHERS = ("conditionalAccessPolicy", "group")
ALWAYS = 99


@pytest.fixture
def tenant(db: None, emulator: Emulator) -> Tenant:
    tenant = onboarded(emulator)
    observe(tenant)
    return tenant


def observe(tenant: Tenant, types: Sequence[str] | None = (KEY, *OTHERS)) -> Snapshot:
    with closing(impatient_client(tenant)) as client:
        collected = capture.collect(tenant, client, types=types)
    with transaction.atomic():
        sealed = capture.seal(collected, requested_by="test")
        detect.detect(sealed)
    return sealed.snapshot


FAULTS: dict[str, dict[str, Any]] = {
    "a page that is not JSON": {"behaviour": "not_json"},
    "a sign-in page": {"behaviour": "html", "status": 200},
    "a nextLink that loops": {"behaviour": "loop"},
    "a closed connection": {"behaviour": "close_before"},
    "a server error": {"status": 500},
    "a bad gateway": {"behaviour": "html", "status": 502},
    "an unavailable service": {"status": 503, "headers": {"Retry-After": "0"}},
    "throttling without an end": {"status": 429, "headers": {"Retry-After": "0"}},
    "throttling without Retry-After": {"status": 429},
    "a bad request": {"status": 400, "body": {"error": {"code": "BadRequest", "message": "no"}}},
    "not found": {"status": 404, "body": {"error": {"code": "NotFound", "message": "no"}}},
    "no list": {"status": 200, "body": {"value": None}},
    "no object": {"status": 200, "body": {"value": ["text"]}},
    "a listing without an end": {"behaviour": "endless"},
    "a compressed bomb": {"behaviour": "bomb"},
    "an object without id": {"status": 200, "body": {"value": [{"displayName": "A"}]}},
    "an object with a strange id": {"status": 200, "body": {"value": [{"id": 7}]}},
    "an empty object": {"status": 200, "body": {}},
    "a foreign nextLink": {
        "status": 200,
        "body": {"value": [], "@odata.nextLink": "https://example.com/v1.0/next"},
    },
}


@pytest.mark.parametrize(
    "name", representative(FAULTS, shown=3, why="each fault fails its type the same way")
)
def test_a_type_that_cannot_be_read_is_failed_and_carried_over(
    tenant: Tenant, emulator: Emulator, name: str
) -> None:
    before = set(Version.objects.filter(last_snapshot=None).values_list("pk", flat=True))
    emulator.faults.add(**{"method": "GET", "path": path_of(KEY), "times": ALWAYS, **FAULTS[name]})
    snapshot = observe(tenant)
    coverage = coverage_as_json(snapshot)
    assert coverage[KEY]["status"] == "failed"
    assert coverage[KEY]["reason"]
    assert coverage[KEY]["remedy"]
    assert {coverage[key]["status"] for key in OTHERS} == {"complete"}
    assert snapshot.status == "partial"
    assert not Change.objects.exists()
    assert set(Version.objects.filter(last_snapshot=None).values_list("pk", flat=True)) == before
    assert content_store.verify(tenant) == []
    emulator.faults.clear()
    assert observe(tenant).status == "complete"
    assert not Change.objects.exists()


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "headers": {"Retry-After": "0"}},
        {"status": 429},
        {"status": 503, "headers": {"Retry-After": "0"}},
        {"behaviour": "close_before"},
        {"status": 500},
        {"status": 502},
        {"behaviour": "not_json"},
        {"behaviour": "html", "status": 200},
        {"behaviour": "html", "status": 404},
        {"behaviour": "close_after"},
    ],
    ids=[
        "throttled",
        "throttled without Retry-After",
        "unavailable",
        "closed before",
        "internal error",
        "bad gateway",
        "cut off",
        "a proxy's page",
        "a proxy's not found",
        "closed after",
    ],
)
def test_a_passing_fault_is_overcome(tenant: Tenant, emulator: Emulator, fault: dict[str, Any]) -> None:
    emulator.faults.add(**{"method": "GET", "path": path_of(KEY), "times": 2, **fault})
    assert observe(tenant).status == "complete"
    assert emulator.faults.pending() == []
    assert not Change.objects.exists()


@pytest.mark.parametrize(
    "behaviour",
    representative(["answer", "close_before", "not_json"], why="each fault is retried the same way"),
)
def test_a_tenant_of_which_every_fifth_request_fails_is_read_without_long_waits(
    db: None, emulator: Emulator, behaviour: Behaviour
) -> None:
    tenant, waits = onboarded(emulator), list[float]()
    emulator.faults.add(behaviour, status=500, every=5, times=10**6)
    connection = tenant.connections.select_related("app_registration__tenant", "tenant").get(purpose="reader")
    with closing(GraphClient(config_of(connection), sleep=waits.append)) as client:
        collected = capture.collect(tenant, client)
    failed = {key: each.reason for key, each in collected.outcomes.items() if each.status == "failed"}
    assert failed == {}
    assert client.stats.requests > 100
    assert sum(waits) < 30


def test_a_missing_licence_is_told_apart(tenant: Tenant, emulator: Emulator) -> None:
    body = {
        "error": {
            "code": "AccessDenied",
            "message": "Your tenant is not licensed for this feature (premium).",
        }
    }
    emulator.faults.add(method="GET", path=path_of(KEY), status=403, body=body)
    row = coverage_as_json(observe(tenant))[KEY]
    assert row["status"] == "unlicensed"
    assert "licence" in row["remedy"]
    assert not Change.objects.exists()


def test_a_part_that_cannot_be_read_makes_its_type_partial_and_no_other(
    tenant: Tenant, emulator: Emulator
) -> None:
    emulator.faults.add(
        method="POST", path=r"^/v1.0/\$batch$", times=ALWAYS, status=500, body={"error": {"code": "x"}}
    )
    emulator.faults.add(method="GET", path=r"/members", times=ALWAYS, status=500)
    snapshot = observe(tenant)
    coverage = coverage_as_json(snapshot)
    assert coverage["group"]["status"] == "partial"
    assert coverage["conditionalAccessPolicy"]["status"] == "complete"
    assert not Change.objects.exists()


def test_what_one_listing_leaves_out_is_not_called_deleted(db: None, emulator: Emulator) -> None:
    tenant, unaddressed = (
        onboarded(emulator),
        [spec for spec in registry.all_types() if spec.read.item_path is None and not spec.read.singleton],
    )
    observe(tenant, None)
    counted = {
        spec.key: Version.objects.filter(tenant=tenant, resource_type=spec.key).count()
        for spec in unaddressed
    }
    assert counted["unifiedRoleManagementPolicyRule"] > 1
    assert counted["unifiedRoleEligibilitySchedule"] > 1
    for spec in unaddressed:
        emulator.faults.add("gaps", method="GET", path=path_of(spec.key))

    snapshot = observe(tenant, None)

    assert list(Change.objects.values_list("resource_type", "kind")) == []
    assert snapshot.status == "complete"
    assert snapshot.resource_count == Version.objects.filter(tenant=tenant, last_snapshot=None).count()


def test_an_object_that_our_own_code_stumbles_over_is_named_and_costs_only_its_type(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    observe(tenant)
    victim = Version.objects.filter(resource_type=KEY).order_by("pk")[0]
    real = canonicalise

    def stumbles(raw: dict[str, Any], spec: ResourceType) -> dict[str, Any]:
        if spec.key == KEY and raw["id"] == victim.resource_id:
            raise RecursionError("maximum recursion depth exceeded")
        return real(raw, spec)

    monkeypatch.setattr(type_reading, "canonicalise", stumbles)
    snapshot = observe(tenant)

    coverage = coverage_as_json(snapshot)
    assert victim.display_name in coverage[KEY]["reason"]
    assert {coverage[key]["status"] for key in OTHERS} == {"complete"}
    assert victim.resource_id in caplog.text
    assert "RecursionError" in caplog.text
    assert not Change.objects.exists()


@pytest.mark.parametrize(
    "answer", [{}, {"access_token": 7}, {"access_token": "x", "expires_in": "soon"}, {"error": 5}]
)
def test_a_token_in_an_unknown_form_is_a_failed_sign_in_and_no_internal_error(
    tenant: Tenant, emulator: Emulator, answer: dict[str, Any]
) -> None:
    emulator.faults.add(
        "answer", method="POST", path="/oauth2/v2.0/token", status=200, body=answer, times=ALWAYS
    )
    with pytest.raises(MicrosoftError):
        observe(tenant)
