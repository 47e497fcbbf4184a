"""What a rollback goes back to: chosen changes, an actor's window, a snapshot; and what it says it also undoes."""

from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from changes.models import Change
from lavawall.emulator.attack import StolenSession
from rollbacks import services
from rollbacks.models import Plan, Rollback
from rollbacks.selection.request import NothingToDo
from snapshots.models import Snapshot
from tenants.access.matrix import Role
from tenants.microsoft.errors import MicrosoftError
from tenants.trust.append_only import retention_gate
from tests.factories.cloud import onboarded
from tests.factories.rollbacks import digest_of
from tests.factories.tenants import bind
from tests.rollbacks.conftest import LOCATIONS, POLICIES, Scene, acting

APPLICATIONS, PRINCIPALS = "/v1.0/applications", "/v1.0/servicePrincipals"
CA = ("conditionalAccessPolicy", "namedLocation")


def as_administrator(scene: Scene, number: int, method: str, path: str, body: dict[str, Any]) -> str:
    """One act of one of the tenant's own administrators; who it was."""
    admin = scene.cloud.tenants[scene.tenant.name].admins[number]
    session = StolenSession(
        login_url=scene.cloud.url,
        graph_url=scene.cloud.url,
        directory_id=str(scene.tenant.directory_id),
        user=admin.user_principal_name,
        password=admin.password,
        ip="198.51.100.7",
        verify=scene.cloud.ca_file,
    )
    with closing(session):
        session.send(method, path.removeprefix("/v1.0").removeprefix("/beta"), body)
    return admin.user_principal_name


def plan_of(rollback: Rollback) -> Plan:
    assert rollback.plan is not None
    return rollback.plan


def back_to(scene: Scene, snapshot: Snapshot, **facts: Any) -> Rollback:
    return services.plan_rollback(acting(scene.requester), tenant=scene.tenant, snapshot=snapshot.pk, **facts)


def by(scene: Scene, name: str, **facts: Any) -> Rollback:
    window = {"since": timezone.now() - timedelta(hours=1), "until": timezone.now() + timedelta(hours=1)}
    return services.plan_rollback(
        acting(scene.requester), tenant=scene.tenant, actor_name=name, **{**window, **facts}
    )


@pytest.fixture
def two_actors(scene: Scene) -> tuple[str, str, str]:
    """The thief switches a policy off and renames another; a colleague then works on the first. Both names, and
    the first policy's id.
    """
    first, second = scene.named(POLICIES, "CA001"), scene.named(POLICIES, "CA003")
    scene.observe(*CA)
    thief = as_administrator(scene, 0, "PATCH", f"{POLICIES}/{first['id']}", {"state": "disabled"})
    as_administrator(scene, 0, "PATCH", f"{POLICIES}/{second['id']}", {"displayName": "CA003: mine"})
    scene.observe(*CA)
    colleague = as_administrator(scene, 1, "PATCH", f"{POLICIES}/{first['id']}", {"displayName": "CA001b"})
    scene.observe(*CA)
    return thief, colleague, str(first["id"])


def test_an_actors_window_holds_what_he_did_and_warns_of_what_others_did_afterwards(
    scene: Scene, two_actors: tuple[str, str, str]
) -> None:
    thief, colleague, policy_id = two_actors
    plan = plan_of(by(scene, thief.upper()))
    assert {step.resource_id for step in plan.steps.all()} >= {policy_id}
    assert plan.steps.values("resource_id").distinct().count() == 2
    (reported,) = [warning for warning in plan.warnings if "changed again later" in warning]
    assert colleague in reported
    assert "is also undone" in reported
    assert str(Change.objects.latest("pk").pk) in reported


def test_another_actors_window_goes_back_to_what_he_found_and_no_further(
    scene: Scene, two_actors: tuple[str, str, str]
) -> None:
    _, colleague, policy_id = two_actors
    rollback = by(scene, colleague)
    assert not [warning for warning in plan_of(rollback).warnings if "changed again later" in warning]
    for approver in scene.approvers:
        services.approve(acting(approver), rollback=rollback, digest=digest_of(rollback))
    assert scene.execute(rollback).outcome == "verified"
    restored = scene.read(f"{POLICIES}/{policy_id}")
    assert restored["displayName"].startswith("CA001: ")
    assert restored["state"] == "disabled"


@pytest.mark.parametrize(
    "facts",
    [
        {"since": timezone.now() - timedelta(days=9), "until": timezone.now() - timedelta(days=8)},
        {"actor_name": "nobody@example.com"},
    ],
)
def test_an_empty_window_is_said_and_stores_nothing(
    scene: Scene, two_actors: tuple[str, str, str], facts: dict[str, Any]
) -> None:
    with pytest.raises(NothingToDo, match="attributed"):
        by(
            scene,
            **{"name": two_actors[0], **{key.replace("actor_", ""): each for key, each in facts.items()}},
        )
    assert not Rollback.objects.exists()


def graded_critical(change: Change) -> None:
    """As a later pass of the rules may grade it."""
    with retention_gate("test"):
        Change.objects.filter(pk=change.pk).update(severity="critical")


