"""What is known of each type of a tenant, over all its snapshots: nothing is covered by omission."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from snapshots import coverage
from snapshots.catalog import registry
from snapshots.collection.capture import NO_SUBSCRIPTION, Outcome
from snapshots.models import Coverage, Snapshot
from tenants.models import Tenant
from tests.factories.snapshots import collected, seal
from tests.factories.tenants import TenantFactory

Status = Coverage.Status
FORBIDDEN = Outcome(Status.FORBIDDEN, reason="The permission is missing", remedy="Grant it.")


def snapshot(tenant: Tenant, **outcomes: Outcome) -> Snapshot:
    """A snapshot of everything, in which some types fared otherwise."""
    gathered = collected(tenant, {spec.key: {} for spec in registry.all_types()})
    gathered.outcomes |= outcomes
    return seal(gathered).snapshot


def partial_snapshot(tenant: Tenant, *keys: str, **outcomes: Outcome) -> Snapshot:
    """As `snapshot --type` takes it."""
    others = {
        spec.key: Outcome(Status.NOT_REQUESTED) for spec in registry.all_types() if spec.key not in keys
    }
    return snapshot(tenant, **others, **outcomes)


@pytest.fixture
def tenant(db: None) -> Tenant:
    return TenantFactory()


def reported(tenant: Tenant) -> tuple[list[str], int]:
    standing = coverage.standing(tenant)
    return [row.resource_type for row in standing.problems], len(standing.unread)


def test_a_tenant_without_a_snapshot_has_nothing_covered(tenant: Tenant) -> None:
    standing = coverage.standing(tenant)
    assert reported(tenant) == ([], len(registry.all_types()))
    assert not standing.is_complete
    assert not coverage.coverage_of(tenant).exists()


def test_a_snapshot_of_everything_covers_everything(tenant: Tenant) -> None:
    snapshot(tenant)
    assert coverage.standing(tenant).is_complete


def test_the_newest_word_on_each_type_counts(tenant: Tenant) -> None:
    snapshot(tenant, group=FORBIDDEN)
    assert reported(tenant) == (["group"], 0)
    newest = snapshot(tenant)
    assert reported(tenant) == ([], 0)
    assert {row.snapshot for row in coverage.coverage_of(tenant)} == {newest}


def test_a_snapshot_of_some_types_hides_no_older_problem_and_is_none_itself(tenant: Tenant) -> None:
    snapshot(tenant, group=FORBIDDEN)
    partial_snapshot(tenant, "namedLocation")
    assert reported(tenant) == (["group"], 0)
    partial_snapshot(tenant, "group")
    assert coverage.standing(tenant).is_complete


def test_a_problem_of_a_snapshot_of_some_types_counts(tenant: Tenant) -> None:
    snapshot(tenant)
    partial_snapshot(tenant, "group", group=FORBIDDEN)
    assert reported(tenant) == (["group"], 0)


def test_types_that_no_snapshot_asked_for_are_not_covered(tenant: Tenant) -> None:
    partial_snapshot(tenant, "group")
    standing = coverage.standing(tenant)
    assert reported(tenant) == ([], len(registry.all_types()) - 1)
    assert not standing.is_complete
    assert standing.counts == {"complete": 1, "not_requested": len(registry.all_types()) - 1}


def test_azure_does_not_apply_without_a_subscription_and_is_unread_once_there_is_one(tenant: Tenant) -> None:
    azure = {spec.key: NO_SUBSCRIPTION for spec in registry.all_types() if spec.on_azure}
    assert snapshot(tenant, **azure).status == Snapshot.Status.COMPLETE
    assert coverage.standing(tenant).is_complete
    Tenant.objects.filter(pk=tenant.pk).update(subscriptions=["0d0bd7a3-57f9-4fbe-8d31-cd2ce6a5a3b0"])
    tenant.refresh_from_db()
    assert {spec.key for spec in coverage.standing(tenant).unread} == azure.keys()


def test_a_missing_subscription_hides_no_problem_of_another_type(tenant: Tenant) -> None:
    azure = {spec.key: NO_SUBSCRIPTION for spec in registry.all_types() if spec.on_azure}
    snapshot(tenant, **azure, group=FORBIDDEN)
    assert reported(tenant) == (["group"], 0)


def test_more_tenants_cost_no_more_queries(tenant: Tenant) -> None:
    def queries() -> int:
        tenants = list(Tenant.objects.all())
        with CaptureQueriesContext(connection) as captured:
            coverage.standings(tenants)
        return len(captured)

    partial_snapshot(tenant, "group")
    one = queries()
    for _ in range(3):
        partial_snapshot(TenantFactory(), "group")
    assert queries() == one
