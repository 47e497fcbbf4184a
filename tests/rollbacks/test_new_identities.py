"""Objects that can only come back under a new id: everything that named the old one names the new one afterwards."""

from typing import Any

import pytest

from rollbacks import selectors, services
from rollbacks.models import Execution
from rollbacks.selection.request import NothingToDo
from snapshots.catalog import registry
from snapshots.models import Snapshot
from tests.rollbacks.conftest import CONTAINER, LOCATIONS, POLICIES, Scene, acting

APPLICATIONS, PRINCIPALS = "/v1.0/applications", "/v1.0/servicePrincipals"
GROUPS, ROLES = "/v1.0/groups", "/v1.0/roleManagement/directory"
DELETED = "/v1.0/directory/deletedItems"
METHODS = "/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations"
USER_ADMINISTRATOR = "fe930be7-5e62-47db-91af-98c3a49a38b1"
SAID = frozenset({"passwordCredentials"})
"""What a plan says is lost; Microsoft adds the new application id to a service principal's names by itself."""
TYPES = tuple(spec.key for spec in registry.all_types())


def undone(scene: Scene, *acts: tuple[Any, ...], lost: frozenset[str] = frozenset()) -> Execution:
    """Somebody's acts, rolled back as one plan; the tenant reads as it did before, remapped ids aside, and aside from
    the properties that the plan said were `lost`.
    """
    scene.observe(*TYPES)
    before = Snapshot.objects.latest("pk")
    for act in acts:
        scene.intrude(*act)
    done = scene.execute(scene.approved(scene.observe(*TYPES)))
    assert done.outcome == "verified", (done.message, done.verification)
    assert lost <= {each["path"] for each in done.verification["losses"]}
    if not lost:
        scene.observe(*TYPES)
        assert selectors.differing(before, Snapshot.objects.latest("pk")) == []
    return done


def new_ids(done: Execution) -> dict[tuple[str, str], str]:
    return {(each.resource_type, each.old_id): each.new_id for each in done.remappings.all()}


def test_an_application_purged_with_its_service_principal_is_named_by_its_new_ids_everywhere(
    scene: Scene,
) -> None:
    app = scene.named(APPLICATIONS, "Telematics")
    principal = scene.named(PRINCIPALS, "Telematics")
    policy = scene.named(POLICIES, "CA006")
    conditions = {
        **policy["conditions"],
        "applications": {"includeApplications": [app["appId"]], "excludeApplications": []},
    }
    scene.intrude("PATCH", f"{POLICIES}/{policy['id']}", {"conditions": conditions})
    scene.intrude(
        "POST",
        f"{ROLES}/roleAssignments",
        {
            "principalId": principal["id"],
            "roleDefinitionId": USER_ADMINISTRATOR,
            "directoryScopeId": "/",
        },
    )
    owners = {each["id"] for each in scene.read(f"{APPLICATIONS}/{app['id']}/owners")["value"]}
    done = undone(
        scene,
        ("DELETE", f"{POLICIES}/{policy['id']}"),
        ("DELETE", f"{APPLICATIONS}/{app['id']}"),
        ("DELETE", f"{DELETED}/{principal['id']}"),
        ("DELETE", f"{DELETED}/{app['id']}"),
        lost=SAID,
    )
    moved = new_ids(done)
    new_app = scene.named(APPLICATIONS, "Telematics")
    assert new_app["appId"] == moved["application", app["appId"]] != app["appId"]
    new_principal = scene.named(PRINCIPALS, "Telematics")
    assert new_principal["appId"] == new_app["appId"]
    restored = scene.named(POLICIES, "CA006")
    assert restored["conditions"]["applications"]["includeApplications"] == [new_app["appId"]]
    given = scene.read(f"{ROLES}/roleAssignments")["value"]
    assert new_principal["id"] in {each["principalId"] for each in given}
    assert {each["id"] for each in scene.read(f"{APPLICATIONS}/{new_app['id']}/owners")["value"]} == owners


SCOPE = {
    "adminConsentDescription": "Read",
    "adminConsentDisplayName": "Read",
    "id": "5f3a1c52-0a52-4d7c-8f0e-3f5c2a1b7d90",
    "isEnabled": True,
    "type": "User",
    "value": "Routes.Read",
}


def gateway(scene: Scene) -> dict[str, Any]:
    """An application with identifiers of its own app id, and a scope that another may use without consent."""
    app = scene.named(APPLICATIONS, "Telematics")
    path = f"{APPLICATIONS}/{app['id']}"
    uris = [f"api://{app['appId']}", f"api://{app['appId']}/routes"]
    client = {
        "appId": scene.named(APPLICATIONS, "Route Planner")["appId"],
        "delegatedPermissionIds": [SCOPE["id"]],
    }
    redirects = {"redirectUris": [f"msal{app['appId']}://auth", "https://routes.example.com/back"]}
    scene.intrude("PATCH", path, {"publicClient": redirects})
    scene.intrude("PATCH", path, {"identifierUris": uris, "api": {"oauth2PermissionScopes": [SCOPE]}})
    allowed = {"oauth2PermissionScopes": [SCOPE], "preAuthorizedApplications": [client]}
    scene.intrude("PATCH", path, {"api": allowed})
    return scene.read(path)


