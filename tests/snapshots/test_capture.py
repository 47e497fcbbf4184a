"""Collection over real HTTPS: complete, without a false change, honest about what it could not read."""

from contextlib import closing
from typing import Any

import pytest
from django.db import transaction

from changes.detection import detect
from changes.models import Change
from lavawall.emulator import Emulator
from snapshots.catalog import registry
from snapshots.catalog.registry import UnknownResourceType
from snapshots.collection import capture, principals
from snapshots.collection.capture import Collected, Sealed
from snapshots.models import Blob, Coverage, Principal, Snapshot, Version
from snapshots.selectors import coverage_as_json
from snapshots.store import content_store
from tenants.connections.onboarding import open_client
from tenants.microsoft.connection import SecretCredential
from tenants.microsoft.errors import AuthenticationFailed, PermissionMissing
from tenants.microsoft.request import Request
from tenants.models import Tenant
from tests.factories.cloud import TENANT, onboarded, path_of
from tests.factories.tenants import TenantFactory

POLICIES = "/beta/identity/conditionalAccess/policies"


@pytest.fixture
def tenant(db: None, emulator: Emulator) -> Tenant:
    return onboarded(emulator)


def collect(tenant: Tenant, *types: str) -> Collected:
    with closing(open_client(tenant, "reader")) as client:
        return capture.collect(tenant, client, types=types or None)


def sealed(collected: Collected) -> Sealed:
    with transaction.atomic():
        result = capture.seal(collected, requested_by="test")
        detect.detect(result)
    return result


def take(tenant: Tenant, *types: str) -> Snapshot:
    return sealed(collect(tenant, *types)).snapshot


def send(tenant: Tenant, method: str, path: str, body: Any = None) -> Any:
    """An administrator's change in the tenant."""
    with closing(open_client(tenant, "writer")) as client:
        return client.send(Request(method, path, body=body)).body


def ids(tenant: Tenant, key: str) -> set[str]:
    current = Version.objects.filter(tenant=tenant, resource_type=key, last_snapshot=None)
    return set(current.values_list("resource_id", flat=True))


def reported(snapshot: Snapshot) -> list[tuple[str, str, str]]:
    changes = Change.objects.filter(snapshot=snapshot).order_by("resource_type", "display_name")
    return [(change.resource_type, change.kind, change.display_name) for change in changes]


def test_a_full_snapshot_has_every_type_complete_and_every_object(tenant: Tenant, emulator: Emulator) -> None:
    snapshot = take(tenant)
    coverage = coverage_as_json(snapshot)
    assert {key: row["status"] for key, row in coverage.items()} == {
        spec.key: "complete" for spec in registry.all_types()
    }
    assert snapshot.status == "complete"
    directory = emulator.state(str(tenant.directory_id))
    for key in ("conditionalAccessPolicy", "namedLocation", "group", "application", "servicePrincipal"):
        assert ids(tenant, key) == set(directory.documents(key)), key
        assert coverage[key]["count"] == len(ids(tenant, key))
    assert snapshot.resource_count == Version.objects.count()
    assert snapshot.requests > len(coverage)
    assert content_store.verify(tenant) == []


def test_members_and_owners_are_part_of_the_document(tenant: Tenant, emulator: Emulator) -> None:
    snapshot = take(tenant)
    directory = emulator.state(str(tenant.directory_id))
    state = content_store.state_at(snapshot)
    through_pim = state.filter(resource_type="privilegedAccessGroupAssignmentSchedule")
    lent = {tuple(schedule.resource_id.split("|")) for schedule in through_pim}
    seen = 0
    for version in state.filter(resource_type="group"):
        document = content_store.document(tenant, version.digest)
        members = {member["id"] for member in document.get("members", [])}
        for_a_time = {
            person for group, person, access in lent if (group, access) == (version.resource_id, "member")
        }
        assert members | for_a_time == directory.links(version.resource_id, "members")
        assert not members & for_a_time
        seen += len(members)
    assert seen


def test_reading_an_unchanged_tenant_again_changes_nothing(tenant: Tenant) -> None:
    first = take(tenant)
    versions, blobs = Version.objects.count(), Blob.objects.count()
    second = take(tenant)
    assert reported(second) == []
    assert (Version.objects.count(), Blob.objects.count()) == (versions, blobs)
    assert second.previous_root == first.root
    assert second.resource_count == first.resource_count


