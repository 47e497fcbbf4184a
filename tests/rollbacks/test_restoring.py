"""What an intruder does to each kind of resource, undone: the tenant reads as it did, new ids aside."""

from collections.abc import Callable

import pytest

from rollbacks import services
from rollbacks.approvals import signatures
from rollbacks.models import Remapping, Rollback
from rollbacks.selection.request import NothingToDo
from rollbacks.states import State
from snapshots.models import Snapshot
from tests.factories.rollbacks import digest_of
from tests.rollbacks.conftest import CONTAINER, LOCATIONS, POLICIES, Scene, acting

STRENGTHS = "/v1.0/policies/authenticationStrengthPolicies"
METHODS = "/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations"
GROUPS, DELETED = "/v1.0/groups", "/v1.0/directory/deletedItems"
APPLICATIONS, PRINCIPALS = "/v1.0/applications", "/v1.0/servicePrincipals"
ROLES = "/v1.0/roleManagement/directory"
OBJECTS = "https://graph.microsoft.com/v1.0/directoryObjects"


def weaken_a_strength(scene: Scene) -> None:
    strength = scene.named(STRENGTHS, "Administrators")
    combinations = [*strength["allowedCombinations"], "password,sms"]
    path = f"{STRENGTHS}/{strength['id']}/updateAllowedCombinations"
    scene.intrude("POST", path, {"allowedCombinations": combinations})


def delete_a_strength_for_good(scene: Scene) -> None:
    strength, policy = scene.named(STRENGTHS, "Administrators"), scene.named(POLICIES, "CA004")
    weaker = {"grantControls": {"operator": "OR", "builtInControls": ["mfa"], "authenticationStrength": None}}
    scene.intrude("PATCH", f"{POLICIES}/{policy['id']}", weaker)
    scene.intrude("DELETE", f"{STRENGTHS}/{strength['id']}")


def enable_text_messages(scene: Scene) -> None:
    kind = "#microsoft.graph.smsAuthenticationMethodConfiguration"
    scene.intrude("PATCH", f"{METHODS}/Sms", {"@odata.type": kind, "state": "enabled"})


def change_a_groups_members(scene: Scene) -> None:
    group = scene.named(GROUPS, "Break-Glass")
    members = scene.read(f"{GROUPS}/{group['id']}/members")["value"]
    outsider = scene.named("/v1.0/users", "Lena")
    scene.intrude("DELETE", f"{GROUPS}/{group['id']}/members/{members[0]['id']}/$ref")
    scene.intrude(
        "POST", f"{GROUPS}/{group['id']}/members/$ref", {"@odata.id": f"{OBJECTS}/{outsider['id']}"}
    )


def delete_a_group(scene: Scene) -> None:
    scene.intrude("DELETE", f"{GROUPS}/{scene.named(GROUPS, 'Fleet Team')['id']}")


def delete_a_group_for_good(scene: Scene) -> None:
    group = scene.named(GROUPS, "Fleet Team")
    scene.intrude("DELETE", f"{GROUPS}/{group['id']}")
    scene.intrude("DELETE", f"{DELETED}/{group['id']}")


def delete_an_application_and_its_service_principal(scene: Scene) -> None:
    scene.intrude("DELETE", f"{APPLICATIONS}/{scene.named(APPLICATIONS, 'Route Planner')['id']}")


def add_a_secret(scene: Scene) -> None:
    app = scene.named(APPLICATIONS, "Telematics")
    body = {"passwordCredential": {"displayName": "backdoor"}}
    scene.intrude("POST", f"{APPLICATIONS}/{app['id']}/addPassword", body)


def make_an_app_administrator(scene: Scene) -> None:
    app = scene.named(PRINCIPALS, "Freight")
    body = {
        "principalId": app["id"],
        "roleDefinitionId": "62e90394-69f5-4237-9190-012177145e10",
        "directoryScopeId": "/",
    }
    scene.intrude("POST", f"{ROLES}/roleAssignments", body)


def take_a_role_away(scene: Scene) -> None:
    helpdesk = scene.named(f"{ROLES}/roleDefinitions?$top=999", "Helpdesk Administrator")
    given = scene.read(f"{ROLES}/roleAssignments")["value"]
    held = next(each for each in given if each["roleDefinitionId"] == helpdesk["id"])
    scene.intrude("DELETE", f"{ROLES}/roleAssignments/{held['id']}")


def plant_an_app(scene: Scene) -> None:
    app = scene.intrude("POST", APPLICATIONS, {"displayName": "Invoice Helper"})
    principal = scene.intrude("POST", PRINCIPALS, {"appId": app["appId"]})
    graph = next(
        each
        for each in scene.read(PRINCIPALS)["value"]
        if each["appId"] == "00000003-0000-0000-c000-000000000000"
    )
    role = next(each for each in graph["appRoles"] if each["value"] == "Mail.ReadWrite")
    body = {"principalId": principal["id"], "resourceId": graph["id"], "appRoleId": role["id"]}
    scene.intrude("POST", f"{PRINCIPALS}/{graph['id']}/appRoleAssignedTo", body)


