"""What Azure has of its own: locks that forbid, policies that add tags, writes that go on after their answer."""

from typing import Any

import pytest

from rollbacks.planning.model import StepKind
from tests.rollbacks.conftest import Scene

NETWORK, VAULTS, ROLES = "api-version=2023-09-01", "api-version=2023-07-01", "api-version=2022-04-01"
LOCKS = "api-version=2020-05-01"
TYPES = ("keyVault", "managementLock", "networkSecurityGroup")

Json = dict[str, Any]


def subscription(scene: Scene) -> str:
    return f"/subscriptions/{scene.tenant.subscriptions[0]}"


def resource(scene: Scene, kind: str, version: str, name: str) -> Json:
    found = scene.read(f"{subscription(scene)}/providers/{kind}?{version}")["value"]
    return next(each for each in found if name in each["name"])


@pytest.fixture
def network(scene: Scene) -> Json:
    return resource(scene, "Microsoft.Network/networkSecurityGroups", NETWORK, "data")


@pytest.fixture
def vault(scene: Scene) -> Json:
    return resource(scene, "Microsoft.KeyVault/vaults", VAULTS, "-rbac-")


def lock_at(holder: Json) -> str:
    return f"{holder['id']}/providers/Microsoft.Authorization/locks/planted?{LOCKS}"


def opened(scene: Scene, network: Json) -> None:
    """Somebody leaves no rule and tags the group."""
    body = {"location": network["location"], "tags": {"owner": "eve"}, "properties": {"securityRules": []}}
    scene.intrude("PUT", f"{network['id']}?{NETWORK}", body)


def rules(scene: Scene, network: Json) -> set[str]:
    found = scene.read(f"{network['id']}?{NETWORK}")
    return {each["name"] for each in found["properties"]["securityRules"]}


@pytest.mark.parametrize(("level", "forbids"), [("ReadOnly", True), ("CanNotDelete", False)])
def test_a_lock_that_forbids_a_step_keeps_the_plan_from_being_applied(
    scene: Scene, network: Json, level: str, forbids: bool
) -> None:
    scene.cloud.azure.lock(network["id"].partition("/providers/")[0], "CanNotDelete", "legitimate")
    scene.observe(*TYPES)
    opened(scene, network)
    changes = scene.observe(*TYPES)
    scene.cloud.azure.lock(subscription(scene), level, "freeze")
    plan = scene.plan(changes).plan
    assert plan is not None
    assert plan.applicable is not forbids
    reported = [warning for warning in plan.warnings if "lock" in warning.lower()]
    assert bool(reported) is forbids
    for warning in reported:
        assert "freeze" in warning
        assert network["name"] in warning
        assert "Remove the lock" in warning


def test_a_planted_lock_is_taken_away_before_what_it_forbids(scene: Scene, network: Json) -> None:
    scene.observe(*TYPES)
    opened(scene, network)
    scene.intrude("PUT", lock_at(network), {"properties": {"level": "ReadOnly"}})
    rollback = scene.approved(scene.observe(*TYPES))
    assert rollback.plan is not None
    done = scene.execute(rollback)
    assert done.outcome == "verified", done.message
    assert [method for method, _ in scene.writes()] == ["DELETE", "PUT"]
    assert rules(scene, network) == {"AllowDatabase", "DenyInternet"}


def test_a_tightened_lock_is_loosened_first_and_a_deleted_one_comes_back_last(
    scene: Scene, network: Json, vault: Json
) -> None:
    for holder in (network, vault):
        scene.intrude("PUT", lock_at(holder), {"properties": {"level": "CanNotDelete", "notes": "Keep"}})
    scene.observe(*TYPES)
    opened(scene, network)
    scene.intrude("PUT", lock_at(network), {"properties": {"level": "ReadOnly", "notes": "Keep"}})
    scene.intrude("DELETE", lock_at(vault))
    scene.intrude("DELETE", f"{vault['id']}?{VAULTS}")
    done = scene.execute(scene.approved(scene.observe(*TYPES)))
    assert done.outcome == "verified", (done.message, done.verification)
    touched = [path.lower().rpartition("/providers/")[2] for _, path in scene.writes()]
    first, *between, last = touched
    assert first.startswith("microsoft.authorization/locks/")
    assert last.startswith("microsoft.authorization/locks/")
    assert not any("locks" in each for each in between)
    assert scene.read(lock_at(vault))["properties"] == {"level": "CanNotDelete", "notes": "Keep"}
    assert scene.read(lock_at(network))["properties"]["level"] == "CanNotDelete"


