"""What no plan may do, whoever approves it: shut ourselves out, or leave a tenant without an administrator."""

from typing import Any

import pytest

from rollbacks.guards import safety
from rollbacks.planning.model import Effect, EffectKind, PlanDraft, PlannedRequest, PlannedStep, StepKind
from tenants.microsoft.request import Request
from tenants.models import AppRegistration, Connection, Tenant
from tests.factories.snapshots import take
from tests.factories.tenants import TenantFactory

GLOBAL_ADMINISTRATOR = safety.GLOBAL_ADMINISTRATOR
OURS, OUR_PRINCIPAL = "11111111-1111-1111-1111-111111111111", "99999999-1111-1111-1111-111111111111"
THEIRS = "22222222-2222-2222-2222-222222222222"


def assignment(principal: str, scope: str = "/", role: str = GLOBAL_ADMINISTRATOR) -> dict[str, Any]:
    return {"principalId": principal, "roleDefinitionId": role, "directoryScopeId": scope}


@pytest.fixture
def tenant(db: None) -> Tenant:
    """One Global Administrator (`only`), one who is it within a unit alone, and our own app."""
    tenant: Tenant = TenantFactory()
    registration = AppRegistration.objects.create(
        tenant=tenant, client_id=OURS, name="ours", credential_kind="secret", sealed_credential=b"sealed"
    )
    Connection.objects.create(tenant=tenant, purpose="reader", app_registration=registration)
    take(
        tenant,
        {
            "unifiedRoleAssignment": {
                "only": {"id": "only", **assignment("a")},
                "unit": {"id": "unit", **assignment("b", scope="/administrativeUnits/u")},
            },
            "servicePrincipal": {
                OUR_PRINCIPAL: {"id": OUR_PRINCIPAL, "appId": OURS, "displayName": "Lavawall"},
                THEIRS: {"id": THEIRS, "appId": THEIRS, "displayName": "Another"},
            },
        },
    )
    return tenant


def step(kind: StepKind, resource_type: str, resource_id: str, **facts: Any) -> PlannedStep:
    values: dict[str, Any] = {"target": None, "requests": (), "explanation": "", "display_name": "it"}
    return PlannedStep(
        order=1, kind=kind, resource_type=resource_type, resource_id=resource_id, **{**values, **facts}
    )


def reported(tenant: Tenant, *steps: PlannedStep) -> list[str]:
    return safety.blockers(tenant, PlanDraft(steps, ()))


def deletion(resource_id: str = "only") -> PlannedStep:
    return step(StepKind.DELETE, "unifiedRoleAssignment", resource_id, expected=assignment("a"))


def test_the_last_global_administrator_stays(tenant: Tenant) -> None:
    assert "last Global Administrator" in reported(tenant, deletion())[0]


def test_one_of_several_global_administrators_may_go(tenant: Tenant) -> None:
    assert reported(tenant, deletion("another")) == []


def test_a_plan_that_brings_another_administrator_back_may_remove_the_present_one(tenant: Tenant) -> None:
    repeated = step(StepKind.RECREATE, "unifiedRoleAssignment", "old", target=assignment("c"))
    assert reported(tenant, deletion(), repeated) == []
    lesser = step(StepKind.RECREATE, "unifiedRoleAssignment", "old", target=assignment("c", role="other"))
    assert reported(tenant, deletion(), lesser)


SCHEDULES = ["unifiedRoleEligibilitySchedule", "unifiedRoleAssignmentSchedule"]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_who_may_take_the_role_or_has_it_for_a_time_is_no_administrator_to_rely_on(
    tenant: Tenant, schedule: str
) -> None:
    repeated = step(StepKind.RECREATE, schedule, "old", target=assignment("c"))
    assert "last Global Administrator" in reported(tenant, deletion(), repeated)[0]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_schedule_of_the_role_may_go(tenant: Tenant, schedule: str) -> None:
    assert reported(tenant, step(StepKind.DELETE, schedule, "x", expected=assignment("c"))) == []


@pytest.mark.parametrize("resource_type", ["application", "servicePrincipal"])
@pytest.mark.parametrize(("app_id", "blocked"), [(OURS, True), (OURS.upper(), True), (THEIRS, False)])
def test_our_own_app_is_neither_deleted_nor_disabled(
    tenant: Tenant, resource_type: str, app_id: str, *, blocked: bool
) -> None:
    document = {"appId": app_id, "accountEnabled": True}
    gone = step(StepKind.DELETE, resource_type, "x", expected=document)
    disabled = step(
        StepKind.UPDATE,
        resource_type,
        "x",
        expected=document,
        target={**document, "accountEnabled": False},
    )
    renamed = step(StepKind.UPDATE, resource_type, "x", expected=document, target={**document, "notes": "n"})
    assert [bool(reported(tenant, each)) for each in (gone, disabled, renamed)] == [blocked, blocked, False]


