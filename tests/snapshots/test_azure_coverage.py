"""Subscriptions that cannot be read are reported with the reason and the remedy; nothing of them is called
deleted.
"""

from contextlib import closing

import pytest

from lavawall.emulator import Emulator
from snapshots.collection.capture import Collected, collect
from snapshots.models import Coverage
from tenants.models import Tenant
from tests.factories.cloud import impatient_client, onboarded
from tests.factories.snapshots import seal

AZURE = ("networkSecurityGroup", "keyVault", "managedIdentity", "managedIdentityFederatedCredential")
TYPES = (*AZURE, "namedLocation")


@pytest.fixture
def tenant(db: None, emulator: Emulator) -> Tenant:
    tenant = onboarded(emulator)
    seal(collected(tenant))
    return tenant


def collected(tenant: Tenant) -> Collected:
    with closing(impatient_client(tenant)) as client:
        return collect(tenant, client, types=TYPES)


def test_without_a_subscription_azure_is_not_applicable(tenant: Tenant) -> None:
    tenant.subscriptions = []
    gathered = collected(tenant)
    outcome = gathered.outcomes["keyVault"]
    assert outcome.status == Coverage.Status.NOT_APPLICABLE
    assert "Reader" in outcome.remedy
    assert seal(gathered).deltas == []


def test_without_the_role_reader_the_last_state_stays(tenant: Tenant, emulator: Emulator) -> None:
    info = emulator.tenants[tenant.name]
    reader = emulator.state(info.directory_id).by_property("servicePrincipal", "appId", info.reader.client_id)
    assert reader is not None
    given = emulator.azure.tenant(info.directory_id).documents("Microsoft.Authorization/roleAssignments")
    (own,) = [key for key, body in given.items() if body["properties"]["principalId"] == reader.id]
    emulator.azure.delete(own)
    gathered = collected(tenant)
    for key in AZURE[:3]:
        assert gathered.outcomes[key].status == Coverage.Status.FORBIDDEN
        assert "AuthorizationFailed" in gathered.outcomes[key].reason
        assert "Azure role Reader" in gathered.outcomes[key].remedy
        assert "admin consent" not in gathered.outcomes[key].remedy
    assert gathered.outcomes[AZURE[3]].status == Coverage.Status.FAILED
    assert gathered.outcomes["namedLocation"].status == Coverage.Status.COMPLETE
    assert seal(gathered).deltas == []


@pytest.mark.parametrize(
    ("status", "code", "covered", "remedy"),
    [
        (404, "SubscriptionNotFound", "forbidden", "Check the subscription ID"),
        (409, "MissingSubscriptionRegistration", "failed", "Register the resource provider"),
        (403, "DisabledSubscription", "forbidden", "Re-enable it"),
        (409, "ReadOnlyDisabledSubscription", "failed", "Re-enable it"),
    ],
)
def test_each_refusal_of_a_subscription_has_its_remedy(
    tenant: Tenant, emulator: Emulator, status: int, code: str, covered: str, remedy: str
) -> None:
    body = {"error": {"code": code, "message": "Not here."}}
    emulator.faults.add("answer", path="microsoft.keyvault/", times=99, status=status, body=body)
    gathered = collected(tenant)
    assert gathered.outcomes["keyVault"].status == covered
    assert code in gathered.outcomes["keyVault"].reason
    assert remedy in gathered.outcomes["keyVault"].remedy
    assert gathered.outcomes["networkSecurityGroup"].status == Coverage.Status.COMPLETE
    assert seal(gathered).deltas == []


def test_nothing_changes_in_an_unchanged_subscription(tenant: Tenant) -> None:
    assert [seal(collected(tenant)).deltas for _ in range(3)] == [[], [], []]