def test_a_critical_change_that_is_undone_unasked_raises_the_approvals(
    scene: Scene, two_actors: tuple[str, str, str]
) -> None:
    scene.tenant.required_approvals_critical = 3
    scene.tenant.save()
    chosen = Change.objects.filter(resource_id=two_actors[2]).earliest("pk")
    assert plan_of(scene.plan([chosen])).required_approvals == 2
    graded_critical(Change.objects.filter(resource_id=two_actors[2]).latest("pk"))
    assert plan_of(scene.plan([chosen])).required_approvals == 3


def test_going_back_to_a_snapshot_asks_for_as_many_approvals_as_the_changes_it_undoes(
    scene: Scene, two_actors: tuple[str, str, str]
) -> None:
    scene.tenant.required_approvals_critical = 3
    scene.tenant.save()
    graded_critical(Change.objects.latest("pk"))
    plan = plan_of(back_to(scene, Snapshot.objects.earliest("pk")))
    assert plan.required_approvals == 3
    assert set(Change.objects.filter(steps__plan=plan)) == set(Change.objects.all())


def test_a_snapshot_is_gone_back_to_for_one_type_or_one_resource_alone(
    scene: Scene, two_actors: tuple[str, str, str]
) -> None:
    first = Snapshot.objects.earliest("pk")
    location = scene.named(LOCATIONS, "Hannover")
    kind = location["@odata.type"]
    scene.intrude("PATCH", f"{LOCATIONS}/{location['id']}", {"@odata.type": kind, "displayName": "Hidden"})
    scene.observe(*CA)
    of_type = plan_of(back_to(scene, first, resource_type="namedLocation"))
    assert {step.resource_id for step in of_type.steps.all()} == {location["id"]}
    of_one = plan_of(
        back_to(scene, first, resource_type="conditionalAccessPolicy", resource_id=two_actors[2])
    )
    assert {step.resource_id for step in of_one.steps.all()} == {two_actors[2]}
    assert plan_of(back_to(scene, first)).steps.values("resource_id").distinct().count() == 3


def test_what_appeared_since_stays_where_its_type_was_not_read_then_and_the_plan_says_so(
    scene: Scene,
) -> None:
    scene.observe(*CA)
    scene.observe("conditionalAccessPolicy")
    half = Snapshot.objects.latest("pk")
    body = {
        "@odata.type": "#microsoft.graph.countryNamedLocation",
        "displayName": "New",
        "countriesAndRegions": ["NZ"],
    }
    scene.intrude("POST", LOCATIONS, body)
    path = f"{POLICIES}/{scene.named(POLICIES, 'CA001')['id']}"
    scene.intrude("PATCH", path, {"state": "disabled"})
    scene.observe(*CA)
    plan = plan_of(back_to(scene, half))
    assert [step.kind for step in plan.steps.all()] == ["update"]
    assert any("Named locations were not completely read" in warning for warning in plan.warnings)
    with pytest.raises(NothingToDo, match="are not deleted"):
        back_to(scene, half, resource_type="namedLocation")


def test_an_application_brings_its_service_principal_back_though_nobody_chose_it(scene: Scene) -> None:
    types = ("application", "servicePrincipal")
    scene.observe(*types)
    app, principal = scene.named(APPLICATIONS, "Freight"), scene.named(PRINCIPALS, "Freight")
    scene.intrude("DELETE", f"{APPLICATIONS}/{app['id']}")
    changes = scene.observe(*types)
    assert len(changes) == 2
    rollback = scene.approved([change for change in changes if change.resource_type == "application"])
    explained = plan_of(rollback).steps.filter(resource_type="servicePrincipal")
    assert "cannot be used without it" in explained.earliest("order").explanation
    assert scene.execute(rollback).outcome == "verified"
    assert scene.named(PRINCIPALS, "Freight")["id"] == principal["id"]


def test_changes_of_another_tenant_are_refused_however_they_are_handed_over(scene: Scene) -> None:
    scene.observe("namedLocation")
    location = scene.named(LOCATIONS, "Hannover")
    scene.intrude("DELETE", f"{LOCATIONS}/{location['id']}")
    changes = scene.observe("namedLocation")
    other = onboarded(scene.cloud, "Aurora Labs")
    admin = acting(scene.requester)
    bind(scene.requester, Role.ENGINEER, tenant=other)
    for handed in (changes, iter(changes), (change for change in changes)):
        with pytest.raises(NothingToDo):
            services.plan_rollback(admin, tenant=other, changes=handed)


def test_a_tenant_that_cannot_be_read_stores_no_plan(scene: Scene) -> None:
    scene.observe("namedLocation")
    scene.intrude("DELETE", f"{LOCATIONS}/{scene.named(LOCATIONS, 'Hannover')['id']}")
    changes = scene.observe("namedLocation")
    refusal = {"error": {"code": "Forbidden", "message": "Not any more."}}
    scene.cloud.faults.add("answer", method="GET", path="namedLocations", status=403, body=refusal, times=99)
    with pytest.raises(MicrosoftError, match="Not any more"):
        scene.plan(changes)
    assert not Rollback.objects.exists()