@pytest.mark.exhaustive("one purged application and one purged group show how references follow")
def test_a_scope_is_there_again_before_another_application_may_use_it(scene: Scene) -> None:
    app = gateway(scene)
    path = f"{APPLICATIONS}/{app['id']}"
    undone(
        scene,
        ("PATCH", path, {"api": {"oauth2PermissionScopes": [{**SCOPE, "isEnabled": False}]}}),
        ("PATCH", path, {"api": {"oauth2PermissionScopes": []}}),
    )
    assert scene.read(path)["api"]["preAuthorizedApplications"] == app["api"]["preAuthorizedApplications"]


@pytest.mark.exhaustive("one purged application and one purged group show how references follow")
def test_an_application_created_anew_is_known_by_identifiers_of_its_new_app_id(scene: Scene) -> None:
    app = gateway(scene)
    principal = scene.named(PRINCIPALS, "Telematics")
    undone(
        scene,
        ("DELETE", f"{APPLICATIONS}/{app['id']}"),
        ("DELETE", f"{DELETED}/{principal['id']}"),
        ("DELETE", f"{DELETED}/{app['id']}"),
        lost=SAID,
    )
    repeated = scene.named(APPLICATIONS, "Telematics")
    new = f"api://{repeated['appId']}"
    assert (set(repeated["identifierUris"]), repeated["appId"] != app["appId"]) == (
        {new, f"{new}/routes"},
        True,
    )
    assert repeated["api"]["preAuthorizedApplications"] == app["api"]["preAuthorizedApplications"]
    redirects = repeated["publicClient"]["redirectUris"]
    assert set(redirects) == {f"msal{repeated['appId']}://auth", "https://routes.example.com/back"}