@pytest.mark.exhaustive("the rules of absence are shown by tests/faults/test_collection.py")
def test_small_pages_say_the_same_as_large_ones(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with Emulator(seed="demo", page_size=2) as cloud:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", cloud.ca_file)
        tenant = onboarded(cloud)
        take(tenant)
        directory = cloud.state(str(tenant.directory_id))
        assert ids(tenant, "servicePrincipal") == set(directory.documents("servicePrincipal"))


def test_updates_creations_and_deletions_are_found(tenant: Tenant) -> None:
    take(tenant)
    policies = {item["displayName"]: item["id"] for item in _listed(tenant, POLICIES)}
    (renamed, renamed_id), (deleted, deleted_id), *_ = sorted(policies.items())
    send(tenant, "PATCH", f"{POLICIES}/{renamed_id}", {"state": "disabled"})
    send(tenant, "DELETE", f"{POLICIES}/{deleted_id}")
    created = {
        "displayName": "New office",
        "@odata.type": "#microsoft.graph.countryNamedLocation",
        "countriesAndRegions": ["DE"],
        "includeUnknownCountriesAndRegions": False,
    }
    send(tenant, "POST", "/v1.0/identity/conditionalAccess/namedLocations", created)
    assert reported(take(tenant)) == [
        ("conditionalAccessPolicy", "updated", renamed),
        ("conditionalAccessPolicy", "deleted", deleted),
        ("namedLocation", "created", "New office"),
    ]
    assert reported(take(tenant)) == []


def _listed(tenant: Tenant, path: str) -> list[dict[str, Any]]:
    with closing(open_client(tenant, "reader")) as client:
        return list(client.items(path))


def test_a_type_without_permission_is_forbidden_with_the_permission_named_and_carried_over(
    tenant: Tenant, emulator: Emulator
) -> None:
    take(tenant)
    groups = ids(tenant, "group")
    info = emulator.tenants[TENANT]
    fewer = {"Policy.Read.All", "Application.Read.All", "RoleManagement.Read.Directory"}
    emulator.set_permissions(info.directory_id, info.reader.client_id, fewer)
    snapshot = take(tenant)
    coverage = coverage_as_json(snapshot)
    assert (snapshot.status, coverage["group"]["status"]) == ("partial", "forbidden")
    assert "403" in coverage["group"]["reason"]
    for permission in registry.get("group").permissions.read:
        assert permission in coverage["group"]["remedy"]
    assert coverage["conditionalAccessPolicy"]["status"] == "complete"
    assert ids(tenant, "group") == groups
    assert {
        version.resource_id for version in content_store.state_at(snapshot).filter(resource_type="group")
    } == groups
    assert not Change.objects.exclude(resource_type="appRoleAssignment").filter(snapshot=snapshot).exists()


@pytest.mark.exhaustive("the rules of absence are shown by tests/faults/test_collection.py")
def test_an_object_that_a_listing_leaves_out_is_asked_for_and_kept(
    tenant: Tenant, emulator: Emulator
) -> None:
    take(tenant)
    policies = ids(tenant, "conditionalAccessPolicy")
    emulator.faults.add(
        "answer", method="GET", path=path_of("conditionalAccessPolicy"), status=200, body={"value": []}
    )
    snapshot = take(tenant)
    assert emulator.faults.pending() == []
    assert reported(snapshot) == []
    assert ids(tenant, "conditionalAccessPolicy") == policies
    assert coverage_as_json(snapshot)["conditionalAccessPolicy"]["count"] == len(policies)


@pytest.mark.exhaustive("the rules of absence are shown by tests/faults/test_collection.py")
def test_an_object_whose_absence_cannot_be_confirmed_is_kept_with_its_type(
    tenant: Tenant, emulator: Emulator
) -> None:
    take(tenant)
    policies = ids(tenant, "conditionalAccessPolicy")
    emulator.faults.add(
        "answer", method="GET", path=path_of("conditionalAccessPolicy"), status=200, body={"value": []}
    )
    emulator.faults.add("answer", method="GET", path=f"{POLICIES}/", status=403, body=None)
    snapshot = take(tenant)
    row = coverage_as_json(snapshot)["conditionalAccessPolicy"]
    assert row["status"] == "forbidden"
    assert "Policy.Read.All" in row["remedy"]
    assert reported(snapshot) == []
    assert ids(tenant, "conditionalAccessPolicy") == policies


def test_only_the_types_asked_for_are_read(tenant: Tenant, emulator: Emulator) -> None:
    take(tenant)
    policy = min(ids(tenant, "conditionalAccessPolicy"))
    group = min(ids(tenant, "group"))
    send(tenant, "PATCH", f"{POLICIES}/{policy}", {"state": "disabled"})
    send(tenant, "PATCH", f"/v1.0/groups/{group}", {"description": "changed"})
    emulator.requests.clear()
    snapshot = take(tenant, "group")
    assert {kind for kind, _, _ in reported(snapshot)} == {"group"}
    assert not [logged for logged in emulator.requests if "conditionalAccess" in logged.path]
    statuses = set(snapshot.coverage.exclude(resource_type="group").values_list("status", flat=True))
    assert statuses == {"not_requested"}
    assert snapshot.status == "complete"
    assert {kind for kind, _, _ in reported(take(tenant))} == {"conditionalAccessPolicy"}


def test_what_is_read_below_a_type_that_was_never_read_says_so(tenant: Tenant) -> None:
    snapshot = take(tenant, "federatedIdentityCredential")
    found = coverage_as_json(snapshot)["federatedIdentityCredential"]
    assert (snapshot.status, found["status"], found["count"]) == ("partial", "failed", 0)
    assert found["reason"] == (
        "Federated credentials are read per parent, but the applications were never read."
    )
    assert "snapshot of application and federatedIdentityCredential together" in found["remedy"]
    assert content_store.latest(tenant) == snapshot
    take(tenant, "application")
    repeated = coverage_as_json(take(tenant, "federatedIdentityCredential"))["federatedIdentityCredential"]
    assert repeated["status"] == "complete"
    assert repeated["count"] == len(ids(tenant, "federatedIdentityCredential")) > 0


def test_an_unknown_type_is_refused_before_anything_is_read(tenant: Tenant, emulator: Emulator) -> None:
    emulator.requests.clear()
    with pytest.raises(UnknownResourceType, match="Did you mean group"):
        collect(tenant, "grop")
    assert emulator.requests == []


def test_nothing_readable_at_all_is_no_snapshot(tenant: Tenant, emulator: Emulator) -> None:
    info = emulator.tenants[TENANT]
    emulator.set_permissions(info.directory_id, info.reader.client_id, [])
    tenant.subscriptions = []
    with pytest.raises(PermissionMissing):
        collect(tenant)


def test_a_wrong_secret_is_no_snapshot(db: None, emulator: Emulator) -> None:
    tenant = onboarded(emulator, credential=SecretCredential("not the secret"))
    with pytest.raises(AuthenticationFailed, match="secret"):
        collect(tenant)
    assert not Snapshot.objects.exists()


def test_progress_is_told_type_by_type(tenant: Tenant) -> None:
    seen: list[tuple[str, Coverage.Status]] = []
    with closing(open_client(tenant, "reader")) as client:
        capture.collect(
            tenant, client, progress=lambda spec, outcome: seen.append((spec.key, outcome.status))
        )
    assert sorted(key for key, _ in seen) == sorted(spec.key for spec in registry.all_types())
    assert {status for _, status in seen} == {Coverage.Status.COMPLETE}


def test_who_configuration_refers_to_is_known_by_name(tenant: Tenant, emulator: Emulator) -> None:
    take(tenant)
    admin = emulator.tenants[TENANT].admins[0]
    known = Principal.objects.get(tenant=tenant, object_id=admin.id)
    assert (known.kind, known.user_principal_name) == ("user", admin.user_principal_name)
    names = principals.names(tenant, [admin.id, "no such id", *ids(tenant, "group")])
    assert names[admin.id] == admin.user_principal_name
    assert "no such id" not in names
    assert len(names) == 1 + len(ids(tenant, "group"))
    assert principals.names(TenantFactory(), [admin.id]) == {}


@pytest.mark.exhaustive("principals are looked up in every other snapshot too")
def test_names_that_cannot_be_looked_up_fail_no_snapshot(tenant: Tenant, emulator: Emulator) -> None:
    emulator.faults.add("answer", method="POST", path="getByIds", status=403, times=9)
    snapshot = take(tenant)
    assert snapshot.status == "complete"
    assert not Principal.objects.exists()


def test_a_collection_that_is_not_sealed_shows_nothing(tenant: Tenant) -> None:
    collect(tenant)
    assert not Snapshot.objects.exists()
    assert not Version.objects.exists()
    assert not Coverage.objects.exists()


@pytest.mark.exhaustive("the rules of absence are shown by tests/faults/test_collection.py")
def test_a_listing_that_may_be_read_only_later_deletes_nothing(tenant: Tenant, emulator: Emulator) -> None:
    """Role assignments that PIM gives for a time are kept with their schedule, once schedules may be read."""
    emulator.faults.add("answer", path="roleAssignmentSchedules$", status=403, times=99)
    take(tenant)
    given = ids(tenant, "unifiedRoleAssignment")
    emulator.faults.clear()
    snapshot = take(tenant)
    assert ids(tenant, "unifiedRoleAssignment") < given
    assert ids(tenant, "unifiedRoleAssignmentSchedule")
    assert reported(snapshot) == []