ATTACKS: tuple[tuple[Callable[[Scene], None], tuple[str, ...]], ...] = (
    (weaken_a_strength, ("authenticationStrengthPolicy",)),
    (delete_a_strength_for_good, ("authenticationStrengthPolicy", "conditionalAccessPolicy")),
    (enable_text_messages, ("authenticationMethodConfiguration",)),
    (change_a_groups_members, ("group",)),
    (delete_a_group, ("group",)),
    (delete_a_group_for_good, ("group",)),
    (
        delete_an_application_and_its_service_principal,
        ("application", "servicePrincipal", "oAuth2PermissionGrant", "appRoleAssignment"),
    ),
    (add_a_secret, ("application",)),
    (make_an_app_administrator, ("unifiedRoleDefinition", "unifiedRoleAssignment")),
    (take_a_role_away, ("unifiedRoleDefinition", "unifiedRoleAssignment")),
    (plant_an_app, ("application", "servicePrincipal", "appRoleAssignment")),
)


@pytest.mark.parametrize(("attack", "types"), ATTACKS, ids=[attack.__name__ for attack, _ in ATTACKS])
def test_what_was_done_to_it_is_undone(
    scene: Scene, attack: Callable[[Scene], None], types: tuple[str, ...]
) -> None:
    scene.observe(*types)
    attack(scene)
    changes = scene.observe(*types)
    assert changes
    done = scene.execute(scene.approved(changes))
    assert (done.outcome, done.verification.get("differs"), done.message) == (
        State.VERIFIED,
        [],
        done.message,
    )
    assert scene.observe(*types)
    assert not done.message.startswith("0 ")


def test_going_back_to_a_snapshot_deletes_what_came_since_and_restores_what_went(scene: Scene) -> None:
    types = ("conditionalAccessPolicy", "namedLocation")
    scene.observe(*types)
    before = Snapshot.objects.get()
    scene.intrude("DELETE", f"{POLICIES}/{scene.named(POLICIES, 'CA006')['id']}")
    added = scene.intrude(
        "POST",
        LOCATIONS,
        {
            "@odata.type": "#microsoft.graph.ipNamedLocation",
            "displayName": "Everywhere",
            "isTrusted": True,
            "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "198.51.100.0/24"}],
        },
    )
    scene.observe(*types)
    rollback = services.plan_rollback(acting(scene.requester), tenant=scene.tenant, snapshot=before.pk)
    for approver in scene.approvers:
        services.approve(acting(approver), rollback=rollback, digest=digest_of(rollback))
    assert scene.execute(rollback).outcome == State.VERIFIED
    assert added["id"] not in {each["id"] for each in scene.read(LOCATIONS)["value"]}
    assert scene.named(POLICIES, "CA006")["state"] == "enabled"


def test_nothing_to_roll_back_is_said_and_leaves_no_rollback(scene: Scene) -> None:
    scene.observe("namedLocation")
    office = scene.named(LOCATIONS, "Hannover")
    path = f"{LOCATIONS}/{office['id']}"
    scene.intrude("PATCH", path, {"@odata.type": office["@odata.type"], "displayName": "Moved"})
    changes = scene.observe("namedLocation")
    scene.intrude("PATCH", path, {"@odata.type": office["@odata.type"], "displayName": office["displayName"]})
    with pytest.raises(NothingToDo, match="already matches"):
        scene.plan(changes)
    assert not Rollback.objects.exists()


def test_planning_again_voids_the_approvals_and_takes_the_tenant_as_it_is_now(scene: Scene) -> None:
    scene.observe("conditionalAccessPolicy")
    policy = scene.named(POLICIES, "CA001")
    path = f"{POLICIES}/{policy['id']}"
    scene.intrude("PATCH", path, {"state": "disabled"})
    rollback = scene.approved(scene.observe("conditionalAccessPolicy"))
    scene.intrude("PATCH", path, {"displayName": "Renamed meanwhile"})
    scene.execute(rollback)
    repeated = Rollback.objects.get(pk=rollback.pk)
    assert repeated.state == State.STALE
    services.replan(acting(scene.requester), rollback=repeated)
    repeated = Rollback.objects.get(pk=rollback.pk)
    assert (repeated.state, repeated.plans.count()) == (State.AWAITING_APPROVAL, 2)
    with pytest.raises(signatures.NotApproved):
        services.execute(acting(scene.engineer), rollback=repeated)
    for approver in scene.approvers:
        services.approve(acting(approver), rollback=repeated, digest=digest_of(repeated))
    scene.execute(repeated)
    assert scene.read(path)["displayName"] == policy["displayName"]
    assert not Remapping.objects.exists()


def test_a_plan_without_a_writer_connection_may_be_read_but_not_applied(scene: Scene) -> None:
    scene.observe("conditionalAccessPolicy")
    path = f"{POLICIES}/{scene.named(POLICIES, 'CA001')['id']}"
    scene.intrude("PATCH", path, {"state": "disabled"})
    changes = scene.observe("conditionalAccessPolicy")
    scene.tenant.connections.filter(purpose="writer").delete()
    rollback = scene.plan(changes)
    assert rollback.plan is not None
    assert not rollback.plan.applicable
    assert any("has no writer connection" in warning for warning in rollback.plan.warnings)
    assert Rollback.objects.get().state == State.DRAFT


def test_a_container_that_may_not_be_looked_into_means_creating_anew(scene: Scene) -> None:
    scene.observe("conditionalAccessPolicy")
    policy = scene.named(POLICIES, "CA003")
    scene.intrude("DELETE", f"{POLICIES}/{policy['id']}")
    changes = scene.observe("conditionalAccessPolicy")
    refusal = {"error": {"code": "AccessDenied", "message": "Not supported for applications."}}
    scene.cloud.faults.add("answer", method="GET", path=CONTAINER, status=403, body=refusal, times=99)
    assert scene.execute(scene.approved(changes)).outcome == State.VERIFIED
    assert scene.named(POLICIES, "CA003")["id"] != policy["id"]
