"""Whatever goes wrong on the way from Microsoft: the type is marked with the reason, and nothing is called deleted."""

from contextlib import closing
from typing import Any

import pytest
from django.db import transaction

from changes import detect
from changes.models import Change
from lavawall.emulator import Emulator
from lavawall.emulator.faults import Behaviour
from snapshots import capture, store
from snapshots.models import Snapshot, Version
from snapshots.selectors import coverage_as_json
from tenants.connections import config_of
from tenants.microsoft.client import GraphClient
from tenants.models import Tenant
from tests.factories.cloud import impatient_client, onboarded, path_of

KEY = "namedLocation"
OTHERS = ("conditionalAccessPolicy", "group")
ALWAYS = 99


@pytest.fixture
def tenant(db: None, emulator: Emulator) -> Tenant:
    tenant = onboarded(emulator)
    observe(tenant)
    return tenant


def observe(tenant: Tenant) -> Snapshot:
    with closing(impatient_client(tenant)) as client:
        collected = capture.collect(tenant, client, types=(KEY, *OTHERS))
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
    "an object without id": {"status": 200, "body": {"value": [{"displayName": "A"}]}},
    "an object with a strange id": {"status": 200, "body": {"value": [{"id": 7}]}},
    "an empty object": {"status": 200, "body": {}},
    "a foreign nextLink": {
        "status": 200,
        "body": {"value": [], "@odata.nextLink": "https://example.com/v1.0/next"},
    },
}


@pytest.mark.parametrize("name", FAULTS)
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
    assert store.verify(tenant) == []
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


@pytest.mark.parametrize("behaviour", ["answer", "close_before", "not_json"])
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


def test_a_part_that_cannot_be_read_fails_its_type_and_no_other(tenant: Tenant, emulator: Emulator) -> None:
    emulator.faults.add(
        method="POST", path=r"^/v1.0/\$batch$", times=ALWAYS, status=500, body={"error": {"code": "x"}}
    )
    emulator.faults.add(method="GET", path=r"/members", times=ALWAYS, status=500)
    snapshot = observe(tenant)
    coverage = coverage_as_json(snapshot)
    assert coverage["group"]["status"] == "failed"
    assert coverage["conditionalAccessPolicy"]["status"] == "complete"
    assert not Change.objects.exists()
