"""What an actor may see of changes, and the form in which every face shows one."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from changes import selectors
from changes.models import Attribution, AuditEvent, Change
from snapshots.models import Coverage
from tenants.access.actors import Actor
from tenants.access.matrix import Action, Role
from tenants.models import Tenant
from tests.factories.changes import MFA_POLICY_ID, detected, disabled_mfa, mfa_policy
from tests.factories.tenants import TenantFactory, person
from tests.patching import patched

CONTRACT = {
    "id",
    "resource_type",
    "resource_id",
    "display_name",
    "kind",
    "patch",
    "severity",
    "findings",
    "attribution",
    "detected_at",
    "occurred_at",
}


@pytest.fixture
def tenant(db: None) -> Tenant:
    tenant: Tenant = TenantFactory()
    return tenant


def attributed(change: Change, name: str, score: int, **facts: Any) -> Attribution:
    now = timezone.now()
    occurred_at = facts.pop("occurred_at", now)
    event = AuditEvent.objects.create(
        tenant=change.tenant,
        event_id=f"event of {name}",
        activity="Update conditional access policy",
        occurred_at=occurred_at,
        actor_type="user",
        actor_id="u1",
        actor_name=name,
        ip="203.0.113.7",
        sealed=b"-",
        received_at=now,
    )
    facts = {"confidence": "high", "made_at": now, **facts}
    return Attribution.objects.create(change=change, event=event, score=score, **facts)


def test_only_changes_in_sight_are_seen(tenant: Tenant) -> None:
    mine = disabled_mfa(tenant)
    disabled_mfa(TenantFactory())
    actor = Actor.person(person(Role.ENGINEER, tenant=tenant), "page")
    assert list(selectors.visible_changes(actor)) == [mine]
    assert list(selectors.visible_changes(actor, Action.TRIAGE)) == [mine]
    assert not selectors.visible_changes(actor, Action.APPROVE_ROLLBACK).exists()
    assert not selectors.visible_changes(Actor.person(person(), "page")).exists()


def test_a_change_reads_as_the_contract_says(tenant: Tenant) -> None:
    change = disabled_mfa(tenant)
    attributed(change, "eve@example.com", 90, country="RU", country_source="sign-in")
    (reported,) = selectors.as_json(selectors.with_details(Change.objects.all()))
    assert reported.keys() >= CONTRACT
    assert (reported["id"], reported["kind"], reported["severity"]) == (change.pk, "updated", "critical")
    assert reported["patch"] == [{"op": "replace", "path": "/state", "value": "disabled"}]
    assert reported["findings"]
    for finding in reported["findings"]:
        assert finding.keys() >= {"rule", "severity", "reason", "technique"}
    attribution = reported["attribution"]
    assert {key: attribution[key] for key in ("actor", "actor_type", "ip", "country", "country_source")} == {
        "actor": "eve@example.com",
        "actor_type": "user",
        "ip": "203.0.113.7",
        "country": "RU",
        "country_source": "sign-in",
    }
    assert (attribution["audit_event_id"], attribution["confidence"]) == ("event of eve@example.com", "high")
    assert reported["occurred_at"] is not None


def test_a_change_without_attribution_says_so(tenant: Tenant) -> None:
    disabled_mfa(tenant)
    (reported,) = selectors.as_json(selectors.with_details(Change.objects.all()))
    assert reported["attribution"] is None
    assert reported["occurred_at"] is None
    assert reported["acknowledged"] is False


def test_the_best_attribution_is_the_highest_score_and_of_equals_the_latest_event(tenant: Tenant) -> None:
    change = disabled_mfa(tenant)
    now = timezone.now()
    attributed(change, "low", 40, occurred_at=now)
    attributed(change, "early", 80, occurred_at=now - timedelta(minutes=5))
    late = attributed(change, "late", 80, occurred_at=now - timedelta(minutes=1))
    assert selectors.best_attribution(change) == late


def test_documents_and_difference_are_those_of_the_change(tenant: Tenant) -> None:
    change = disabled_mfa(tenant)
    before, after = selectors.documents_of(change)
    assert before is not None
    assert after is not None
    assert (before["state"], after["state"]) == ("enabled", "disabled")
    assert patched(selectors.difference_of(change).patch, before) == after


@pytest.mark.parametrize("created", [True, False])
def test_a_side_that_does_not_exist_is_none(tenant: Tenant, created: bool) -> None:
    empty: dict[str, Any] = {"conditionalAccessPolicy": {}}
    full = {"conditionalAccessPolicy": {MFA_POLICY_ID: mfa_policy()}}
    (change,) = detected(tenant, empty, full) if created else detected(tenant, full, empty)
    before, after = selectors.documents_of(change)
    assert (before is None, after is None) == (created, not created)
    (reported,) = selectors.as_json([change])
    assert reported["kind"] == ("created" if created else "deleted")
    assert reported["patch"]


def test_changes_of_several_tenants_are_told_with_their_own_contents(tenant: Tenant) -> None:
    other: Tenant = TenantFactory()
    changes = [disabled_mfa(tenant), disabled_mfa(other)]
    assert [reported["tenant"] for reported in selectors.as_json(changes)] == [tenant.name, other.name]


def test_showing_many_changes_takes_a_fixed_number_of_queries(
    committed_db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    tenant: Tenant = TenantFactory()
    names = range(12)
    state = {"namedLocation": {f"l{name}": {"displayName": f"L{name}"} for name in names}}
    assert Coverage.objects.count() == 0
    detected(tenant, {"namedLocation": {}}, state)
    with django_assert_num_queries(6):
        assert len(selectors.as_json(selectors.with_details(Change.objects.all()))) == 12
