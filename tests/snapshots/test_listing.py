"""What a listing shows that is no object of its type, or only shows one of another type."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from lavawall.emulator import Emulator
from snapshots.catalog import registry
from snapshots.catalog.spec import DerivedFrom, ResourceType
from snapshots.collection.listing import iter_raw
from snapshots.collection.live import read_live
from snapshots.collection.type_reading import read_type
from tenants.connections.onboarding import open_client
from tenants.microsoft.client import GraphClient
from tests.factories.cloud import onboarded

GROUPS = registry.get("group")


@pytest.fixture
def client(db: None, emulator: Emulator) -> Iterator[GraphClient]:
    with closing(open_client(onboarded(emulator), "reader")) as client:
        yield client


def shadowed() -> ResourceType:
    """Groups, of which those with an e-mail address only show what the listing of groups says."""
    derived_from = DerivedFrom("/v1.0/groups", ("id",), is_source=lambda raw: raw.get("mailEnabled") is True)
    return replace(GROUPS, read=replace(GROUPS.read, quirks=(derived_from,)))


def test_shadows_of_another_type_are_neither_listed_nor_live(client: GraphClient) -> None:
    every = list(iter_raw(client, GROUPS))
    mailing = {raw["id"] for raw in every if raw["mailEnabled"]}
    assert mailing
    spec = shadowed()
    assert {raw["id"] for raw in iter_raw(client, spec)} == {raw["id"] for raw in every} - mailing
    assert read_live(client, spec, min(mailing)).document is None


def test_a_tenant_without_the_licence_casts_no_shadows(client: GraphClient, emulator: Emulator) -> None:
    every = {raw["id"] for raw in iter_raw(client, GROUPS)}
    refusal = {"error": {"code": "AadPremiumLicenseRequired", "message": "A premium license is needed."}}
    emulator.faults.add("answer", path="/casting", status=403, body=refusal)
    spec = shadowed()
    assert spec.read.derived_from is not None
    unlicensed = replace(spec.read.derived_from, path="/v1.0/groups/casting")
    spec = replace(spec, read=replace(spec.read, quirks=(unlicensed,)))
    assert {raw["id"] for raw in iter_raw(client, spec)} == every


def team(client: GraphClient) -> tuple[str, str]:
    """A group that PIM gave a member for a time, and that member."""
    for raw in iter_raw(client, GROUPS):
        path = "/v1.0/identityGovernance/privilegedAccess/group/assignmentSchedules"
        for schedule in client.items(path, params={"$filter": f"groupId eq '{raw['id']}'"}):
            if schedule["scheduleInfo"]["expiration"]["type"] != "noExpiration":
                return raw["id"], schedule["principalId"]
    raise LookupError("the seed has no such group")


def members(client: GraphClient, group_id: str) -> set[str]:
    document = read_live(client, GROUPS, group_id).document
    assert document is not None
    (found,) = [item.document for item in read_type(client, GROUPS) if item.resource_id == group_id]
    assert found == document
    return {member["id"] for member in document["members"]}


def test_who_is_in_a_group_through_pim_is_no_member_of_its_own(client: GraphClient) -> None:
    group_id, member = team(client)
    listed = {raw["id"] for raw in client.items(f"/v1.0/groups/{group_id}/members")}
    assert members(client, group_id) == listed - {member}


def test_who_may_not_read_pim_keeps_members_as_they_are_listed(
    client: GraphClient, emulator: Emulator
) -> None:
    group_id, _ = team(client)
    listed = {raw["id"] for raw in client.items(f"/v1.0/groups/{group_id}/members")}
    emulator.faults.add("answer", path="assignmentSchedules", status=403, times=1000)
    assert members(client, group_id) == listed