def test_tags_that_a_policy_adds_are_no_difference_and_named(scene: Scene, network: Json) -> None:
    scene.observe(*TYPES)
    opened(scene, network)
    changes = scene.observe(*TYPES)
    scene.cloud.azure.append_tags(scene.tenant.subscriptions[0], {"costCenter": "42"})
    done = scene.execute(scene.approved(changes))
    assert done.outcome == "verified", (done.message, done.verification)
    (equal,) = done.verification["equal"]
    assert equal["added_by_policy"] == ["tags.costCenter"]
    assert scene.read(f"{network['id']}?{NETWORK}")["tags"] == {**network["tags"], "costCenter": "42"}


def test_a_tag_that_somebody_sets_after_the_dry_run_is_not_wiped_out(scene: Scene, network: Json) -> None:
    scene.observe(*TYPES)
    opened(scene, network)
    rollback = scene.approved(scene.observe(*TYPES))
    scene.intrude("PATCH", f"{network['id']}?{NETWORK}", {"tags": {"owner": "eve", "ticket": "4711"}})
    done = scene.execute(rollback)
    assert done.outcome == "stale"
    assert "tags" in done.message


def test_an_operation_that_azure_gives_up_is_told(scene: Scene, network: Json) -> None:
    scene.observe(*TYPES)
    opened(scene, network)
    rollback = scene.approved(scene.observe(*TYPES))
    given_up = {"status": "Failed", "error": {"code": "OperationPreempted", "message": "Another one came."}}
    scene.cloud.faults.add("answer", method="GET", path="/operations/", status=200, body=given_up)
    done = scene.execute(rollback)
    assert done.outcome == "failed"
    assert "OperationPreempted: Another one came." in done.message


def test_a_recovered_vault_says_what_does_not_return_with_it(scene: Scene, vault: Json) -> None:
    scene.observe(*TYPES)
    scene.intrude("DELETE", f"{vault['id']}?{VAULTS}")
    rollback = scene.plan(scene.observe(*TYPES))
    assert rollback.plan is not None
    assert any(
        "Role assignments and locks on it are restored only if" in each for each in rollback.plan.warnings
    )


def test_our_own_azure_roles_are_never_taken_away(scene: Scene) -> None:
    """They were given after the snapshot to which somebody wants to go back."""
    types = ("azureRoleAssignment", "servicePrincipal")
    scene.observe(*types)
    info = scene.cloud.tenants[scene.tenant.name]
    ours = scene.cloud.state(info.directory_id).by_property(
        "servicePrincipal", "appId", info.reader.client_id
    )
    assert ours is not None
    scene.cloud.azure.assign(subscription(scene), "Key Vault Secrets User", ours.id)
    plan = scene.plan(scene.observe(*types)).plan
    assert plan is not None
    assert not plan.applicable
    assert any("Lavawall's own app registration" in each for each in plan.warnings)


def test_an_assignment_of_somebody_who_is_gone_is_told_and_not_tried(scene: Scene) -> None:
    types = ("azureRoleAssignment",)
    principal = scene.named("/v1.0/servicePrincipals", "Telematics")["id"]
    given = scene.cloud.azure.assign(subscription(scene), "Reader", principal)
    scene.observe(*types)
    scene.intrude("DELETE", f"{given}?{ROLES}")
    scene.intrude("DELETE", f"/v1.0/servicePrincipals/{principal}")
    plan = scene.plan(scene.observe(*types)).plan
    assert plan is not None
    assert (plan.complete, plan.steps.count()) == (False, 0)
    assert any(principal in each and "no longer exists" in each for each in plan.warnings)


def test_a_role_changed_under_its_guid_is_deleted_and_made_anew(scene: Scene) -> None:
    types = ("azureRoleAssignment",)
    given = scene.read(f"{subscription(scene)}/providers/Microsoft.Authorization/roleAssignments?{ROLES}")[
        "value"
    ]
    held = next(each for each in given if each["properties"].get("condition"))
    scene.observe(*types)
    address = f"{held['id']}?{ROLES}"
    role = held["properties"]["roleDefinitionId"].rpartition("/")[0]
    owner = {
        "principalId": held["properties"]["principalId"],
        "roleDefinitionId": f"{role}/8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    }
    scene.intrude("DELETE", address)
    scene.intrude("PUT", address, {"properties": owner})
    rollback = scene.approved(scene.observe(*types))
    assert rollback.plan is not None
    assert list(rollback.plan.steps.order_by("order").values_list("kind", flat=True)) == [
        StepKind.DELETE,
        StepKind.RECREATE,
    ]
    assert scene.execute(rollback).outcome == "verified"
    assert scene.read(address)["properties"]["condition"] == held["properties"]["condition"]
