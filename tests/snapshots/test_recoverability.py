"""The verdicts on a tenant's resources: who would be re-pointed, the counts, and what makes them count again."""

import io

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lavawall.emulator import Emulator
from snapshots.catalog import registry
from snapshots.coverage import coverage_of
from snapshots.recoverability import summary
from snapshots.recoverability.summary import Judged
from snapshots.recoverability.verdicts import Referrer, Verdict
from tenants.models import Tenant
from tests.factories.changes import mfa_policy
from tests.factories.cloud import onboarded
from tests.factories.snapshots import State, take
from tests.factories.tenants import TenantFactory, give_writer

OFFICE, HOME, POLICY = "location-office", "location-home", "policy-1"
BUILT_IN, STAFF, APP, PRINCIPAL = "role-1", "group-staff", "app-object", "principal-1"
CLIENT_ID = "6d0e5f10-0000-4000-8000-000000000001"
POLICY_IN_OFFICE = mfa_policy(
    id=POLICY,
    displayName="Only in the office",
    conditions={
        "users": {"includeUsers": ["All"], "excludeGroups": [STAFF]},
        "applications": {"includeApplications": [CLIENT_ID]},
        "locations": {"includeLocations": ["All"], "excludeLocations": [OFFICE, OFFICE]},
    },
)
STATE: State = {
    "conditionalAccessPolicy": {POLICY: POLICY_IN_OFFICE},
    "namedLocation": {
        OFFICE: {"displayName": "Office", "isTrusted": True, "ipRanges": []},
        HOME: {"displayName": "Home", "isTrusted": False, "ipRanges": []},
    },
    "group": {STAFF: {"displayName": "Staff", "members": [{"id": PRINCIPAL}], "groupTypes": []}},
    "servicePrincipal": {PRINCIPAL: {"displayName": "Payroll", "appId": CLIENT_ID}},
    "unifiedRoleDefinition": {BUILT_IN: {"displayName": "Reader", "isBuiltIn": True, "templateId": BUILT_IN}},
}


@pytest.fixture
def tenant(db: None) -> Tenant:
    tenant = TenantFactory()
    give_writer(tenant, registry.required_permissions("write"))
    take(tenant, STATE)
    return tenant


def judged(tenant: Tenant) -> dict[str, Judged]:
    return {each.version.resource_id: each for each in summary.judged(tenant, list(summary.current(tenant)))}


def named_by(each: Judged) -> list[str]:
    return [referrer.display_name for referrer in each.restorability.remapped]


def test_what_names_a_resource_is_told_once_with_its_name(tenant: Tenant) -> None:
    found = judged(tenant)
    assert found[OFFICE].restorability.remapped == (
        Referrer("conditionalAccessPolicy", POLICY, "Only in the office"),
    )
    assert found[HOME].restorability.remapped == ()
    assert named_by(found[STAFF]) == ["Only in the office"]


def test_a_reference_by_another_property_and_a_membership_count_as_well(tenant: Tenant) -> None:
    """The policy names the service principal's application id, the group its object id."""
    found = judged(tenant)[PRINCIPAL].restorability
    assert [referrer.resource_type for referrer in found.remapped] == ["conditionalAccessPolicy", "group"]


def test_no_more_referrers_are_named_than_anybody_reads(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summary, "MORE", 1)
    assert len(judged(tenant)[PRINCIPAL].restorability.remapped) == 1


def test_counts_are_by_type_and_verdict(tenant: Tenant) -> None:
    counted = summary.counts(tenant)
    assert counted["namedLocation"] == {Verdict.NEW_ID: 2}
    assert counted["unifiedRoleDefinition"] == {Verdict.NOT_RESTORABLE: 1}
    assert sum(summary.total(counted).values()) == summary.current(tenant).count()
    assert summary.total({}) == dict.fromkeys(Verdict, 0)


def test_counting_again_reads_no_content(tenant: Tenant) -> None:
    first = summary.counts(tenant)
    with CaptureQueriesContext(connection) as queries:
        assert summary.counts(tenant) == first
    assert not [query for query in queries if "snapshots_blob" in query["sql"]]


def test_a_new_snapshot_and_another_permission_count_anew(tenant: Tenant) -> None:
    assert summary.total(summary.counts(tenant))[Verdict.NEW_ID] == 4
    take(tenant, {**STATE, "namedLocation": {}})
    assert summary.total(summary.counts(tenant))[Verdict.NEW_ID] == 2
    give_writer(tenant, ["Group.ReadWrite.All"])
    assert summary.total(summary.counts(tenant))[Verdict.NEW_ID] == 0


def test_without_a_writer_nothing_is_restorable_at_present(db: None) -> None:
    tenant = TenantFactory()
    take(tenant, STATE)
    found = judged(tenant)[OFFICE].restorability
    assert found.verdict is Verdict.NOT_RESTORABLE
    assert "writer" in found.remedy


def test_another_tenants_resources_neither_count_nor_refer(tenant: Tenant) -> None:
    other = TenantFactory()
    take(other, {"conditionalAccessPolicy": {"theirs": {**POLICY_IN_OFFICE, "id": "theirs"}}})
    assert "theirs" not in {
        referrer.resource_id for referrer in judged(tenant)[OFFICE].restorability.remapped
    }
    assert summary.counts(other).keys() == {"conditionalAccessPolicy"}


def test_every_resource_of_a_real_tenant_has_a_verdict_with_a_reason(db: None, emulator: Emulator) -> None:
    tenant = onboarded(emulator)
    call_command("snapshot", tenant.name, stdout=io.StringIO())
    found = summary.judged(tenant, list(summary.current(tenant)))
    assert {each.type.key for each in found} == {
        row.resource_type for row in coverage_of(tenant) if row.count
    }
    for each in found:
        assert each.restorability.reason, each.version
        assert (each.restorability.verdict is Verdict.PARTLY) >= bool(each.restorability.losses)
    assert [
        lost for each in found for lost in each.restorability.losses if lost.path == "passwordCredentials"
    ], "the seed has secrets"
