"""A type of which some could be read: that counts, the rest is kept as it was, and nothing is called deleted."""

from contextlib import closing
from uuid import uuid4

import pytest
from django.db import transaction

from changes.detection import detect
from changes.models import Change
from lavawall.emulator import Emulator
from snapshots import coverage
from snapshots.collection import capture
from snapshots.models import Snapshot, Version
from snapshots.selectors import coverage_as_json
from snapshots.store import content_store
from tenants.microsoft.request import Request
from tenants.models import Tenant
from tests.factories.cloud import impatient_client, onboarded

ALWAYS = 99


@pytest.fixture
def tenant(db: None, emulator: Emulator) -> Tenant:
    return onboarded(emulator)


def observe(tenant: Tenant, *keys: str) -> Snapshot:
    with closing(impatient_client(tenant)) as client:
        collected = capture.collect(tenant, client, types=keys)
    with transaction.atomic():
        sealed = capture.seal(collected, requested_by="test")
        detect.detect(sealed)
    return sealed.snapshot


def send(tenant: Tenant, method: str, path: str, body: object = None) -> None:
    with closing(impatient_client(tenant, "writer")) as client:
        client.send(Request(method, path, body=body))


def current(tenant: Tenant, key: str) -> dict[str, str]:
    rows = Version.objects.filter(tenant=tenant, resource_type=key, last_snapshot=None)
    return dict(rows.values_list("resource_id", "digest"))


def changed(snapshot: Snapshot) -> set[tuple[str, str]]:
    return set(Change.objects.filter(snapshot=snapshot).values_list("kind", "resource_id"))


def test_one_group_whose_members_cannot_be_read_costs_no_other_group(
    tenant: Tenant, emulator: Emulator
) -> None:
    observe(tenant, "group")
    before = current(tenant, "group")
    unreadable, moved, gone = sorted(before)[:3]
    send(tenant, "PATCH", f"/v1.0/groups/{moved}", {"description": "changed"})
    send(tenant, "PATCH", f"/v1.0/groups/{unreadable}", {"description": "changed too"})
    send(tenant, "DELETE", f"/v1.0/groups/{gone}")
    emulator.faults.add(
        "answer", method="GET", path=f"/groups/{unreadable}/members", status=403, times=ALWAYS
    )
    snapshot = observe(tenant, "group")
    row = coverage_as_json(snapshot)["group"]
    assert (snapshot.status, row["status"], row["count"]) == ("partial", "partial", len(before))
    assert row["reason"].startswith("Some objects could not be read and were carried over: ")
    assert "permission" in row["remedy"]
    assert {kind for kind, _ in changed(snapshot)} == {"updated"}
    assert ("updated", moved) in changed(snapshot)
    assert ("updated", unreadable) not in changed(snapshot)
    assert current(tenant, "group")[unreadable] == before[unreadable]
    assert [each.resource_type for each in coverage.standing(tenant).problems] == ["group"]
    assert content_store.verify(tenant) == []
    emulator.faults.clear()
    assert changed(observe(tenant, "group")) == {("updated", unreadable), ("deleted", gone)}


def test_what_only_partial_reads_left_out_is_not_new_when_it_is_seen_first(
    tenant: Tenant, emulator: Emulator
) -> None:
    with closing(impatient_client(tenant)) as client:
        unreadable, moved = sorted(each["id"] for each in client.items("/v1.0/groups"))[:2]
    emulator.faults.add(
        "answer", method="GET", path=f"/groups/{unreadable}/members", status=403, times=ALWAYS
    )
    assert coverage_as_json(observe(tenant, "group"))["group"]["status"] == "partial"
    assert unreadable not in current(tenant, "group")
    send(tenant, "PATCH", f"/v1.0/groups/{moved}", {"description": "changed"})
    assert changed(observe(tenant, "group")) == {("updated", moved)}
    emulator.faults.clear()
    assert changed(observe(tenant, "group")) == set()
    assert unreadable in current(tenant, "group")


def test_a_part_that_fails_for_every_object_is_the_failure_of_the_type(
    tenant: Tenant, emulator: Emulator
) -> None:
    emulator.faults.add("answer", method="GET", path="/groups/[^/]+/members", status=403, times=ALWAYS)
    observed = coverage_as_json(observe(tenant, "group", "namedLocation"))
    assert observed["group"]["status"] == "forbidden"
    assert observed["namedLocation"]["status"] == "complete"


def test_one_subscription_that_cannot_be_read_costs_no_other_subscription(tenant: Tenant) -> None:
    observe(tenant, "networkSecurityGroup")
    before = current(tenant, "networkSecurityGroup")
    tenant.subscriptions = [*tenant.subscriptions, str(uuid4())]
    snapshot = observe(tenant, "networkSecurityGroup")
    row = coverage_as_json(snapshot)["networkSecurityGroup"]
    assert row["status"] == "partial"
    assert "subscription" in f"{row['reason']} {row['remedy']}".lower()
    assert before == current(tenant, "networkSecurityGroup") != {}
    assert changed(snapshot) == set()


def test_children_of_a_partly_read_type_are_partly_read_too(tenant: Tenant, emulator: Emulator) -> None:
    keys = ("application", "federatedIdentityCredential")
    observe(tenant, *keys)
    before = current(tenant, "federatedIdentityCredential")
    unreadable = min(current(tenant, "application"))
    emulator.faults.add(
        "answer", method="GET", path=f"/applications/{unreadable}/owners", status=403, times=99
    )
    snapshot = observe(tenant, *keys)
    rows = coverage_as_json(snapshot)
    assert {key: rows[key]["status"] for key in keys} == dict.fromkeys(keys, "partial")
    assert before == current(tenant, "federatedIdentityCredential") != {}
    assert changed(snapshot) == set()