def test_a_purged_group_is_named_by_its_new_id_in_policies_roles_methods_and_other_groups(
    scene: Scene,
) -> None:
    group = scene.named(GROUPS, "IT Administrators")
    everyone = scene.named(GROUPS, "All Staff")
    policy = scene.named(POLICIES, "CA002")
    users = {**policy["conditions"]["users"], "includeGroups": [group["id"]], "includeUsers": []}
    scene.intrude(
        "PATCH", f"{POLICIES}/{policy['id']}", {"conditions": {**policy["conditions"], "users": users}}
    )
    scene.intrude(
        "POST",
        f"{GROUPS}/{everyone['id']}/members/$ref",
        {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{group['id']}"},
    )
    sms = "#microsoft.graph.smsAuthenticationMethodConfiguration"
    target = {"targetType": "group", "id": group["id"], "isRegistrationRequired": False}
    scene.intrude("PATCH", f"{METHODS}/Sms", {"@odata.type": sms, "includeTargets": [target]})
    without = {**policy["conditions"], "users": {**policy["conditions"]["users"], "includeUsers": ["All"]}}
    members = {each["id"] for each in scene.read(f"{GROUPS}/{group['id']}/members")["value"]}
    done = undone(
        scene,
        ("PATCH", f"{POLICIES}/{policy['id']}", {"conditions": without}),
        (
            "PATCH",
            f"{METHODS}/Sms",
            {"@odata.type": sms, "includeTargets": [{**target, "id": "all_users"}]},
        ),
        ("DELETE", f"{GROUPS}/{group['id']}"),
        ("DELETE", f"{DELETED}/{group['id']}"),
    )
    new = new_ids(done)["group", group["id"]]
    assert scene.named(POLICIES, "CA002")["conditions"]["users"]["includeGroups"] == [new]
    assert new in {each["id"] for each in scene.read(f"{GROUPS}/{everyone['id']}/members")["value"]}
    assert {each["id"] for each in scene.read(f"{GROUPS}/{new}/members")["value"]} == members
    assert [each["id"] for each in scene.read(f"{METHODS}/Sms")["includeTargets"]] == [new]
    given = scene.read(f"{ROLES}/roleAssignments")["value"]
    assert new in {each["principalId"] for each in given}


@pytest.mark.exhaustive("one purged application and one purged group show how references follow")
def test_a_custom_role_deleted_with_its_assignment_is_created_and_assigned_again(scene: Scene) -> None:
    role = scene.named(f"{ROLES}/roleDefinitions?$top=999", "Application Support Reader")
    given = scene.read(f"{ROLES}/roleAssignments")["value"]
    held = next(each for each in given if each["roleDefinitionId"] == role["id"])
    undone(
        scene,
        ("DELETE", f"{ROLES}/roleAssignments/{held['id']}"),
        ("DELETE", f"{ROLES}/roleDefinitions/{role['id']}"),
    )
    repeated = scene.named(f"{ROLES}/roleDefinitions?$top=999", "Application Support Reader")
    given = scene.read(f"{ROLES}/roleAssignments")["value"]
    assert {"principalId": held["principalId"], "roleDefinitionId": repeated["id"]}.items() <= {
        key: value
        for each in given
        if each["principalId"] == held["principalId"]
        for key, value in each.items()
    }.items()


def test_a_removed_secret_does_not_come_back_and_the_plan_says_so_before_anybody_signs(scene: Scene) -> None:
    app = scene.named(APPLICATIONS, "Route Planner")
    (secret,) = app["passwordCredentials"]
    scene.observe("application")
    scene.intrude("POST", f"{APPLICATIONS}/{app['id']}/removePassword", {"keyId": secret["keyId"]})
    scene.intrude("PATCH", f"{APPLICATIONS}/{app['id']}", {"notes": "mine now"})
    rollback = scene.plan(scene.observe("application"))
    assert rollback.plan is not None
    assert not rollback.plan.complete
    assert any("a removed secret cannot be restored" in each for each in rollback.plan.warnings)
    assert rollback.plan.applicable


@pytest.mark.exhaustive("one purged application and one purged group show how references follow")
def test_what_nobody_touched_is_re_pointed_when_it_names_a_group_that_comes_back_under_a_new_id(
    scene: Scene,
) -> None:
    group = scene.named(GROUPS, "IT Administrators")
    policy = scene.named(POLICIES, "CA002")
    users = {**policy["conditions"]["users"], "excludeGroups": [group["id"]]}
    scene.intrude(
        "PATCH", f"{POLICIES}/{policy['id']}", {"conditions": {**policy["conditions"], "users": users}}
    )
    done = undone(scene, ("DELETE", f"{GROUPS}/{group['id']}"), ("DELETE", f"{DELETED}/{group['id']}"))
    new = new_ids(done)["group", group["id"]]
    assert scene.named(POLICIES, "CA002")["conditions"]["users"]["excludeGroups"] == [new]


@pytest.mark.exhaustive("one purged application and one purged group show how references follow")
def test_a_policy_comes_back_without_somebody_who_exists_no_more_and_the_plan_says_so(scene: Scene) -> None:
    policy = scene.named(POLICIES, "CA002")
    person = next(
        each for each in scene.read("/v1.0/users")["value"] if "emergency" not in each["userPrincipalName"]
    )
    users = {**policy["conditions"]["users"], "excludeUsers": [person["id"]]}
    conditions = {**policy["conditions"], "users": users}
    scene.intrude("PATCH", f"{POLICIES}/{policy['id']}", {"conditions": conditions})
    scene.observe(*TYPES)
    scene.intrude(
        "PATCH", f"{POLICIES}/{policy['id']}", {"conditions": policy["conditions"], "state": "disabled"}
    )
    changes = scene.observe(*TYPES)
    facts = scene.cloud.tenants[scene.tenant.name]
    granted = [*facts.writer.permissions, "User.ReadWrite.All"]
    scene.cloud.set_permissions(facts.directory_id, facts.writer.client_id, granted)
    scene.intrude("DELETE", f"/v1.0/users/{person['id']}")
    rollback = scene.approved(changes)
    assert rollback.plan is not None
    assert (rollback.plan.complete, rollback.plan.applicable) == (False, True)
    assert any("no longer exists" in warning for warning in rollback.plan.warnings)
    assert scene.execute(rollback).outcome == "verified"
    restored = scene.named(POLICIES, "CA002")
    assert restored["state"] == "enabled"
    assert not restored["conditions"]["users"].get("excludeUsers")


@pytest.mark.exhaustive("one purged application and one purged group show how references follow")
def test_going_back_to_a_snapshot_from_before_a_rollback_knows_what_got_new_ids(scene: Scene) -> None:
    location = scene.named(LOCATIONS, "Blocked")
    policy = scene.named(POLICIES, "CA006")
    scene.observe(*TYPES)
    before = Snapshot.objects.latest("pk")
    done = undone(
        scene,
        ("DELETE", f"{POLICIES}/{policy['id']}"),
        ("DELETE", f"{LOCATIONS}/{location['id']}"),
        ("DELETE", f"{CONTAINER}/namedLocations/{location['id']}"),
    )
    assert ("namedLocation", location["id"]) in new_ids(done)
    with pytest.raises(NothingToDo):
        services.plan_rollback(acting(scene.requester), tenant=scene.tenant, snapshot=before.pk)
    renamed = scene.named(LOCATIONS, "Blocked")
    scene.intrude(
        "PATCH",
        f"{LOCATIONS}/{renamed['id']}",
        {"@odata.type": renamed["@odata.type"], "displayName": "Blocked by nobody"},
    )
    scene.observe(*TYPES)
    rollback = services.plan_rollback(acting(scene.requester), tenant=scene.tenant, snapshot=before.pk)
    assert rollback.plan is not None
    assert [(step.kind, step.resource_id) for step in rollback.plan.steps.all()] == [
        ("update", renamed["id"])
    ]
