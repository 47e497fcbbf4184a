"""Whoever comes back with other identifiers is named by them in every plane: the directory, Azure's roles, vaults."""

from typing import Any

import pytest

from rollbacks import selectors
from rollbacks.models import Execution
from snapshots.models import Snapshot
from tests.rollbacks.conftest import Scene

ROLES, VAULTS, IDENTITY = "api-version=2022-04-01", "api-version=2023-07-01", "api-version=2023-01-31"
PRINCIPALS, GROUPS, DELETED = "/v1.0/servicePrincipals", "/v1.0/groups", "/v1.0/directory/deletedItems"
DIRECTORY_ROLES = "/v1.0/roleManagement/directory/roleAssignments"
DIRECTORY_READERS = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"
TYPES = (
    "appRoleAssignment",
    "application",
    "azureRoleAssignment",
    "azureRoleDefinition",
    "federatedIdentityCredential",
    "group",
    "keyVault",
    "managedIdentity",
    "managedIdentityFederatedCredential",
    "servicePrincipal",
    "unifiedRoleAssignment",
)

Json = dict[str, Any]


def providers(scene: Scene) -> str:
    return f"/subscriptions/{scene.tenant.subscriptions[0]}/providers"


def identity_of(scene: Scene) -> Json:
    listing = f"{providers(scene)}/Microsoft.ManagedIdentity/userAssignedIdentities?{IDENTITY}"
    found: Json = scene.read(listing)["value"][0]
    return found


def assigned_to(scene: Scene, principal_id: str) -> set[str]:
    """The guids of the Azure role assignments that a principal holds."""
    given = scene.read(f"{providers(scene)}/Microsoft.Authorization/roleAssignments?{ROLES}")["value"]
    return {each["name"] for each in given if each["properties"]["principalId"] == principal_id}


def trusted_by_vaults(scene: Scene) -> set[str]:
    found = scene.read(f"{providers(scene)}/Microsoft.KeyVault/vaults?{VAULTS}")["value"]
    return {policy["objectId"] for each in found for policy in each["properties"]["accessPolicies"]}


def members(scene: Scene, group: Json) -> set[str]:
    return {each["id"] for each in scene.read(f"{GROUPS}/{group['id']}/members")["value"]}


def undone(scene: Scene, *acts: tuple[Any, ...], lost: bool = False) -> Execution:
    """Acts of an intruder that are rolled back, so that the tenant reads as before, new ids aside."""
    scene.observe(*TYPES)
    before = Snapshot.objects.latest("pk")
    for act in acts:
        scene.intrude(*act)
    done = scene.execute(scene.approved(scene.observe(*TYPES)))
    assert done.outcome == "verified", (done.message, done.verification)
    assert bool(done.verification["losses"]) is lost
    if not lost:
        scene.observe(*TYPES)
        assert selectors.differing(before, Snapshot.objects.latest("pk")) == []
    return done


@pytest.fixture
def everywhere(scene: Scene) -> tuple[Scene, Json, Json]:
    """An identity that holds roles in Azure, a vault's trust, a membership, a directory role, and an app's role."""
    identity, group = identity_of(scene), scene.named(GROUPS, "Finance")
    principal_id = identity["properties"]["principalId"]
    graph = next(each for each in _all_principals(scene) if each["displayName"] == "Microsoft Graph")
    role = next(each for each in graph["appRoles"] if each["value"] == "User.Read.All")
    whom = f"https://graph.microsoft.com/v1.0/directoryObjects/{principal_id}"
    scene.intrude("POST", f"{GROUPS}/{group['id']}/members/$ref", {"@odata.id": whom})
    grant = {"principalId": principal_id, "roleDefinitionId": DIRECTORY_READERS, "directoryScopeId": "/"}
    scene.intrude("POST", DIRECTORY_ROLES, grant)
    assignment = {"principalId": principal_id, "resourceId": graph["id"], "appRoleId": role["id"]}
    scene.intrude("POST", f"{PRINCIPALS}/{principal_id}/appRoleAssignments", assignment)
    scene.intrude("POST", _trusts(scene), {**TRUST, "subject": principal_id})
    limited = _limited_administrators(scene)
    condition = LIMIT.format(principal=principal_id)
    properties = {**limited["properties"], "condition": condition, "conditionVersion": "2.0"}
    scene.intrude("PUT", f"{limited['id']}?{ROLES}", {"properties": properties})
    return scene, identity, group


TRUST = {
    "name": "by-identity",
    "issuer": "https://login.microsoftonline.com/3d1e2be9-a10a-4a0c-8380-7ce190f98ed9/v2.0",
    "audiences": ["api://AzureADTokenExchange"],
}
LIMIT = (
    "((!(ActionMatches{{'Microsoft.Authorization/roleAssignments/write'}})) OR (@Request["
    "Microsoft.Authorization/roleAssignments:PrincipalId] ForAnyOfAnyValues:GuidEquals {{{principal}}}))"
)
"""To whom an administrator of roles may give them: to the identity alone."""


def _trusts(scene: Scene) -> str:
    return f"/v1.0/applications/{scene.named('/v1.0/applications', 'Telematics')['id']}/federatedIdentityCredentials"


def _limited_administrators(scene: Scene) -> Json:
    given = scene.read(f"{providers(scene)}/Microsoft.Authorization/roleAssignments?{ROLES}")["value"]
    return next(each for each in given if each["properties"].get("condition"))


