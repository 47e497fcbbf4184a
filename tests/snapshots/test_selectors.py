"""What an actor may see of snapshots, and how two of them compare."""

import pytest

from snapshots import selectors
from snapshots.models import Snapshot
from snapshots.selectors import NotComparable
from tenants.access.actors import Actor
from tenants.access.matrix import Action, Role
from tenants.models import Tenant
from tests.factories.snapshots import State, take
from tests.factories.tenants import TenantFactory, person


@pytest.fixture
def tenant(db: None) -> Tenant:
    tenant: Tenant = TenantFactory()
    return tenant


def groups(**names: str) -> State:
    return {"group": {key: {"displayName": name} for key, name in names.items()}}


def reported(base: Snapshot, target: Snapshot) -> list[tuple[str, str, str]]:
    return [(each.kind, each.resource_id, each.display_name) for each in selectors.compare(base, target)]


def test_only_snapshots_in_sight_are_seen(tenant: Tenant) -> None:
    mine = take(tenant, groups(a="A")).snapshot
    take(TenantFactory(), groups(a="A"))
    auditor = Actor.person(person(Role.AUDITOR, tenant=tenant), "page")
    assert list(selectors.visible_snapshots(auditor)) == [mine]
    assert {version.tenant for version in selectors.visible_versions(auditor)} == {tenant}
    assert not selectors.visible_snapshots(auditor, Action.TAKE_SNAPSHOT).exists()
    stranger = Actor.person(person(), "page")
    assert not selectors.visible_snapshots(stranger).exists()
    assert not selectors.visible_versions(stranger).exists()


def test_a_comparison_lists_what_differs_in_both_directions(tenant: Tenant) -> None:
    base = take(tenant, groups(a="A", b="B", c="C")).snapshot
    take(tenant, groups(a="between"))
    target = take(tenant, groups(a="A", b="B2", d="D")).snapshot
    assert reported(base, target) == [("updated", "b", "B2"), ("deleted", "c", "C"), ("created", "d", "D")]
    assert reported(target, base) == [("updated", "b", "B"), ("created", "c", "C"), ("deleted", "d", "D")]
    assert reported(base, base) == []


def test_snapshots_of_two_tenants_are_not_compared(tenant: Tenant) -> None:
    foreign = take(TenantFactory(), groups(a="A")).snapshot
    with pytest.raises(NotComparable, match="same tenant"):
        selectors.compare(take(tenant, groups(a="A")).snapshot, foreign)


def test_coverage_reads_as_the_contract_says(tenant: Tenant) -> None:
    snapshot = take(tenant, groups(a="A")).snapshot
    assert selectors.coverage_as_json(snapshot) == {
        "group": {"status": "complete", "count": 1, "reason": "", "remedy": ""}
    }