@pytest.mark.parametrize(("app_id", "blocked"), [(OURS, True), (THEIRS, False)])
def test_no_credential_is_taken_from_our_own_app(tenant: Tenant, app_id: str, *, blocked: bool) -> None:
    """It may be the one that we sign in with: its rotation came after the snapshot that is gone back to."""
    removal = PlannedRequest(
        Request("POST", "/v1.0/applications/x/removePassword", body={"keyId": "k"}),
        Effect(EffectKind.REMOVE, of="passwordCredentials", elements=({"keyId": "k"},)),
    )
    document = {"appId": app_id}
    taken = step(StepKind.UPDATE, "application", "x", expected=document, target=document, requests=(removal,))
    assert bool(reported(tenant, taken)) is blocked


@pytest.mark.parametrize(("principal", "blocked"), [(OUR_PRINCIPAL, True), (THEIRS, False)])
def test_no_permission_is_taken_from_our_own_app(tenant: Tenant, principal: str, *, blocked: bool) -> None:
    taken = step(StepKind.DELETE, "appRoleAssignment", "x", expected={"principalId": principal})
    assert bool(reported(tenant, taken)) is blocked


@pytest.mark.parametrize(("app_id", "blocked"), [(OURS, True), (THEIRS, False)])
def test_a_list_of_certificates_written_whole_takes_none_from_our_own_app(
    tenant: Tenant, app_id: str, *, blocked: bool
) -> None:
    have = {"appId": app_id, "keyCredentials": [{"keyId": "old"}, {"keyId": "rotated"}]}
    less = {"appId": app_id, "keyCredentials": [{"keyId": "old"}]}
    taken = step(StepKind.UPDATE, "application", "x", expected=have, target=less)
    given = step(StepKind.UPDATE, "application", "x", expected=less, target=have)
    assert (bool(reported(tenant, taken)), bool(reported(tenant, given))) == (blocked, False)


def test_no_directory_role_is_taken_from_our_own_principal(tenant: Tenant) -> None:
    role = assignment(OUR_PRINCIPAL, role="another")
    assert (
        "own app" in reported(tenant, step(StepKind.DELETE, "unifiedRoleAssignment", "r", expected=role))[0]
    )


def policy(state: str = "enabled", *, control: str = "block", **conditions: Any) -> PlannedStep:
    everybody = {
        "users": {"includeUsers": ["All"]},
        "applications": {"includeApplications": ["All"]},
        "clientAppTypes": ["all"],
    }
    document = {
        "state": state,
        "conditions": {**everybody, **conditions},
        "grantControls": {"operator": "OR", "builtInControls": [control]},
    }
    return step(StepKind.ENFORCE, "conditionalAccessPolicy", "p", target=document)


def test_no_policy_is_enforced_that_blocks_everybody_from_everything(tenant: Tenant) -> None:
    assert "would block all users" in reported(tenant, policy())[0]


@pytest.mark.parametrize(
    "harmless",
    [
        policy("enabledForReportingButNotEnforced"),
        policy("disabled"),
        policy(control="mfa"),
        policy(users={"includeUsers": ["All"], "excludeUsers": ["emergency"]}),
        policy(applications={"includeApplications": ["app"]}),
        policy(clientAppTypes=["other"]),
        policy(locations={"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}),
    ],
)
def test_a_policy_that_leaves_a_way_in_is_enforced(tenant: Tenant, harmless: PlannedStep) -> None:
    assert reported(tenant, harmless) == []


@pytest.mark.parametrize(
    ("included", "excluded", "blocked"),
    [
        ([OUR_PRINCIPAL], [], True),
        (["ServicePrincipalsInMyTenant"], [], True),
        (["ServicePrincipalsInMyTenant"], [OUR_PRINCIPAL], False),
        ([THEIRS], [], False),
    ],
)
def test_no_policy_is_enforced_that_blocks_our_own_principal(
    tenant: Tenant, included: list[str], excluded: list[str], *, blocked: bool
) -> None:
    workloads = {"includeServicePrincipals": included, "excludeServicePrincipals": excluded}
    enforced = policy(users={"includeUsers": ["None"]}, clientApplications=workloads)
    assert bool(reported(tenant, enforced)) is blocked
    outside = {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}
    users = {"includeUsers": ["None"]}
    assert reported(tenant, policy(users=users, clientApplications=workloads, locations=outside)) == []


def test_the_last_group_of_global_administrators_is_neither_deleted_nor_emptied(tenant: Tenant) -> None:
    """The only assignment of the role is to `a`, here a group."""
    full, empty = {"members": [{"id": "m"}]}, {"displayName": "Administrators"}
    gone = step(StepKind.DELETE, "group", "a", expected=full)
    emptied = step(StepKind.UPDATE, "group", "a", expected=full, target=empty)
    fewer = step(StepKind.UPDATE, "group", "a", expected={"members": [{"id": "m"}, {"id": "n"}]}, target=full)
    another = step(StepKind.DELETE, "group", "b", expected=full)
    assert [bool(reported(tenant, each)) for each in (gone, emptied, fewer, another)] == [
        True,
        True,
        False,
        False,
    ]
    repeated = step(StepKind.RECREATE, "unifiedRoleAssignment", "old", target=assignment("c"))
    assert reported(tenant, gone, repeated) == []
