"""Acknowledging a change: once, by somebody who may, with an entry in the ledger."""

import pytest

from changes import services
from changes.models import Acknowledgement, Change
from changes.services import AlreadyAcknowledged
from tenants.access.actors import Actor
from tenants.access.matrix import Action, Role
from tenants.access.permissions import NotVisible, Refused
from tenants.models import LedgerEntry
from tests.factories.changes import disabled_mfa
from tests.factories.tenants import TenantFactory, UserFactory, person


@pytest.fixture
def change(db: None) -> Change:
    return disabled_mfa(TenantFactory())


def test_an_acknowledgement_says_who_and_what_and_is_in_the_ledger(change: Change) -> None:
    user = person(Role.ENGINEER, tenant=change.tenant)
    services.acknowledge(Actor.person(user, "page"), change=change, note="planned work")
    stored = Acknowledgement.objects.get()
    assert (stored.change, stored.by, stored.note) == (change, user, "planned work")
    entry = LedgerEntry.objects.get(action="change:acknowledge")
    assert (entry.actor, entry.tenant_id, entry.target) == (
        user.username,
        change.tenant_id,
        f"change {change.pk}",
    )


def test_the_second_to_acknowledge_is_told_who_was_first(change: Change) -> None:
    first, second = person(Role.ENGINEER), person(Role.ENGINEER)
    services.acknowledge(Actor.person(first, "page"), change=change)
    with pytest.raises(AlreadyAcknowledged, match=first.username):
        services.acknowledge(Actor.person(second, "page"), change=change, note="mine")
    assert Acknowledgement.objects.get().by == first
    assert LedgerEntry.objects.filter(action="change:acknowledge").count() == 1


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ENGINEER])
def test_only_engineers_acknowledge(change: Change, role: Role) -> None:
    with pytest.raises(Refused, match="triage"):
        services.acknowledge(Actor.person(person(role, tenant=change.tenant), "page"), change=change)
    assert not Acknowledgement.objects.exists()


def test_a_change_out_of_sight_does_not_exist(change: Change) -> None:
    for user in (UserFactory(), person(Role.ENGINEER, tenant=TenantFactory())):
        with pytest.raises(NotVisible):
            services.acknowledge(Actor.person(user, "page"), change=change)


def test_the_system_acknowledges_nothing(change: Change) -> None:
    with pytest.raises(Refused, match="Only a person"):
        services.acknowledge(Actor.system("test", *Action), change=change)