def _all_principals(scene: Scene) -> list[Json]:
    found: list[Json] = scene.read(f"{PRINCIPALS}?$top=999")["value"]
    return found


def test_a_deleted_identity_is_named_by_its_new_principal_in_every_plane(
    everywhere: tuple[Scene, Json, Json],
) -> None:
    scene, identity, group = everywhere
    old = identity["properties"]["principalId"]
    held = assigned_to(scene, old)
    assert len(held) == 2
    done = undone(scene, ("DELETE", f"{identity['id']}?{IDENTITY}"))
    new = identity_of(scene)["properties"]["principalId"]
    assert new != old
    assert assigned_to(scene, new) == held
    assert assigned_to(scene, old) == set()
    assert new in trusted_by_vaults(scene)
    assert old not in trusted_by_vaults(scene)
    assert new in members(scene, group)
    assert new in {each["principalId"] for each in scene.read(DIRECTORY_ROLES)["value"]}
    (app_role,) = scene.read(f"{PRINCIPALS}/{new}/appRoleAssignments")["value"]
    assert app_role["principalId"] == new
    trusted = scene.read(_trusts(scene))["value"]
    assert [each["subject"] for each in trusted if each["name"] == "by-identity"] == [new]
    assert _limited_administrators(scene)["properties"]["condition"] == LIMIT.format(principal=new)
    credentials = scene.read(f"{identity['id']}/federatedIdentityCredentials?{IDENTITY}")["value"]
    assert [each["name"] for each in credentials] == ["main-branch"]
    assert any("client ID in the settings" in warning for warning in done.plan.warnings)


def test_the_change_of_the_identity_alone_re_points_whoever_still_names_it(scene: Scene) -> None:
    identity = identity_of(scene)
    old = identity["properties"]["principalId"]
    held = assigned_to(scene, old)
    scene.observe(*TYPES)
    scene.intrude("DELETE", f"{identity['id']}?{IDENTITY}")
    changes = [each for each in scene.observe(*TYPES) if each.resource_type == "managedIdentity"]
    done = scene.execute(scene.approved(changes))
    assert done.outcome == "verified", (done.message, done.verification)
    new = identity_of(scene)["properties"]["principalId"]
    assert assigned_to(scene, new) == held
    assert new in trusted_by_vaults(scene)
    credentials = scene.read(f"{identity['id']}/federatedIdentityCredentials?{IDENTITY}")["value"]
    assert [each["name"] for each in credentials] == ["main-branch"]


def test_an_identity_that_somebody_made_anew_meanwhile_is_named_by_its_present_principal(
    everywhere: tuple[Scene, Json, Json],
) -> None:
    scene, identity, group = everywhere
    old = identity["properties"]["principalId"]
    held = assigned_to(scene, old)
    scene.observe(*TYPES)
    address = f"{identity['id']}?{IDENTITY}"
    scene.intrude("DELETE", address)
    scene.intrude("PUT", address, {"location": identity["location"], "tags": {"owner": "eve"}})
    present = identity_of(scene)["properties"]["principalId"]
    done = scene.execute(scene.approved(scene.observe(*TYPES)))
    assert done.outcome == "verified", (done.message, done.verification)
    assert done.plan.complete, done.plan.warnings
    now = identity_of(scene)
    assert (now["properties"]["principalId"], now["tags"]) == (present, identity["tags"])
    assert assigned_to(scene, present) == held
    assert present in trusted_by_vaults(scene)
    assert present in members(scene, group)
    assert len(scene.read(f"{PRINCIPALS}/{present}/appRoleAssignments")["value"]) == 1
    assert len(scene.read(f"{identity['id']}/federatedIdentityCredentials?{IDENTITY}")["value"]) == 1


def test_a_group_made_anew_is_named_by_its_new_id_in_azure(scene: Scene) -> None:
    group = scene.named(GROUPS, "IT Administrators")
    held = assigned_to(scene, group["id"])
    assert held
    assert group["id"] in trusted_by_vaults(scene)
    undone(
        scene,
        ("DELETE", f"{GROUPS}/{group['id']}"),
        ("DELETE", f"{DELETED}/{group['id']}"),
    )
    new = scene.named(GROUPS, "IT Administrators")["id"]
    assert new != group["id"]
    assert assigned_to(scene, new) == held
    assert trusted_by_vaults(scene) >= {new}
    assert group["id"] not in trusted_by_vaults(scene)


def test_an_application_made_anew_is_named_by_its_new_principal_in_azure(scene: Scene) -> None:
    app, principal = scene.named("/v1.0/applications", "Telematics"), scene.named(PRINCIPALS, "Telematics")
    guid = "0f5b1c7e-2a64-4d39-8b1f-7c90e3a6d2b4"
    role = f"{providers(scene)}/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"
    assignment = f"{providers(scene)}/Microsoft.Authorization/roleAssignments/{guid}?{ROLES}"
    properties = {"principalId": principal["id"], "roleDefinitionId": role}
    scene.intrude("PUT", assignment, {"properties": properties})
    undone(
        scene,
        ("DELETE", f"/v1.0/applications/{app['id']}"),
        ("DELETE", f"{DELETED}/{principal['id']}"),
        ("DELETE", f"{DELETED}/{app['id']}"),
        lost=True,
    )
    new = scene.named(PRINCIPALS, "Telematics")["id"]
    assert new != principal["id"]
    assert assigned_to(scene, new) == {guid}
