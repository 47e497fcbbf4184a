"""One object as it is now: present, absent, softly deleted, or neither known."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from lavawall.emulator import Emulator
from snapshots.canonical.form import canonicalise
from snapshots.catalog import registry
from snapshots.collection.addresses import address, expand_path
from snapshots.collection.errors import IncompleteObject
from snapshots.collection.listing import Scope
from snapshots.collection.live import is_deleted_softly, read_live
from snapshots.collection.type_reading import read_type
from snapshots.store import content_store
from tenants.connections.onboarding import open_client
from tenants.microsoft.client import GraphClient
from tenants.microsoft.errors import PermissionMissing
from tenants.microsoft.request import Request
from tenants.models import Tenant
from tests.factories.cloud import onboarded

POLICY = registry.get("conditionalAccessPolicy")
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def tenant(db: None, emulator: Emulator) -> Tenant:
    tenant = onboarded(emulator)
    emulator.azure.lock(f"/subscriptions/{tenant.subscriptions[0]}", "CanNotDelete", "keep")
    return tenant


@pytest.fixture
def client(tenant: Tenant) -> Iterator[GraphClient]:
    with closing(open_client(tenant, "reader")) as client:
        yield client


def test_a_path_is_filled_and_percent_encoded() -> None:
    assert expand_path("/v1.0/groups/{id}/members", {"id": "a b/c?d"}) == "/v1.0/groups/a%20b%2Fc%3Fd/members"
    assert expand_path("/x/{id}/y/{appId}", address(POLICY, "1", {"appId": "2"})) == "/x/1/y/2"


@pytest.mark.parametrize("document", [None, {}, {"appId": ""}, {"appId": 5}])
def test_a_path_that_lacks_a_value_is_refused(document: dict[str, object] | None) -> None:
    with pytest.raises(IncompleteObject, match="needs appId"):
        expand_path("/x/{appId}", address(POLICY, "1", document))


def test_every_object_of_every_type_reads_alone_as_it_does_in_its_listing(
    client: GraphClient, tenant: Tenant
) -> None:
    for spec in registry.all_types():
        scope = Scope(subscriptions=tenant.subscriptions)
        parents = [] if spec.read.parent is None else _ids(client, spec.read.parent, scope)
        found = read_type(client, spec, replace(scope, parents=parents))
        assert found, spec.key
        for item in found[:3]:
            live = read_live(client, spec, item.resource_id, item.document)
            assert live.document == item.document, (spec.key, item.display_name)
            assert live.raw is not None
            assert canonicalise(live.raw, spec) == live.document
            assert not live.deleted


def _ids(client: GraphClient, key: str, scope: Scope) -> list[str]:
    return [item.resource_id for item in read_type(client, registry.get(key), scope)]


def test_an_object_that_never_was_is_absent_and_not_deleted(client: GraphClient) -> None:
    live = read_live(client, POLICY, NOBODY)
    assert (live.document, live.raw, live.deleted) == (None, None, False)


@pytest.mark.parametrize("key", ["conditionalAccessPolicy", "group", "application"])
def test_a_deleted_object_is_absent_and_found_in_its_container(
    client: GraphClient, tenant: Tenant, key: str
) -> None:
    spec = registry.get(key)
    ours = ("break", "lavawall")
    found = read_type(client, spec)
    item = next(item for item in found if not any(word in item.display_name.lower() for word in ours))
    with closing(open_client(tenant, "writer")) as writer:
        path = expand_path(spec.restore.delete.path or "", address(spec, item.resource_id))
        writer.send(Request("DELETE", path, service=spec.read.service))
    live = read_live(client, spec, item.resource_id, item.document)
    assert live.document is None
    assert live.deleted


def test_a_container_that_we_may_not_look_into_says_nothing(client: GraphClient, emulator: Emulator) -> None:
    emulator.faults.add("answer", path="deletedItems", status=403)
    assert not is_deleted_softly(client, POLICY, NOBODY)
    assert not is_deleted_softly(client, registry.get("unifiedRoleAssignment"), NOBODY)


def test_a_refusal_is_no_absence(client: GraphClient, emulator: Emulator) -> None:
    emulator.faults.add("answer", path="policies/", status=403)
    with pytest.raises(PermissionMissing):
        read_live(client, POLICY, NOBODY)


def test_what_is_live_has_the_digest_of_what_is_stored(client: GraphClient, tenant: Tenant) -> None:
    for item in read_type(client, POLICY):
        (digest,) = content_store.put(tenant, [(POLICY, item.document)])
        live = read_live(client, POLICY, item.resource_id)
        assert live.document is not None
        assert content_store.digest_of(tenant, POLICY, live.document) == digest
